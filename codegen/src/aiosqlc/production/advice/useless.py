"""Find indexes whose columns are the first columns of another index, and that no plan needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aiosqlc.analysis.planned.facts import Index
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.engines.planner import PlannedDatabase
from aiosqlc.ir import SchemaFile
from aiosqlc.production.advice.rules import RULES
from aiosqlc.production.plans import PlannedText
from aiosqlc.source import Span

_SAME = 1.1  # a plan without the index may be that much more expensive


def findings(
    database: PlannedDatabase, texts: Sequence[PlannedText], schema: Sequence[SchemaFile]
) -> Iterator[Diagnostic]:
    """Yield a finding for each useless index, at the statement that creates it."""
    for index in database.indexes:
        longer = next((one for one in database.indexes if _covers(one, index)), None)
        if longer is None or not _unneeded(database, index, texts):
            continue
        message = f"{index.name} is useless: {longer.name} begins with the same columns"
        notes = ("tried: without the index, the cost of no plan grows by more than 10 %",)
        label = _place(index, schema)
        hint = f"drop the index: `DROP INDEX CONCURRENTLY {index.name};`"
        yield Diagnostic(
            "V039", message, (label,) if label else (), hint or RULES["V039"].fix,
            Severity.WARNING, notes,
        )  # fmt: skip


def _covers(longer: Index, index: Index) -> bool:
    return (
        index.plain
        and longer.plain
        and not (index.unique or index.needed)
        and "" not in index.columns
        and longer.table == index.table
        and longer.name != index.name
        and longer.columns[: len(index.columns)] == index.columns
        and (len(longer.columns) > len(index.columns) or longer.name < index.name or longer.unique)
    )


def _unneeded(database: PlannedDatabase, index: Index, texts: Sequence[PlannedText]) -> bool:
    for text in texts:
        if text.plan is None or index.name not in {node.index for node in text.plan.walk()}:
            continue
        without = database.plan(text.sql, without=[index.name])
        if without is None or without.cost > text.plan.cost * _SAME:
            return False
    return True


def _place(index: Index, schema: Sequence[SchemaFile]) -> Label | None:
    """Return the last position in the schema files that names an index."""
    name = re.compile(rf"\b{re.escape(index.name.rpartition('.')[2])}\b")
    for file in reversed(schema):
        if found := name.search(file.sql):
            return Label(file.file, Span(found.start(), found.end()))
    return None
