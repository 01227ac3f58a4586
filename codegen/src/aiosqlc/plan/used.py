"""Collect the names in a function's body that parameters and columns must not shadow."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from aiosqlc.analysis.bulk import is_bulk
from aiosqlc.ir import Command, TypedQuery
from aiosqlc.parse.keyset import AFTER, BACKWARD, KEY, NULL
from aiosqlc.plan.model import PyRow, PyType
from aiosqlc.plan.naming import constant
from aiosqlc.plan.package import Package
from aiosqlc.plan.scope import BODY, LOCALS, words_in

_OBJECTS = frozenset({Command.COPYFROM, Command.BATCHEXEC, Command.BATCHMANY, Command.BATCHONE})
_RAISED = frozenset({"KeyError", "TypeError", "ValueError", "object"})
_VARIABLES = {
    Command.BATCHONE: frozenset({"batch", "item", "results"}),
    Command.STREAM: frozenset({"cursor", "chunk"}),
    Command.PAGE: frozenset(
        {"found", "total", "following", "previous", "page_of", AFTER, BACKWARD}
        | {f"{prefix}{number}" for prefix in (KEY, NULL) for number in range(1, 9)}
    ),
}


def names_used(
    query: TypedQuery, row: PyRow | None, kinds: Iterable[PyType], package: Package
) -> frozenset[str]:
    """Return the names that a function's body uses, except its local variables.

    `kinds` are the types of the query's parameters.
    """
    found = {*BODY, constant(query.parsed.name), *words_in(kind.encode for kind in kinds)}
    methods = package.target.emit_class or package.target.emit_protocol
    if methods and query.parsed.command not in _OBJECTS and not is_bulk(query.parsed):
        found.add("self")
    if query.parsed.command is Command.STREAM:
        found.add("chunk")  # a parameter that the compiler adds
    if query.parsed.command is Command.PAGE:
        found |= {"split_total", "keyset_rows", "keyset_start", "KeysetList", "KeysetPage"}
    if query.parsed.command is Command.ARROW:
        found |= {"arrow_batch", "arrow_schema", f"{constant(query.parsed.name)}_SCHEMA"}
    if package.errors_of(query) and package.driver.violations:
        found |= {"violation", package.driver.violations.caught}
    if row is None:
        return frozenset(found)
    if row.cls is None:  # the value has an annotation
        return frozenset(found | words_in((row.annotation, row.columns[0].decode)))
    found |= {row.cls.name, *(item.cls.name for item in row.nested)}
    if not row.starmapped:
        found |= {"map", *words_in(column.decode for column in row.columns)}
    return frozenset(found)


def with_locals(
    query: TypedQuery, row: PyRow, used: frozenset[str], params: Collection[str]
) -> PyRow:
    """Name the local variables for a row's columns, so that they hide no other name."""
    taken = {*used, *params, *LOCALS, *_VARIABLES.get(query.parsed.command, ())}
    if query.parsed.dynamic:
        taken |= {"arguments", "sql", *_RAISED}
    names: list[str] = []
    for name in row.names:
        while name in taken or name in names:
            name += "_"
        names.append(name)
    return replace(row, names=tuple(names)) if row.cls else row
