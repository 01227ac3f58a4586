"""Format plans, and the effect of proposed indexes on a plan, as text."""

from __future__ import annotations

from collections.abc import Iterator

from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.production.advice.tried import Remedy

_MOST_NODES = 4


def number(value: float) -> str:
    """Format a number for people: `50,000,000`, or `8.44`."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"


def node_text(node: Plan) -> str:
    """Return a node with its relation and index: `Index Scan on orders using orders_pkey`."""
    where = f" on {node.relation}" if node.relation else ""
    return node.node + where + (f" using {node.index}" if node.index else "")


def outline(plan: Plan) -> str:
    """Name on one line the nodes of a plan that read tables or indexes, or else the plan's root."""
    reading = [node for node in plan.walk() if node.relation or node.index]
    names = [node_text(node) for node in reading if node.node != "ModifyTable"] or [plan.node]
    more = f" and {len(names) - _MOST_NODES} more" if len(names) > _MOST_NODES else ""
    return ", ".join(names[:_MOST_NODES]) + more


def plan_lines(plan: Plan, depth: int = 0, *, conditions: bool = True) -> Iterator[str]:
    """Yield a plan as lines: each node with its estimates, followed by the node's conditions."""
    indent = "    " * depth
    yield f"{indent}{node_text(plan)}  (rows {number(plan.rows)}, cost {number(plan.cost)})"
    for kind, text in plan.conditions if conditions else ():
        yield f"{indent}  {kind}: {text}"
    for child in plan.children:
        yield from plan_lines(child, depth + 1, conditions=conditions)


def before_and_after(remedy: Remedy, names: dict[str, str]) -> tuple[str, ...]:
    """Describe a plan without and with the proposed indexes, in one line each.

    `names` maps the name of each tested index to the name of the proposed index.
    """
    after = outline(remedy.after)
    for tried, name in sorted(names.items(), key=lambda item: -len(item[0])):
        after = after.replace(tried, name)
    before = remedy.before
    return (
        f"plan now: cost {number(before.cost)}: {outline(before)}",
        f"plan with the proposed index: cost {number(remedy.after.cost)}: {after}",
    )
