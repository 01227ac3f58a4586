"""Create findings about SQL texts, and merge equal findings about several texts of a query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.engines.planner import PlannedDatabase
from aiosqlc.production.advice.candidates import Candidate
from aiosqlc.production.advice.rules import RULES
from aiosqlc.production.advice.shown import before_and_after, node_text, number
from aiosqlc.production.advice.tried import Remedy
from aiosqlc.production.plans import PlannedText

_LONGEST_NAME = 63
_MOST_STATEMENTS = 4


def finding(
    code: str, text: PlannedText, message: str, hint: str = "", notes: Sequence[str] = ()
) -> Diagnostic:
    """Return a finding that points to the name of the query to which an SQL text belongs."""
    query = text.query.parsed
    of = [f"in the SQL text {text.variant}"] if text.variant else []
    if text.values:
        of.append(f"only for {text.values}; the generic plan has no such finding")
    label = Label(query.file, query.name_span)
    hint = hint or RULES[code].fix
    return Diagnostic(code, message, (label,), hint, Severity.WARNING, (*notes, *of))


def merged(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Merge equal findings about several SQL texts of a query. The first finding gets all hints."""
    first: dict[object, list[Diagnostic]] = {}
    for item in found:
        place = [(id(label.file), label.span) for label in item.labels]
        first.setdefault((item.code, str(place)), []).append(item)
    result = []
    for items in first.values():
        one = items[0]
        if len(items) > 1:
            more = len(items) - 1
            what = "text" if more == 1 else "texts"
            texts = f"the same finding applies to {more} more SQL {what} of the query"
            one = replace(one, notes=(*one.notes, texts), hint=_together(items))
        result.append(one)
    return result


def _together(items: Sequence[Diagnostic]) -> str:
    """Merge the hints of several findings, without repeating the first line or a statement."""
    first, *lines = items[0].hint.split("\n")
    for item in items[1:]:
        lines += [line for line in item.hint.split("\n")[1:] if line not in lines]
    more = len(lines) - _MOST_STATEMENTS
    rest = [f"-- not shown: {more} for other SQL texts of the query"] if more > 0 else []
    return "\n".join([first, *lines[:_MOST_STATEMENTS], *rest])


def proposal(
    database: PlannedDatabase, best: Remedy, plan: Plan
) -> tuple[str, str, tuple[str, ...]]:
    """Return the message, the hint and the notes of a finding that proposes tested indexes."""
    names = {database.tried[one.definition]: index_name(one) for one in best.indexes}
    notes = before_and_after(best, names)
    times = number(plan.cost / max(best.after.cost, 0.01))
    what = _expensive(plan, best)
    message = f"{what}; with an index the plan is {times} times cheaper"
    statements = "\n".join(statement(one) for one in best.indexes)
    return message, f"create the index in a migration:\n{statements}", notes


def statement(one: Candidate) -> str:
    """Return a CREATE INDEX statement that does not stop writes."""
    return f"CREATE INDEX CONCURRENTLY {index_name(one)} ON {_plain(one.definition)};"


def index_name(one: Candidate) -> str:
    """Return the name that the server would choose for an index."""
    some = re.findall(r"(\S+) =", one.where)  # the columns of a partial index's condition
    words = re.findall(r"\w+", " ".join((one.table.rpartition(".")[2], *one.keys, *some)))
    left_out = set[str]() if "NULLS" in words else {"DESC"}
    name = "_".join(word for word in words if word not in left_out).lower()
    return f"{name[: _LONGEST_NAME - 4]}_idx"


def _expensive(plan: Plan, best: Remedy) -> str:
    """Describe the plan's most expensive step that reads a table of a proposed index."""
    tables = {one.table for one in best.indexes}
    on = [node for node in plan.walk() if node.relation in tables and node.node != "ModifyTable"]
    node = max(on, key=lambda node: node.cost, default=plan)
    kept = f" and keeps {number(node.rows)}" if node.condition("Filter") else ""
    return f"{node_text(node)} costs {number(node.cost)}{kept and f'{kept} rows'}"


def _plain(definition: str) -> str:
    """Remove the quotation marks that a name does not need."""
    return re.sub(r'"([a-z_][a-z0-9_]*)"', r"\1", definition)
