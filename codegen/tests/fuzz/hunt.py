"""Run the search: claims from `analyze`, rows from the server, and the contradictions."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from aiosqlc.ir import (
    AnalyzeOptions,
    Cardinality,
    ParsedQuery,
    TypedQuery,
)
from aiosqlc.postgres import analyze
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError
from aiosqlc.servers.postgres.embedded import Server, embedded_server
from aiosqlc.source import Dialect
from psycopg import pq
from psycopg.pq.abc import PGresult

from tests.fuzz.beside import ROLE, make_role, saved, writing
from tests.fuzz.optional import (
    Text,
    absent,
    as_promised,
    is_dynamic,
    parsed,
    texts_of,
)
from tests.fuzz.queries import Generator
from tests.fuzz.schemas import Schema, make_schema, random_rows
from tests.proofs.judge import file_of, has_null_inside
from tests.proofs.judge import parsed as plain

_PARAMS = {
    "int": ["0", "1", "2", "3", "5", "-1"],
    "text": ["lit", "q", "", "object"],
    "bool": ["t", "f"],
    "num": ["0", "1.0", "2.50", "NaN", "Infinity"],
    "list": ["{}", "{1,2}", "{3}"],
}
_OPTIONS = AnalyzeOptions(not_null_functions=("sure",))
_BATCH, _ROUNDS = 250, 10
# Rounds in one transaction, by whom row security applies to, and with somebody else writing.
_IN_TRANSACTION, _AS_ROLE, _BESIDE_A_WRITER = (2, 6), 3, 5
# A column counts as never NULL if it was not in so many rows, of so many fillings of the tables.
_NULLS = (0.5, 1.0, 0.1, 0.9)
_EVIDENCE, _CLOSER_ROUNDS = 10, 40
# What a reason says of this query alone: its names and numbers.
_OWN = re.compile(r"\$?\b\d+|[\w* ]+\.\w+|the body of \w+")
_RULE = re.compile(r"\[([\w-]+)\]$")
_ROWS = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


@dataclass
class Tally:
    """The results of a search. `false` lists the claims that rows disproved."""

    executions: int = 0
    closer: int = 0
    queries: int = 0
    rejected: int = 0
    failed: int = 0
    columns: int = 0
    claimed: int = 0
    never_null: int = 0
    single_claimed: int = 0
    never_many: int = 0
    some_claimed: int = 0
    never_empty: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    fired: Counter[str] = field(default_factory=Counter)
    contexts: dict[str, set[str]] = field(default_factory=dict)
    false: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Return the share of the columns without NULL that were proved not null."""
        return self.claimed / self.never_null if self.never_null else 1.0

    def causes(self, most: int = 40) -> str:
        """Return why columns without NULL were not proved, the most frequent reason first."""
        return "\n".join(
            f"{count:8}  {cause}\n" + "\n".join(f"{'':10}{e}" for e in self.examples[cause][:3])
            for cause, count in self.lost.most_common(most)
        )

    def report(self) -> str:
        """Return a summary in a few lines."""
        seen = f"{self.executions} executions of {self.queries} statements"
        lost = f"{self.rejected} rejected by the server, {self.failed} executions failed"
        claims = f"{self.claimed} of {self.columns} columns claimed"
        single = f"{self.single_claimed} claimed, {self.never_many} never seen many"
        some = f"{self.some_claimed} claimed, {self.never_empty} never seen empty"
        lines = [
            f"{seen} ({lost})",
            f"not null: {claims}, {self.never_null} never seen NULL, recall {self.recall:.1%}",
            f"at most one row: {single}",
            f"at least one row: {some}",
            f"FALSE CLAIMS: {len(self.false)}",
        ]
        if self.crashed:
            lines.append(f"statements that crash this PostgreSQL: {len(self.crashed)}")
            lines += self.crashed[:3]
        return "\n".join([*lines, *self.false[:10]])


@dataclass
class _Watched:
    query: TypedQuery
    params: list[str]
    texts: tuple[Text, ...]
    nulls: set[int] = field(default_factory=set)
    many: bool = False
    empty: bool = False
    runs: int = 0
    crashes: bool = False
    rows: int = 0

    @property
    def open(self) -> bool:
        """Return whether more rows may help: a column may still be NULL, or there were few rows."""
        return self.rows < _EVIDENCE or any(
            index not in self.nulls and not column.not_null
            for index, column in enumerate(self.query.columns)
        )


