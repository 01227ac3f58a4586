"""Run a query once on existing rows with random arguments, and roll back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from psycopg import pq

from aiosqlc.analysis.bulk import is_spread
from aiosqlc.ir import TypedParam, TypedQuery
from aiosqlc.messages.rows import show_row
from aiosqlc.postgres.catalog.rows import Attribute
from aiosqlc.postgres.population import Population, answered, undone
from aiosqlc.servers.postgres.connection import Connection, server_error

_BULK_ROWS = 3
_NUMBERS = {
    20: "int8",
    21: "int2",
    23: "int4",
    26: "oid",
    700: "float4",
    701: "float8",
    1700: "numeric",
}


class Trial(Struct):
    """One text of a query with its arguments, which can be run repeatedly on different rows.

    `refusal` is the server's error in the last run, or '' if the run succeeded.
    """

    sql: str
    values: tuple[str | None, ...]
    params: tuple[TypedParam, ...]
    refusal: str = ""

    def run(self, population: Population) -> pq.abc.PGresult | None:
        """Run the query and roll back; return the response, or None if the server refuses it."""
        (result,) = run_all([self], population.connection)
        return result

    @property
    def arguments(self) -> str:
        """Return the arguments in readable form: `id = 2`."""
        return show_row(
            [(p.name, p.type.name in _NUMBERS.values()) for p in self.params], self.values
        )


def run_all(trials: Sequence[Trial], connection: Connection) -> Iterator[pq.abc.PGresult | None]:
    """Run queries on the same data, and yield each response, or None if the server refuses it."""
    answers = undone(connection, [(trial.sql, trial.values) for trial in trials])
    for trial, result in zip(trials, answers, strict=True):
        trial.refusal = "" if answered(result) else server_error(result).message
        yield result if answered(result) else None


def draw(query: TypedQuery, population: Population) -> Trial:
    """Choose one text of a query, and random arguments of its parameters' types."""
    sampler = population.sampler
    sql, numbers = query.sql, tuple(param.number for param in query.params)
    if query.variants and sampler.chance(0.7):
        variant = sampler.random.choice(query.variants)
        sql, numbers = variant.sql, variant.numbers
    by_number = {param.number: param for param in query.params}
    params = tuple(by_number[number] for number in numbers)
    if is_spread(query):
        rows = sampler.random.randrange(1, _BULK_ROWS + 1)
        columns = ([_argument(param, population) for _ in range(rows)] for param in params)
        return Trial(sql, tuple(map(_array, columns)), params)
    return Trial(sql, tuple(_argument(param, population) for param in params), params)


def _array(values: Sequence[str | None]) -> str:
    return f"{{{', '.join('NULL' if value is None else _quoted(value) for value in values)}}}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _argument(param: TypedParam, population: Population) -> str | None:
    sampler = population.sampler
    if not param.not_null and sampler.chance(0.4):
        return None
    held = _held(param, population)
    if held and sampler.chance(0.6):
        value = sampler.random.choice(held)
        return _array([value]) if param.is_slice else value
    return sampler.value(param.type, elements_null=not param.element_not_null)


def _held(param: TypedParam, population: Population) -> list[str]:
    """Return the stored values of the column with which a parameter is compared."""
    origin = param.origin
    if origin is None or (param.type.array_dims and not param.is_slice):
        return []
    facts = population.facts
    for table in population.order:
        relation = facts.relations[table]
        if (relation.schema, relation.name) == (origin.schema, origin.table):
            names = {a.name: a.number for a in facts.columns.get(table, ())}
            return population.values(table, names.get(origin.column, 0))
    return []


def nulls_in(result: pq.abc.PGresult, index: int) -> int | None:
    """Return the index of the first row in which a column is NULL, or None."""
    return next((r for r in range(result.ntuples) if result.get_value(r, index) is None), None)


def row_of(result: pq.abc.PGresult, row: int) -> str:
    """Format a row of a result."""
    cells = [result.get_value(row, index) for index in range(result.nfields)]
    heads = [
        ((result.fname(index) or b"").decode(), result.ftype(index) in _NUMBERS)
        for index in range(result.nfields)
    ]
    return show_row(heads, [None if cell is None else cell.decode() for cell in cells])


def table_row(columns: Sequence[Attribute], cells: Sequence[str | None]) -> str:
    """Format a row of a table."""
    return show_row([(column.name, column.type in _NUMBERS) for column in columns], cells)
