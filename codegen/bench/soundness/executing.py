"""Execute queries on random data sets, and note what their rows show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from aiosqlc.ir import AnalyzeOptions, SchemaFile, SqlType
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.scratch import Rows, Scratch
from aiosqlc.source import SourceFile, Span
from psycopg import pq

from bench.soundness.model import Query, Suite
from bench.soundness.values import ServerType

DATA_SETS, DRAWS = 24, 4
_MOST = (0, 1, 2, 4, 6)  # rows of a table, by data set
_VALUES, _ROWS = 60, 20  # different values that are kept, rows that are read
# Constants of the grammar, so that its conditions match rows.
_CONSTANTS = ("'lit' 'Lit' 'q' 'n1' 'z' 'object' 'k'",)
_NULL_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Witness:
    """The data set and the arguments of an execution."""

    rows: int
    arguments: tuple[str | None, ...]

    @property
    def nulls(self) -> frozenset[int]:
        """Return which arguments are NULL: a claim may only hold without."""
        return frozenset(n for n, value in enumerate(self.arguments) if value is None)


@dataclass(slots=True)
class ColumnSeen:
    """The NULLs, by the arguments that were NULL, and the different values of one column."""

    type: ServerType
    null: dict[frozenset[int], Witness] = field(default_factory=dict)
    values: dict[str, Witness] = field(default_factory=dict)


@dataclass(slots=True)
class Seen:
    """The rows, columns and errors of the executions of one query.

    `counts` are numbers of rows, 2 for more than one, with an execution for each choice of
    arguments that are NULL. `params` are the types that the server gives to the parameters.
    """

    params: tuple[ServerType, ...] = ()
    columns: list[ColumnSeen] = field(default_factory=list)
    names: tuple[str, ...] = ()
    runs: int = 0
    refusal: str = ""
    counts: dict[tuple[int, frozenset[int]], Witness] = field(default_factory=dict)


def file_of(suite: Suite) -> SchemaFile:
    """Return the schema of a suite as a file of whole statements."""
    text, spans = "", []
    for statement in suite.statements:
        spans.append(Span(len(text), len(text) + len(statement)))
        text += f"{statement};\n"
    return SchemaFile(SourceFile(Path("schema.sql"), text), text, tuple(spans))


@dataclass(frozen=True, slots=True)
class Trial:
    """One text with arguments, as `Rows.run` takes it."""

    sql: str
    values: tuple[str | None, ...]

    @property
    def arguments(self) -> str:
        """Return the arguments for display."""
        return str(self.values)


@contextmanager
def database_of(analyzer: Analyzer, suite: Suite) -> Iterator[Rows]:
    """Yield a database with a suite's schema, for data sets."""
    options = AnalyzeOptions()
    with Scratch(analyzer).rows([file_of(suite)], options, _CONSTANTS, 0) as rows:
        yield rows


@contextmanager
def data_set(rows: Rows, number: int) -> Iterator[None]:
    """Fill a database with the rows of a data set: always the same for one number.

    A transaction is open, in which each execution is undone; at the end the rows are gone.
    """
    with rows.undone():
        rows.random.seed(number)
        rows.fill(_MOST[number % len(_MOST)])
        yield


