"""A query plan as a tree of normalised steps, without the details that change with every run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.messages.one_line import one_line

_TENFOLDS: Final = ("", "k", "M", "G", "T")  # of one thousand each
_PARAMETER: Final = re.compile(r"\$\d+")
_CAST: Final = re.compile(
    r"::(?:\"[^\"]+\"|[a-z_][\w ]*?)(?:\(\d+(?:,\d+)?\))?(?:\[\])*(?=[\s),]|$)"
)
_AGGREGATES: Final = {"Hashed": "Hash", "Sorted": "Group", "Mixed": "Mixed "}
_SIMPLE: Final = re.compile(r"[a-z_][a-z0-9_$]*")
_SCANS: Final = frozenset({"Seq Scan", "Parallel Seq Scan"})


class Step(Struct, frozen=True):
    """A node of a plan.

    `kind` is the server's name of the node, with the join type or the operation. `role` says how
    the parent uses the node, such as `CTE recent` or `SubPlan`; it is empty for an ordinary input.
    `relation` is a name, or empty. `indexes` are the used indexes; only a bitmap scan uses several.
    `condition` is their index condition. `rows` is the estimated number of rows, as an exponent of
    ten. `cost` is the cost of the whole plan, as an exponent of ten. `rows` and `cost` are None if
    the plan was made without statistics. `alike` is true if this step represents the equal steps of
    several partitions.
    """

    kind: str
    relation: str = ""
    indexes: tuple[str, ...] = ()
    condition: str = ""
    role: str = ""
    rows: int | None = None
    cost: int | None = None
    alike: bool = False
    inner: tuple[Step, ...] = ()

    @property
    def reads_all(self) -> bool:
        """Return whether the step reads a table from end to end."""
        return self.kind in _SCANS

    @property
    def access(self) -> str:
        """Return how the step reads its table: `Index Scan using person_pkey`."""
        names = " and ".join(quoted(name) for name in self.indexes)
        return self.kind + (f" using {names}" if names else "")

    def walk(self) -> Iterator[Step]:
        """Yield the step and all steps below it, in the order of the plan."""
        yield self
        for step in self.inner:
            yield from step.walk()


def simplified(plan: Plan, *, estimated: bool) -> Step:
    """Return a plan as steps, without the details that change with every run.

    `estimated` is true if the server had statistics of the tables.
    """
    aliases = {node.alias: node.relation for node in plan.walk() if node.alias}
    step = _step(plan, aliases, estimated=estimated)
    return replace(step, cost=_power(plan.cost)) if estimated else step


def _step(plan: Plan, aliases: Mapping[str, str], own: str = "", *, estimated: bool) -> Step:
    own = plan.alias or own  # the index below a bitmap has no alias
    inner = [_step(part, aliases, own, estimated=estimated) for part in plan.children]
    kind = _kind(plan)
    if kind in {"Append", "Merge Append"}:
        inner = _without_alike(inner)
    indexes = [one_line(plan.index)] if plan.index else []
    conditions = [_plain(plan.condition("Index Cond"), own, aliases)]
    if "Bitmap Heap Scan" in kind:  # the indexes are below, in steps that add nothing else
        below = [step for part in inner for step in part.walk()]
        indexes = [name for step in below for name in step.indexes]
        conditions = [step.condition for step in below]
        kind, inner = kind.replace("Bitmap Heap Scan", "Bitmap Scan"), []
    return Step(
        kind,
        one_line(plan.relation or plan.detail("CTE Name")),
        tuple(dict.fromkeys(indexes)),
        " and ".join(dict.fromkeys(filter(None, conditions))),
        one_line(re.sub(r" \d+.*", "", plan.detail("Subplan Name"), flags=re.DOTALL)),
        _power(plan.rows) if estimated else None,
        None,
        alike=False,
        inner=tuple(inner),
    )


def _kind(plan: Plan) -> str:
    kind = plan.node
    if plan.join not in {"", "Inner"}:
        join = f"{plan.join} Join"
        kind = kind.replace("Join", join) if "Join" in kind else f"{kind} {join}"
    if kind == "ModifyTable":
        kind = plan.detail("Operation") or kind
    if kind == "Aggregate":
        kind = _AGGREGATES.get(plan.detail("Strategy"), "") + kind
    if plan.detail("Parallel Aware") == "true":
        kind = f"Parallel {kind}"
    return f"{kind} Backward" if plan.detail("Scan Direction") == "Backward" else kind


def _without_alike(inner: list[Step]) -> list[Step]:
    """Keep only the first of the steps that differ only in names, such as scans of partitions."""
    found: dict[Step, Step] = {}
    for step in inner:
        shape = _nameless(step)
        found[shape] = replace(found[shape], alike=True) if shape in found else step
    return list(found.values())


def _nameless(step: Step) -> Step:
    inner = tuple(_nameless(part) for part in step.inner)
    indexes = ("",) * len(step.indexes)
    return replace(step, relation="", indexes=indexes, rows=None, inner=inner)


def _plain(condition: str, own: str, aliases: Mapping[str, str]) -> str:
    """Return a condition without parameter numbers and casts.

    Columns of the step's `own` relation have no prefix. Other columns have the name of their
    relation as prefix.
    """
    for alias, relation in aliases.items():
        prefix = "" if alias == own else f"{relation or alias}."
        condition = re.sub(rf'(?<![\w."]){re.escape(quoted(alias))}\.', prefix, condition)
    return " ".join(_CAST.sub("", _PARAMETER.sub("$", condition)).split())


def _power(value: float) -> int:
    """Return the exponent of the nearest power of ten, so that small changes do not matter."""
    return round(math.log10(value)) if value > 1 else 0


def amount(power: int) -> str:
    """Return the power of ten with this exponent as text: `1`, `100`, `10k`."""
    thousands = min(power // 3, len(_TENFOLDS) - 1)
    return f"{10 ** (power - 3 * thousands)}{_TENFOLDS[thousands]}"


def power_of(shown: str) -> int:
    """Return the exponent of the power of ten in a text that `amount` wrote."""
    digits = shown.lstrip("~").rstrip("".join(_TENFOLDS))
    return len(digits) - 1 + 3 * _TENFOLDS.index(shown.lstrip("~")[len(digits) :])


def quoted(name: str) -> str:
    """Return a name as SQL writes it: with quotation marks only if they are necessary."""
    return name if _SIMPLE.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def lines(plan: Step, depth: int = 0) -> Iterator[str]:
    """Yield a plan as text, one line for each step and one for each index condition."""
    margin = "  " * depth
    where = f" on {quoted(plan.relation)}" if plan.relation else ""
    role = f"{plan.role}: " if plan.role else ""
    more = " and further partitions" if plan.alike else ""
    yield f"{margin}{role}{plan.access}{where}{more}{_estimates(plan)}"
    if plan.condition:
        yield f"{margin}    {plan.condition}"
    for step in plan.inner:
        yield from lines(step, depth + 1)


def _estimates(step: Step) -> str:
    parts = []
    if step.rows is not None:
        parts.append("1 row" if step.rows == 0 else f"~{amount(step.rows)} rows")
    if step.cost is not None:
        parts.append(f"cost ~{amount(step.cost)}")
    return f"  ({', '.join(parts)})" if parts else ""