def hunt(
    executions: int,
    seed: int,
    *,
    select_only: bool = False,
    closer: bool = False,
    first_only: bool = False,
    fillings: int = _ROUNDS,
) -> Tally:
    """Execute about this many random statements and compare the rows with the claims.

    Each is executed on this number of data sets.

    `closer` executes statements again on many more data sets, as long as one of their columns was
    neither proved nor NULL. A column that is never NULL then can hardly be NULL at all.
    `first_only` ends with the first schema that has a false claim.
    """
    tally = Tally()
    with embedded_server() as server:
        number = 0
        while tally.executions < executions and not (first_only and tally.false):
            with _Database(server, f"hunt_{seed % 1000000}_{number}") as database:
                rounds = range(fillings)
                watched = _one_schema(
                    database, tally, seed + number, executions, rounds, select_only=select_only
                )
                if closer:
                    _look_closer(database, make_schema(seed + number), watched, seed, tally)
            for one in watched:
                _count(one, tally)
            number += 1
    return tally


class _Database:
    """A test database; if a statement crashes the server, it connects again."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name

    def __enter__(self) -> Self:
        self._admin(f"create database {self.name} template template0")
        self._admin(make_role())
        self.connect()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.connection.close()
        self._admin(f"drop database if exists {self.name} with (force)")

    def connect(self) -> None:
        """Connect, and wait for a server that is recovering."""
        deadline = time.monotonic() + 30
        while True:
            try:
                self.connection = Connection(self.server.conninfo(self.name))
            except ConnectionFailedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                break
        self.connection.run("set statement_timeout = '2s'")
        self.connection.run("set timezone = 'Europe/Berlin'")

    def _admin(self, sql: str) -> None:
        with Connection(self.server.admin) as admin:
            admin.run(sql)


def _one_schema(
    database: _Database,
    tally: Tally,
    seed: int,
    executions: int,
    rounds: range,
    *,
    select_only: bool,
) -> list[_Watched]:
    schema = make_schema(seed)
    statements = [s for s in schema.statements if database.connection.run(s) is None]
    database.connection.run(f"grant all on all tables in schema public to {ROLE}")
    generators = [Generator(schema, seed * 100_003 + n) for n in range(_BATCH)]
    texts = [g.make(select_only=select_only) for g in generators]
    analysis, _ = analyze([file_of(statements)], list(_parsed(texts)), _OPTIONS)
    by_name = {f"Q{n}": g.params for n, g in enumerate(generators)}
    watched = [
        _Watched(as_promised(q, analysis.catalog), by_name[q.parsed.name], tuple(texts_of(q)))
        for q in analysis.queries
    ]
    tally.queries += len(watched)
    tally.rejected += _BATCH - len(watched)
    r = random.Random(seed)
    for turn in (number % _ROUNDS for number in rounds):
        if turn in _IN_TRANSACTION:
            _in_transaction(database, schema, watched, r, tally)
        else:
            fill(database.connection.run, schema, r)
            if turn == _AS_ROLE:
                database.connection.run(f"set role {ROLE}")
                _execute_each(database, watched, r, tally)
                database.connection.run("reset role")
            elif turn == _BESIDE_A_WRITER:
                with writing(database.server.conninfo(database.name), schema, seed):
                    _execute_each(database, watched, r, tally)
            else:
                _execute_each(database, watched, r, tally)
        if tally.executions >= executions:
            break
    return watched


def _in_transaction(
    database: _Database, schema: Schema, watched: list[_Watched], r: random.Random, tally: Tally
) -> None:
    """Fill the tables and execute all in one transaction, in which no deferred key is checked."""
    connection = database.connection
    connection.run("begin")
    fill(saved(connection), schema, r)
    _execute_each(database, watched, r, tally, around=("savepoint before", "rollback to before"))
    connection.run("rollback")


def _look_closer(
    database: _Database, schema: Schema, watched: list[_Watched], seed: int, tally: Tally
) -> None:
    """Execute open statements on fuller tables and empty tables, with many NULLs and with few."""
    r = random.Random(seed)
    seen = tally.executions, tally.failed
    database.connection.run("set statement_timeout = '50ms'")
    for turn in range(_CLOSER_ROUNDS):
        fill(database.connection.run, schema, r, counts=(0, 1, 8, 8), nulls=_NULLS[turn % 4])
        _execute_each(database, [one for one in watched if one.open], r, tally)
    tally.closer += tally.executions - seen[0]
    tally.executions, tally.failed = seen


def _execute_each(
    database: _Database,
    watched: list[_Watched],
    r: random.Random,
    tally: Tally,
    around: tuple[str, str] | None = None,
) -> None:
    for one in watched:
        if one.crashes:
            continue
        try:
            for text in one.texts:
                _execute(database.connection, one, text, r, tally, around)
        except ConnectionFailedError:  # the server's own bug, and no word on our claims
            one.crashes = True
            tally.crashed.append(one.query.sql)
            database.connect()


def _parsed(texts: list[str]) -> Iterable[ParsedQuery]:
    for number, text in enumerate(texts):
        if is_dynamic(text):
            query = parsed(text, f"Q{number}", Dialect.POSTGRESQL)
            if query is not None:
                yield query
        else:
            yield plain(text, f"Q{number}")


def fill(
    run: Callable[[str], object],
    schema: Schema,
    r: random.Random,
    *,
    counts: Sequence[int] = (0, 1, 1, 3, 6),
    nulls: float = 0.5,
) -> None:
    """Replace the rows of every table, with one of these numbers of rows and a share of NULLs."""
    for relation in schema.relations:
        if relation.filled and relation.writable:
            run(f"delete from {relation.name}")
    for relation in schema.relations:
        if relation.filled and relation.writable:
            for statement in random_rows(r, relation, r.choice(counts), nulls):
                run(statement)


def _execute(
    connection: Connection,
    one: _Watched,
    text: Text,
    r: random.Random,
    tally: Tally,
    around: tuple[str, str] | None,
) -> None:
    """Run a text of a statement and check its rows; its writes are rolled back.

    `around` begins and undoes the text if the text is not its own transaction.
    """
    values: list[str | None] = []
    optional = {p.number for p in one.query.params if not p.not_null} - text.given
    for number in text.numbers:
        null = number in optional and r.random() < 0.4
        values.append(None if null else r.choice(_PARAMS[one.params[number - 1]]))
    if around is None and not one.query.read_only:
        around = ("begin", "rollback")
    if around:
        connection.run(around[0])
    result = connection.execute(text.sql, values or None)
    if around:
        connection.run(around[1])
    if result.status not in _ROWS:
        tally.failed += 1
        return
    tally.executions += 1
    one.runs += 1
    count = result.ntuples
    one.rows += count
    one.many |= count > 1
    one.empty |= count == 0
    if count > 1 and one.query.cardinality.at_most_one:
        tally.false.append(f"MANY {one.query.cardinality_reasons} {text.sql}")
    if count == 0 and one.query.cardinality in {Cardinality.ONE, Cardinality.SOME}:
        tally.false.append(f"EMPTY {text.sql}")
    _look(one, text, [_row(result, number) for number in range(count)], tally)


def _row(result: PGresult, number: int) -> list[bytes | None]:
    return [result.get_value(number, index) for index in range(result.nfields)]


def _look(one: _Watched, text: Text, rows: list[list[bytes | None]], tally: Tally) -> None:
    """Compare rows with the claims about their columns."""
    for row in rows:
        missing = absent(one.query, row)
        if any(row[index] is not None for index in missing):
            tally.false.append(f"LOST {one.query.embeds} {text.sql}")
        for index, column in enumerate(one.query.columns):
            value = row[index]
            if value is None and index not in missing:
                one.nulls.add(index)
                if column.not_null:
                    tally.false.append(f"NULL in {column.name} {column.reasons} {text.sql}")
            elif value is not None and column.element_not_null and has_null_inside(value):
                tally.false.append(f"NULL element in {column.name} {text.sql}")


def _note_rules(one: _Watched, tally: Tally) -> None:
    """Count the executions that used a rule, and the chains of rules that it was part of."""
    proofs = [c.reasons for c in one.query.columns if c.not_null or c.element_not_null]
    if one.query.columns and one.query.cardinality in {Cardinality.ONE, Cardinality.SOME}:
        proofs.append(("some row [some-row]",))
    for reasons in (*proofs, one.query.cardinality_reasons):
        chain = [name for reason in reasons for name in _RULE.findall(reason)]
        if "column-constraint" in chain:  # which is of a column that nothing leaves out
            chain.append("column")
        for name in set(chain):
            tally.fired[name] += one.runs
            tally.contexts.setdefault(name, set()).add(" ".join(chain))


def _count(one: _Watched, tally: Tally) -> None:
    if not one.runs:
        return
    _note_rules(one, tally)
    if one.rows >= _EVIDENCE:
        _count_columns(one, tally)
    if one.query.columns:
        tally.single_claimed += one.query.cardinality.at_most_one
        tally.never_many += not one.many
        tally.some_claimed += one.query.cardinality in {Cardinality.ONE, Cardinality.SOME}
        tally.never_empty += not one.empty


def _count_columns(one: _Watched, tally: Tally) -> None:
    tally.columns += len(one.query.columns)
    for index, column in enumerate(one.query.columns):
        if index not in one.nulls and not column.not_null:
            cause = _OWN.sub("…", column.reasons[0])
            tally.lost[cause] += 1
            tally.examples.setdefault(cause, []).append(f"{column.name}: {one.query.sql}")
    tally.claimed += sum(c.not_null for c in one.query.columns)
    tally.never_null += len(one.query.columns) - len(one.nulls)