class Described:
    """The types of a suite's queries, as its server reports them."""

    def __init__(self, rows: Rows, queries: Sequence[Query]) -> None:
        self._types: dict[int, ServerType] = {}
        self.params: dict[str, tuple[int, ...]] = {}
        self.columns: dict[str, tuple[int, ...]] = {}
        self.names: dict[str, tuple[str, ...]] = {}
        self.refused: dict[str, str] = {}
        with psycopg.connect(rows.address, autocommit=True) as connection:
            self._catalog(connection)
            for query in queries:
                self._describe(connection.pgconn, query)

    def _catalog(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        found = connection.execute(
            "select t.oid, t.typname, t.typelem, t.typcategory = 'A', t.typbasetype,"
            " array(select enumlabel::text from pg_enum where enumtypid = t.oid"
            " order by enumsortorder) from pg_type t"
        ).fetchall()
        by_oid = {row[0]: row for row in found}
        for oid, name, element, is_array, base, labels in found:
            while base:  # a domain's values are those of its base
                _, name, element, is_array, base, labels = by_oid[base]
            of = by_oid.get(element) if is_array else None
            inner = ServerType(str(of[1]), None, tuple(of[5])) if of else None  # type: ignore[arg-type]  # rows of the catalog are untyped
            self._types[oid] = ServerType(str(name), inner, tuple(labels))  # type: ignore[index,arg-type]  # as above

    def _describe(self, connection: pq.abc.PGconn, query: Query) -> None:
        made = connection.prepare(b"", query.sql.encode())
        found = connection.describe_prepared(b"")
        if made.status != pq.ExecStatus.COMMAND_OK:
            self.refused[query.name] = made.error_message.decode(errors="replace").split("\n")[0]
            return
        self.params[query.name] = tuple(found.param_type(n) for n in range(found.nparams))
        self.columns[query.name] = tuple(found.ftype(n) for n in range(found.nfields))
        self.names[query.name] = tuple(
            (found.fname(n) or b"").decode() for n in range(found.nfields)
        )

    def types(self, oids: Sequence[int]) -> tuple[ServerType, ...]:
        """Return types by their numbers."""
        return tuple(self._types.get(oid, ServerType("unknown")) for oid in oids)


def execute(
    rows: Rows, suite: Suite, data_sets: int = DATA_SETS, draws: int = DRAWS
) -> dict[str, Seen]:
    """Execute each query of a suite with random arguments on each of `data_sets` data sets."""
    described = Described(rows, suite.queries)
    types = Types(rows.facts)
    prepared = [query for query in suite.queries if query.name not in described.refused]
    kinds = {q.name: [types.get(oid) for oid in described.params[q.name]] for q in prepared}
    seen = {
        q.name: Seen(
            described.types(described.params[q.name]),
            list(map(ColumnSeen, described.types(described.columns[q.name]))),
            described.names[q.name],
        )
        for q in prepared
    }
    for number in range(data_sets):
        sampler = Sampler(number, _CONSTANTS)
        trials = [
            (query, Trial(query.sql, _drawn(sampler, kinds[query.name])))
            for query in prepared
            for _ in range(draws if kinds[query.name] else 1)
        ]
        with data_set(rows, number):
            answers = rows.run([trial for _, trial in trials])
            for (query, trial), answer in zip(trials, answers, strict=True):
                one = seen[query.name]
                if answer.refusal:
                    one.refusal = answer.refusal
                else:
                    _note(one, answer.result, Witness(number, trial.values))
    return seen


def _drawn(sampler: Sampler, kinds: Sequence[SqlType]) -> tuple[str | None, ...]:
    """Return arguments. An array has no NULL inside: a column does not claim whether it has."""
    return tuple(
        None if sampler.chance(_NULL_SHARE) else sampler.value(kind, elements_null=False)
        for kind in kinds
    )


def _note(seen: Seen, result: pq.abc.PGresult, witness: Witness) -> None:
    count, nulls = result.ntuples, witness.nulls
    seen.runs += 1
    seen.counts.setdefault((min(count, 2), nulls), witness)
    for index, column in enumerate(seen.columns):
        for row in range(min(count, _ROWS)):
            value = result.get_value(row, index)
            if value is None:
                column.null.setdefault(nulls, witness)
                continue
            text = value.decode(errors="replace")
            known = column.values.get(text)
            if (known is None and len(column.values) < _VALUES) or (known and nulls < known.nulls):
                column.values[text] = witness


def accepted(rows: Rows, queries: Sequence[Query]) -> set[str]:
    """Return the names of the queries that the server prepares."""
    refused = Described(rows, queries).refused
    return {query.name for query in queries} - refused.keys()
