"""Prints the exceptions that tell which constraint a statement has violated."""

from __future__ import annotations

from collections.abc import Iterable

from aiosqlc.drivers import Violations
from aiosqlc.emit.imports import import_lines
from aiosqlc.emit.literal import docstring, indented, line_literal
from aiosqlc.plan.model import PyError

_UNTYPED = "type: ignore[misc, unused-ignore]"  # where asyncpg is without stubs
_FIND = '''\
def constraint_error(error: {root}) -> {root}:
    """Return the exception of the violated constraint, with all that the server said of it."""
{names}\
    if known is None:
        return error
    typed = known(*error.args)
    vars(typed).update(vars(error))
    return typed
'''


def print_errors(errors: Iterable[PyError], violations: Violations) -> str:
    """Return the source of `errors.py`."""
    ordered = sorted(errors, key=lambda error: error.name)
    root = violations.root[1]
    imports = {(violations.module, error.base) for error in ordered} | {violations.root}
    untyped = f"  # {_UNTYPED}" if violations.untyped else ""
    classes = [
        indented(f"class {error.name}({error.base}):{untyped}", [docstring((error.doc,))])
        for error in ordered
    ]
    entries = [
        f"    ({line_literal(error.table)}, {line_literal(error.constraint)}): {error.name},"
        for error in ordered
    ]
    table = "\n".join([f"_BY_CONSTRAINT: Final[Mapping[object, type[{root}]]] = {{", *entries, "}"])
    head = [
        docstring(("Which constraint was violated, as classes to catch.",)),
        "",
        "from collections.abc import Mapping",
        "from typing import Final",
        "",
        *import_lines(imports, frozenset()),
    ]
    find = _FIND.replace("{root}", root).replace("{names}", violations.names)
    return "\n\n\n".join(["\n".join(head), *classes, table, find])
