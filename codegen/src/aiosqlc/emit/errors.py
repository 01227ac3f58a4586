"""Render the exceptions that identify a violated constraint."""

from __future__ import annotations

from collections.abc import Iterable

from aiosqlc.drivers import Violations
from aiosqlc.emit.imports import import_lines
from aiosqlc.emit.literal import docstring, indented, line_literal
from aiosqlc.plan.model import PyError

_UNTYPED = "type: ignore[misc, unused-ignore]"  # without stubs for asyncpg


def print_errors(errors: Iterable[PyError], violations: Violations) -> str:
    """Return the source of `errors.py`, which has an exception class for each constraint."""
    ordered = sorted(errors, key=lambda error: error.name)
    root = violations.root[1]
    imports = {(violations.module, error.base) for error in ordered} | {violations.root}
    imports |= {("collections.abc", "Mapping"), ("typing", "Final"), *violations.imports}
    untyped = f"  # {_UNTYPED}" if violations.untyped else ""
    classes = [
        indented(f"class {error.name}({error.base}):{untyped}", [docstring((error.doc,))])
        for error in ordered
    ]
    keys = [
        (violations.null_entry if error.kind == "not_null" else violations.entry).format(
            kind=line_literal(error.kind),
            table=line_literal(error.table),
            constraint=line_literal(error.constraint),
        )
        for error in ordered
    ]
    entries = [f"    {key}: {error.name}," for key, error in zip(keys, ordered, strict=True)]
    opening = f"_BY_CONSTRAINT: Final[Mapping[{violations.key}, type[{root}]]] = {{"
    table = "\n".join([opening, *entries, "}"])
    head = [
        docstring(("One exception class for each constraint that a query can violate.",)),
        "",
        *import_lines(imports, frozenset()),
    ]
    return "\n\n\n".join(["\n".join(head), *classes, table, violations.find])
