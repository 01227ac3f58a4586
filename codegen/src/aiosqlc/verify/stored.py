"""Compare the JSON values of a live database with their declared structures."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from aiosqlc.analysis.stored import column_of, misfit
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.engines import Engine
from aiosqlc.ir import Analysis, Catalog, ColumnRef, JsonShape, StoredJson
from aiosqlc.servers.private import RefusedError

MOST = 1000
"""The maximum number of rows that are read for each column."""
_SHOWN = 5


class Sampled(Struct, frozen=True):
    """The result of reading rows of a JSON column with a declared structure.

    `rows` is the number of rows. `misfits` has each reason for which rows do not have the declared
    structure, with the keys of these rows. `unread` is the reason why the server does not return
    the column, or '' if it does.
    """

    name: str
    place: Label
    rows: int = 0
    misfits: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unread: str = ""

    @property
    def fits(self) -> bool:
        """Return whether the column was read, and every row has the declared structure."""
        return not (self.misfits or self.unread)

    @property
    def problems(self) -> Iterator[Diagnostic]:
        """Yield an error for each reason why rows do not have the declared structure."""
        if self.unread:
            hint = "run the pending migrations on this database, or grant SELECT on the table"
            yield Diagnostic("E376", self.unread, (self.place,), hint)
        for reason, rows in self.misfits:
            more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
            shown = "; ".join(rows[:_SHOWN])
            yield Diagnostic(
                "E376",
                f"{len(rows)} of {self.rows} rows of `{self.name}` do not have the declared"
                f" structure: {reason} ({shown}{more})",
                (self.place,),
                "correct the rows or the declaration: reading such a row raises an error",
            )


def sampled(
    engine: Engine,
    uri: str,
    declarations: Sequence[StoredJson],
    analysis: Analysis,
    most: int = MOST,
) -> Iterator[Sampled]:
    """Read some rows of each column with a declared structure, and compare their JSON.

    Raises:
        NoServerError: if the database cannot be reached.
    """
    shapes = dict(analysis.stored)
    for item in declarations:
        at = column_of(item, analysis.catalog)
        if isinstance(at, Diagnostic) or at not in shapes:
            continue
        key = _key(analysis.catalog, at)
        found: dict[tuple[str, ...], str] = {}
        name, place = f"{at.table}.{at.column}", Label(item.file, item.span, "declared here")
        try:
            for values, document in engine.stored_rows(uri, at, key, most):
                found[values or (str(len(found)),)] = document
        except RefusedError as error:
            yield Sampled(name, place, unread=str(error))
            continue
        yield Sampled(name, place, len(found), _misfits(shapes[at], key, found))


def _misfits(
    shape: JsonShape, key: tuple[str, ...], found: dict[tuple[str, ...], str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    wrong: defaultdict[str, list[str]] = defaultdict(list)
    for values, document in found.items():
        if reason := misfit(json.loads(document), shape):
            named = ", ".join(f"{name} {value}" for name, value in zip(key, values, strict=False))
            wrong[reason].append(named or "a row of a table without a primary key")
    return tuple((reason, tuple(rows)) for reason, rows in wrong.items())


def _key(catalog: Catalog, at: ColumnRef) -> tuple[str, ...]:
    """Return the columns of the table's primary key, if it has one."""
    name = (at.schema, at.table)
    tables = (table for table in catalog.tables if (table.schema, table.name) == name)
    found = (item for table in tables for item in table.constraints if item.kind == "primary")
    return next((item.columns for item in found), ())
