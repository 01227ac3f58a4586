"""The privileges that queries need, and GRANT statements for exactly those privileges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

# The usual order in which people list privileges.
_ORDER: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "MAINTAIN", "USAGE", "EXECUTE")
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")


class Right(Struct, frozen=True):
    """A privilege on some columns of a table, or on the whole object if `columns` is None.

    `kind` is the keyword of GRANT: TABLE, SEQUENCE, FUNCTION, PROCEDURE or SCHEMA. `schema` is
    empty if names are resolved without a schema. `arguments` distinguish functions with the same
    name.
    """

    privilege: str
    kind: str
    schema: str
    name: str
    columns: frozenset[str] | None = None
    arguments: str = ""


class Needs(Struct, frozen=True):
    """The privileges that queries need.

    `unknown` has the reasons why the queries may need further privileges. `reserved` are the
    keywords that need quotes as identifiers. `fired` are the functions of triggers that run.
    """

    rights: frozenset[Right] = frozenset()
    unknown: tuple[str, ...] = ()
    reserved: frozenset[str] = frozenset()
    fired: frozenset[str] = frozenset()


def statements(
    rights: Iterable[Right], role: str, quote: Callable[[str], str], *, columns: bool = True
) -> list[str]:
    """Return a GRANT for each object, in a fixed order and without semicolons.

    `quote` quotes an identifier. If `columns` is false, privileges on columns become privileges on
    the whole table.
    """
    things: dict[tuple[str, str, str, str], dict[str, frozenset[str] | None]] = {}
    for right in rights:
        thing = (right.kind, right.schema, right.name, right.arguments)
        given = things.setdefault(thing, {})
        before = given.get(right.privilege, frozenset())
        wanted = right.columns if columns else None
        given[right.privilege] = None if before is None or wanted is None else before | wanted
    return [
        f"GRANT {_privileges(given, quote)} ON {_thing(thing, quote)} TO {quote(role)}"
        for thing, given in sorted(
            things.items(), key=lambda item: (item[0][0] != "SCHEMA", item[0])
        )
    ]


def plain_or(mark: str, reserved: frozenset[str]) -> Callable[[str], str]:
    """Return a function that puts an identifier between `mark` characters if it needs quotes.

    If the reserved words are unknown, every identifier is quoted.
    """

    def write(name: str) -> str:
        if reserved and _PLAIN.fullmatch(name) and name not in reserved:
            return name
        return mark + name.replace(mark, mark * 2) + mark

    return write


def _privileges(given: dict[str, frozenset[str] | None], quote: Callable[[str], str]) -> str:
    parts = []
    for privilege in sorted(given, key=_ORDER.index):
        names = given[privilege]
        shown = "" if names is None else f" ({', '.join(quote(name) for name in sorted(names))})"
        parts.append(privilege + shown)
    return ", ".join(parts)


def _thing(thing: tuple[str, str, str, str], quote: Callable[[str], str]) -> str:
    kind, schema, name, arguments = thing
    full = f"{quote(schema)}.{quote(name)}" if schema else quote(name)
    if kind in ("FUNCTION", "PROCEDURE"):
        return f"{kind} {full}({arguments})"
    return full if kind == "TABLE" else f"{kind} {full}"
