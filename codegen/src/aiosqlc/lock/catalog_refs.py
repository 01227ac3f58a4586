"""Abbreviate columns, parameters and constraints as references to catalog objects.

A value is abbreviated only if expanding the short form returns exactly the same value:

    "team.*"            every column of `team`, as the table declares them
    "t=team.name"       a result column of `team`, whose alias in the query is `t`
    "t=team.name? who"  the same, called `who`; `?` may be NULL, `!` is never, unlike in the table
    "id team.id"        a parameter compared with `team.id`; `id?` may be None, `id#` has no name
    "team 0-3,7"        constraints of `team`, by their indexes in the catalog; "team" is all
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from msgspec.structs import replace

from aiosqlc.ir import (
    Catalog,
    Column,
    ColumnRef,
    Constraint,
    Table,
    TableColumn,
    TypedParam,
)
from aiosqlc.lock.packing import UnpackError, stored_fields
from aiosqlc.store.memo import memo_by

_WORD = r"[A-Za-z_][\w$]*"
_COLUMN = re.compile(
    rf"(?:({_WORD})=)?((?:{_WORD}\.)?{_WORD})\.({_WORD}|\*)([?!]?)(?: ({_WORD}))?", re.ASCII
)
_PARAM = re.compile(rf"({_WORD})(\??)(#?) ((?:{_WORD}\.)?{_WORD})\.({_WORD})", re.ASCII)
_PLAIN = re.compile(_WORD, re.ASCII)
_SHORTEST = 2  # fewest columns that are abbreviated as `*`


class Shorthand:
    """Abbreviates references to the objects of one catalog, and expands them."""

    def __init__(self, catalog: Catalog) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._tables: dict[str, Table] = {}
        self._columns: dict[str, dict[str, TableColumn]] = {}
        # The values that short forms expand to.
        self._expansions: dict[str, list[tuple[object, ...]]] = {}
        # The same for parameters, () for an invalid short form.
        self._met: dict[str, tuple[object, ...]] = {}
        for table in catalog.tables:
            if not (_PLAIN.fullmatch(table.schema or "_") and _PLAIN.fullmatch(table.name)):
                continue  # a name with a dot may be ambiguous
            name = table.name
            if table.schema != catalog.default_schema:
                name = f"{table.schema}.{name}"
            self._names[table.schema, table.name] = name
            self._tables[name] = table
            self._columns[name] = {column.name: column for column in table.columns}

    # --- result columns -----------------------------------------------------------------------

    def columns(self, columns: Sequence[Column]) -> list[str | Column]:
        """Abbreviate result columns. A column that cannot be abbreviated stays unchanged."""
        found: list[str | Column] = []
        position = 0
        while position < len(columns):
            whole = self._whole(columns, position)
            if whole:
                found.append(whole[0])
                position += whole[1]
                continue
            found.append(self._column(columns[position]) or columns[position])
            position += 1
        return found

    def _whole(self, columns: Sequence[Column], position: int) -> tuple[str, int] | None:
        """If all columns of a table follow at `position`, return `table.*` and their number."""
        first = columns[position]
        table = self._named(first.origin)
        held = self._tables[table].columns if table else ()
        if len(held) < _SHORTEST or first.name != held[0].name:
            return None
        text = f"{_alias(first, self._tables[table])}{table}.*"
        run = columns[position : position + len(held)]
        return (text, len(held)) if self._reads_as(text, run) else None

    def _column(self, column: Column) -> str:
        table = self._named(column.origin)
        held = self._columns[table].get(column.origin.column) if table and column.origin else None
        if held is None:
            return ""
        suffix = "" if column.not_null == held.not_null else "!" if column.not_null else "?"
        text = f"{_alias(column, self._tables[table])}{table}.{held.name}{suffix}"
        if column.name != held.name:
            text += f" {column.name}"
        return text if self._reads_as(text, [column]) else ""

    def _reads_as(self, text: str, columns: Sequence[Column]) -> bool:
        """Return whether an abbreviation expands to columns equal to the given ones."""
        expansion = self._expansions.get(text)
        if expansion is None:
            try:
                read = self.read_column(text)
            except UnpackError:  # `a."b.c"` would read as a column of `a.b`
                read = []
            expansion = self._expansions[text] = [_said(column) for column in read]
        return expansion == [_said(column) for column in columns]

    def read_column(self, text: str) -> list[Column]:
        """Expand an abbreviation to its columns. Raises `UnpackError`."""
        parts = _COLUMN.fullmatch(text)
        table = self._tables.get(parts[2]) if parts else None
        if parts is None or table is None:
            raise UnpackError(text)
        alias = parts[1] or table.name
        if parts[3] == "*":
            return [_of(table, alias, column) for column in table.columns]
        column = self._columns[parts[2]].get(parts[3])
        if column is None:
            raise UnpackError(text)
        found = _of(table, alias, column)
        not_null = {"": found.not_null, "?": False, "!": True}[parts[4]]
        return [replace(found, name=parts[5] or found.name, not_null=not_null)]

    # --- parameters ---------------------------------------------------------------------------

    def params(self, params: Sequence[TypedParam]) -> list[str | TypedParam]:
        """Abbreviate parameters. A parameter that cannot be abbreviated stays unchanged."""
        return [self._param(param, number) or param for number, param in enumerate(params, 1)]

    def _param(self, param: TypedParam, number: int) -> str:
        table = self._named(param.origin)
        if not table or param.origin is None:
            return ""
        suffix = ("" if param.not_null else "?") + ("" if param.is_named else "#")
        text = f"{param.name}{suffix} {table}.{param.origin.column}"
        met = self._met.get(text)
        if met is None:
            try:
                met = _meets(self.read_param(text, number))
            except UnpackError:
                met = ()
            self._met[text] = met
        return text if param.number == number and _meets(param) == met else ""

    def read_param(self, text: str, number: int) -> TypedParam:
        """Expand an abbreviation to its parameter. Raises `UnpackError`."""
        parts = _PARAM.fullmatch(text)
        table = self._tables.get(parts[4]) if parts else None
        column = self._columns[parts[4]].get(parts[5]) if parts and table else None
        if parts is None or table is None or column is None:
            raise UnpackError(text)
        return TypedParam(
            number,
            parts[1],
            column.type,
            not parts[2],
            origin=ColumnRef(table.schema, table.name, column.name),
            is_named=not parts[3],
        )

    # --- constraints --------------------------------------------------------------------------

    def constraints(self, constraints: Sequence[Constraint]) -> list[str | Constraint]:
        """Abbreviate constraints to their table's name and their positions in its constraints.

        Other constraints are unchanged.
        """
        found: list[str | Constraint] = []
        for key, group in groupby(constraints, key=lambda item: (item.schema, item.table)):
            members = list(group)
            name = self._names.get(key, "")
            held = self._tables[name].constraints if name else ()
            places = [held.index(item) for item in members if item in held]
            if len(places) < len(members) or " " in name:
                found += members
            elif places == list(range(len(held))):
                found.append(name)
            else:
                found.append(f"{name} {','.join(_ranges(places))}")
        return found

    def read_constraints(self, text: str) -> list[Constraint]:
        """Expand an abbreviation to its constraints. Raises `UnpackError`."""
        name, _, places = text.partition(" ")
        table = self._tables.get(name)
        if table is None:
            raise UnpackError(text)
        if not places:
            return list(table.constraints)
        found: list[Constraint] = []
        try:
            for part in places.split(","):
                first, _, last = part.partition("-")
                run = range(int(first), int(last or first) + 1)
                found += [table.constraints[place] for place in run]
        except (IndexError, ValueError) as error:
            raise UnpackError(text) from error
        return found

    def _named(self, origin: ColumnRef | None) -> str:
        return self._names.get((origin.schema, origin.table), "") if origin else ""


@memo_by(lambda catalog: catalog.digest)
def shorthand(catalog: Catalog) -> Shorthand:
    """Return the object that abbreviates references to a catalog."""
    return Shorthand(catalog)


def changed(text: str, written: str) -> list[int | str]:
    """Return the lengths of two texts' common prefix and suffix, and the rest of `text`."""
    most = min(len(text), len(written))
    front = next((n for n in range(most) if text[n] != written[n]), most)
    most -= front
    back = next((n for n in range(most) if text[-1 - n] != written[-1 - n]), most)
    return [front, back, text[front : len(text) - back]]


def unchanged(stored: object, written: str) -> str:
    """Restore a text from `written` (a similar text) and from the result of `changed`.

    Raises `UnpackError`.
    """
    match stored:
        case [int(front), int(back), str(middle)] if front >= 0 and 0 <= back <= len(written):
            return written[:front] + middle + written[len(written) - back :]
    raise UnpackError(stored)


_said = attrgetter(*(item.name for item in stored_fields(Column)))
_meets = attrgetter(*(item.name for item in stored_fields(TypedParam) if item.name != "number"))


def _of(table: Table, alias: str, column: TableColumn) -> Column:
    return Column(
        column.name,
        column.type,
        column.not_null,
        column.element_not_null,
        ColumnRef(table.schema, table.name, column.name),
        alias,
    )


def _alias(column: Column, table: Table) -> str:
    return "" if column.table_alias == table.name else f"{column.table_alias}="


def _ranges(places: Sequence[int]) -> Iterator[str]:
    """Yield `3` or `3-7` for each run of consecutive numbers."""
    start = 0
    for end in range(1, len(places) + 1):
        if end == len(places) or places[end] != places[end - 1] + 1:
            first, last = places[start], places[end - 1]
            yield str(first) if first == last else f"{first}-{last}"
            start = end
