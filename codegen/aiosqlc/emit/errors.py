"""Prints the exceptions that tell which constraint a statement has violated."""

from __future__ import annotations

from collections.abc import Iterable

from aiosqlc.emit.imports import from_lines
from aiosqlc.emit.literal import docstring, indented, line_literal
from aiosqlc.plan.model import PyError

_UNTYPED = "type: ignore[misc, unused-ignore]"  # where asyncpg is without stubs
_FIND = '''\
def constraint_error(error: PostgresError) -> PostgresError:
    """Return the exception of the violated constraint, with all that the server said of it."""
    table, name = getattr(error, "table_name", None), getattr(error, "constraint_name", None)
    known = _BY_CONSTRAINT.get((table, name))
    if known is None:
        return error
    typed = known(*error.args)
    vars(typed).update(vars(error))
    return typed
'''


def print_errors(errors: Iterable[PyError]) -> str:
    """Return the source of `errors.py`."""
    ordered = sorted(errors, key=lambda error: error.name)
    bases = sorted({error.base for error in ordered} | {"PostgresError"})
    classes = [
        indented(f"class {error.name}({error.base}):  # {_UNTYPED}", [docstring((error.doc,))])
        for error in ordered
    ]
    entries = [
        f"    ({line_literal(error.table)}, {line_literal(error.constraint)}): {error.name},"
        for error in ordered
    ]
    table = "\n".join(
        ["_BY_CONSTRAINT: Final[Mapping[object, type[PostgresError]]] = {", *entries, "}"]
    )
    head = [
        docstring(("Which constraint was violated, as classes to catch.",)),
        "",
        "from collections.abc import Mapping",
        "from typing import Final",
        "",
        *from_lines("asyncpg", bases),
    ]
    return "\n\n\n".join(["\n".join(head), *classes, table, _FIND])
