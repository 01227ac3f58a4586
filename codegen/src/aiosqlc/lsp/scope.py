"""Find the tables of a statement from its tokens, even if the statement is incomplete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from aiosqlc.ir import Catalog, Table, TableColumn
from aiosqlc.parse.scanner import Kind, Token, unquote

TABLES_FOLLOW = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "USING"})
_NO_ALIAS = frozenset(
    {"WHERE", "ON", "SET", "VALUES", "JOIN", "LEFT", "RIGHT", "INNER", "OUTER", "FULL", "CROSS"}
    | {"NATURAL", "USING", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "INTERSECT"}
    | {"EXCEPT", "RETURNING", "FOR", "WINDOW", "FETCH", "SELECT", "DEFAULT", "WHEN", "LATERAL"}
    | {"AND", "OR", "OVERRIDING", "TABLESAMPLE"}
)


class Source(Struct, frozen=True):
    """A table, with the name that a statement uses for the table.

    `table` is None for a WITH query or an unknown table.
    """

    alias: str
    name: str
    table: Table | None
    token: Token


def sources(tokens: Sequence[Token], catalog: Catalog) -> list[Source]:
    """Return the tables that a statement names, in the outer query and in all subqueries."""
    found: list[Source] = []
    listing = False
    position = 0
    while position < len(tokens):
        word = tokens[position].text.upper()
        follows = word in TABLES_FOLLOW or (listing and word == ",")
        position += 1
        if not follows:
            listing = listing and word not in _NO_ALIAS and word not in {"(", ")"}
            continue
        source, position = _source(tokens, position, catalog)
        listing = source is not None and word in {"FROM", "USING", ","}
        found += [source] if source else []
    return found


def _source(tokens: Sequence[Token], at: int, catalog: Catalog) -> tuple[Source | None, int]:
    while at < len(tokens) and tokens[at].text.upper() in {"ONLY", "LATERAL"}:
        at += 1
    if at >= len(tokens) or not _is_name(tokens[at]):
        return None, at
    first = tokens[at]
    schema, name = "", unquote(first)
    at += 1
    if at + 1 < len(tokens) and tokens[at].text == "." and _is_name(tokens[at + 1]):
        schema, name, first = name, unquote(tokens[at + 1]), tokens[at + 1]
        at += 2
    alias = name
    after = at + 1 if at < len(tokens) and tokens[at].text.upper() == "AS" else at
    named = after < len(tokens) and _is_name(tokens[after])
    if named and (after > at or tokens[after].text.upper() not in _NO_ALIAS):
        alias, at = unquote(tokens[after]), after + 1
    return Source(alias, name, table_named(catalog, name, schema), first), at


def _is_name(token: Token) -> bool:
    return token.kind in {Kind.NAME, Kind.QUOTED}


def table_named(catalog: Catalog, name: str, schema: str = "") -> Table | None:
    """Return the table that has this name, preferring the default schema."""
    named = [
        table
        for table in catalog.tables
        if table.name.lower() == name.lower() and schema.lower() in {"", table.schema.lower()}
    ]
    named.sort(key=lambda table: table.schema != catalog.default_schema)
    return named[0] if named else None


def columns_named(
    found: Iterable[Source], name: str, alias: str = ""
) -> Iterator[tuple[Table, TableColumn]]:
    """Yield each column called `name` of the given tables, with its table.

    If `alias` is not empty, search only the table with this alias.
    """
    for source in found:
        if source.table and alias.lower() in {"", source.alias.lower()}:
            for column in source.table.columns:
                if column.name.lower() == name.lower():
                    yield source.table, column
