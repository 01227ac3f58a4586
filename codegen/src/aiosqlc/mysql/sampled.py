"""Find the column types for sample parameter values, by preparing the text with literals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pymysql
from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.ir import SqlType, TypedParam
from aiosqlc.mysql import types
from aiosqlc.mysql.prepare import Described
from aiosqlc.mysql.returning import Prepares


class Casts(Struct, frozen=True):
    """The casts of parameters in a generated SQL text.

    `kinds` are the types of the parameters. Dates and times are cast. For the parameters in
    `nulls`, which may be NULL, texts, integers and bytes are cast too.
    """

    kinds: Mapping[int, SqlType] = field(default_factory=dict)
    nulls: frozenset[int] = frozenset()

    def within(self, sql: str) -> str:
        """Return an SQL text in which the parameters have these casts."""
        return types.with_casts(sql, self.kinds, self.nulls)


class Sampled(Struct, frozen=True):
    """The server's description of the columns for sample values, and the casts in the text."""

    columns: tuple[Described, ...]
    casts: Casts = field(default_factory=Casts)

    @property
    def values(self) -> list[str]:
        """Return, for each column, the type of value that the driver returns."""
        return [types.value_of(types.returned(column)) for column in self.columns]


def sampled(
    prepares: Prepares, sql: str, params: Sequence[TypedParam], first: tuple[Described, ...]
) -> Sampled:
    """Describe the columns again, with sample values in place of the parameters.

    A server treats `n + ?` as a floating-point number. The types come from the new description, and
    the not-null flags from `first`, the description with parameters. A time is sent as text, and
    None as NULL. If the sample values change the type of a column, the parameters are cast.
    """
    kinds = {param.number: param.type for param in params if not param.is_slice}
    nulls = frozenset(p.number for p in params if not p.not_null and not p.is_slice)

    def ask(casts: Casts, absent: frozenset[int] = frozenset()) -> Sampled | None:
        text = types.with_samples(casts.within(sql), kinds, absent)
        columns = _described(prepares, text, first)
        return Sampled(columns, casts) if columns is not None else None

    chosen = ask(Casts())
    if chosen is None:
        return Sampled(first)
    meant = ask(Casts(kinds))
    if meant is not None and meant.values != chosen.values:
        chosen = meant
    if not nulls:
        return chosen
    absent = ask(chosen.casts, nulls)
    if absent is None or absent.values == chosen.values:
        return chosen
    everything = Casts(kinds, nulls)
    there, absent = ask(everything), ask(everything, nulls)
    steady = there is not None and absent is not None and there.values == absent.values
    return there if there is not None and steady else chosen


def _described(
    prepares: Prepares, sql: str, first: Sequence[Described]
) -> tuple[Described, ...] | None:
    """Describe the result columns of `sql`, in which sample values replace the parameters.

    The names and the NOT NULL flags come from `first`.

    Return None if the server refuses the query or returns another number of columns.
    """
    try:
        again = prepares.query(sql).columns
    except pymysql.MySQLError:
        return None
    if len(again) != len(first):
        return None
    return tuple(
        replace(sample, flags=(sample.flags & ~1) | (before.flags & 1), name=before.name)
        for before, sample in zip(first, again, strict=True)
    )
