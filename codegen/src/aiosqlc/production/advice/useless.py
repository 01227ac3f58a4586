"""Find indexes that no plan needs, because another index begins with the same columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aiosqlc.analysis.planned.facts import Index
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.engines.planner import PlannedDatabase
from aiosqlc.ir import SchemaFile
from aiosqlc.production.advice.redundant import unneeded
from aiosqlc.production.advice.rules import RULES
from aiosqlc.production.plans import PlannedText
from aiosqlc.source import Span


def findings(
    database: PlannedDatabase, texts: Sequence[PlannedText], schema: Sequence[SchemaFile]
) -> Iterator[Diagnostic]:
    """Yield a finding for each useless index, at the statement that creates it."""
    for index in database.indexes:
        longer = next((one for one in database.indexes if _covers(one, index)), None)
        if longer is None or not unneeded(database, index, texts):
            continue
        begins = "has" if longer.keys == index.keys else "begins with"
        message = f"{index.name} is useless: {longer.name} {begins} the same columns"
        notes = ("tested: without the index, no plan becomes more than 10 % more expensive",)
        label = _place(index, schema)
        hint = f"drop the index: `DROP INDEX CONCURRENTLY {index.name};`"
        yield Diagnostic(
            "V039", message, (label,) if label else (), hint or RULES["V039"].fix,
            Severity.WARNING, notes,
        )  # fmt: skip


def _covers(longer: Index, index: Index) -> bool:
    """Return whether `longer` covers the same rows as `index`, and begins with the same keys."""
    same = longer.keys == index.keys
    begins = index.method == "btree" and longer.keys[: len(index.keys)] == index.keys
    return (
        not (index.unique or index.needed or index.includes)
        and (longer.table, longer.method) == (index.table, index.method)
        and longer.where == index.where
        and longer.name != index.name
        and (begins or same)
        and (not same or longer.unique or longer.includes or longer.name < index.name)
    )


def _place(index: Index, schema: Sequence[SchemaFile]) -> Label | None:
    """Return the last position in the schema files at which the name of an index occurs."""
    name = re.compile(rf"\b{re.escape(index.name.rpartition('.')[2])}\b")
    for file in reversed(schema):
        if found := name.search(file.sql):
            return Label(file.file, Span(found.start(), found.end()))
    return None
