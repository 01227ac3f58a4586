"""Search for a row that disproves a user's NOT NULL hint (`!`); a disproved hint is an error.

The compiler does not prove a hint, because the user declares it. So the hint is tested on rows that
the server accepts with every constraint and trigger enabled. A counterexample is therefore possible
in practice.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable, Iterator

from msgspec import Struct

from aiosqlc.analysis.hints import with_hints
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Hint, TypedQuery
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.population import Population, quoted
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.tree import unwrap
from aiosqlc.postgres.trial import Trial, draw, nulls_in, row_of, table_row
from aiosqlc.servers.postgres.connection import Connection

_ROUNDS = 12
_TRIALS = 10  # per round
_SURE = 4  # rounds that run even on a busy machine, so that results do not depend on its speed
# Seconds per query: for all rounds, and for the first `_SURE` rounds.
_LONGEST, _AT_WORST = 0.5, 3.0
_ROWS = 4
_MOST_ROWS = 40  # most rows of a table that are reduced to a minimum
_MOST_SHOWN = 6  # most rows of each table in a finding
_RELATION = re.compile(r":relid (\d+)")
_PARAM = "param:"


class Hinted(Struct, frozen=True):
    """A query with unproved NOT NULL hints (`!`), and the relations that the query reads."""

    query: TypedQuery
    hints: tuple[Hint, ...]
    relations: frozenset[int]


def hinted(query: TypedQuery, tree: str) -> Hinted | None:
    """Return the query with its unproved NOT NULL hints (`!`), or None if it has none."""
    unproved = {column.name for column in query.columns if not column.not_null}
    hints = tuple(h for h in query.parsed.hints if h.not_null and h.target in unproved)
    if not hints or _typed_by_the_user(query):
        return None
    return Hinted(query, hints, frozenset(map(int, _RELATION.findall(unwrap(tree)))))


def relations_in(facts: Facts, tree: str) -> frozenset[int]:
    """Return the relations in a parse tree, with their child tables."""
    return _with_children(facts, frozenset(map(int, _RELATION.findall(unwrap(tree)))))


def _typed_by_the_user(query: TypedQuery) -> bool:
    """Return whether a parameter's type is a class of the user, whose values are unknown."""
    return any(h.python_type and h.target.startswith(_PARAM) for h in query.parsed.hints)


def refuted_hints(
    connection: Connection, facts: Facts, queries: Iterable[Hinted]
) -> Iterator[Diagnostic]:
    """Yield an error for each hint that a possible row disproves.

    The search takes about half a second for each query, tries the same rows in every run, and rolls
    back its transactions. If it finds no counterexample, the hint is still not proved.
    """
    for item in queries:
        yield from _Search(connection, facts, item).run()


class _Search:
    """The search for rows that disprove the hints of one query."""

    def __init__(self, connection: Connection, facts: Facts, item: Hinted) -> None:
        self.query = with_hints(item.query)
        self.open = list(item.hints)
        sampler = Sampler(0, [variant.sql for variant in item.query.variants] + [item.query.sql])
        tables = _with_children(facts, item.relations)
        self.population = Population(connection, facts, sampler, tables)
        self.deadline = 0.0
        self.shown = tables & item.relations
        absent = {
            n for e in item.query.embeds if e.nullable for n in range(e.first, e.first + e.count)
        }
        self.unproved = [
            (n, column.name)
            for n, column in enumerate(item.query.columns)
            if not column.not_null and n not in absent
        ]

    def run(self) -> Iterator[Diagnostic]:
        started = time.monotonic()
        for number in range(_ROUNDS):
            self.deadline = started + (_AT_WORST if number < _SURE else _LONGEST)
            if not self.open or time.monotonic() > self.deadline:
                return
            with _undone(self.population.connection):
                # First only NULLs, then few values, then random values.
                self.population.fill(min(number, _ROWS), nulls=1 if number == 1 else 0.4)
                for _ in range(_TRIALS):
                    if self.open and time.monotonic() < self.deadline:
                        yield from self._try(draw(self.query, self.population))

    def _try(self, trial: Trial) -> Iterator[Diagnostic]:
        for hint in list(self.open):
            if self._refutes(trial, hint):
                self.open.remove(hint)
                yield self._finding(trial, hint)

    def _refutes(self, trial: Trial, hint: Hint) -> str:
        """Run a query; return a row (as text) that has NULL in the hint's column, or '' if none."""
        result = trial.run(self.population)
        for index, name in self.unproved if result is not None else ():
            row = nulls_in(result, index) if result and name == hint.target else None
            if result and row is not None:
                return row_of(result, row)
        return ""

    def _finding(self, trial: Trial, hint: Hint) -> Diagnostic:
        connection = self.population.connection
        connection.run("savepoint finding")
        self._shrink(trial, hint)
        arguments = f" when called with {trial.arguments}" if trial.values else ""
        notes = (f"the query returns {self._refutes(trial, hint)}{arguments}", *self._data())
        connection.run("rollback to finding")
        return Diagnostic(
            "E361",
            f"`{self.query.parsed.name}`: `{hint.target}` can be NULL, despite the `!`",
            (Label(self.query.parsed.file, hint.span, "disproved by a row"),),
            "remove the `!`, or make the column not null: with NOT NULL or CHECK in the schema,"
            " or with a condition or COALESCE in the query",
            notes=notes,
        )

    def _shrink(self, trial: Trial, hint: Hint) -> None:
        """Delete the rows that the counterexample does not need."""
        connection = self.population.connection
        for table in reversed(self.population.order):
            name = self.population.named(table)
            places = connection.rows(f"select ctid::text from {name} limit {_MOST_ROWS}")  # noqa: S608 - quoted names
            for (place,) in places if time.monotonic() < self.deadline + _AT_WORST else ():
                connection.run("savepoint shrinking")
                gone = connection.run(f"delete from {name} where ctid = '{place}'")  # noqa: S608 - the server's own value
                kept = gone is not None or not self._refutes(trial, hint)
                connection.run("rollback to shrinking" if kept else "release shrinking")

    def _data(self) -> Iterator[str]:
        """Yield the rows of the tables that the query reads."""
        facts, found = self.population.facts, list[str]()
        for table in [t for t in self.population.order if t in self.shown]:
            columns = facts.columns.get(table, [])
            names = ", ".join(quoted(column.name) for column in columns)
            sql = f"select {names} from {self.population.named(table)} limit {_MOST_SHOWN}"  # noqa: S608 - quoted names
            for row in self.population.connection.rows(sql) if columns else ():
                found.append(f"{facts.relation_name(table)} ({table_row(columns, row)})")
        if not found and self.shown:
            yield "the tables of the query are empty"
        for text in found[:_MOST_SHOWN]:
            yield f"where there is {text}"


def _with_children(facts: Facts, relations: frozenset[int]) -> frozenset[int]:
    """Add the child tables of each table. Partitions are filled through their parent table."""
    inheriting = {
        child
        for table in relations
        if (entry := facts.relations.get(table)) is not None and entry.kind == "r"
        for child in facts.descendants(table)
    }
    return relations | inheriting


@contextlib.contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    """Run a block in a transaction that is rolled back and has short timeouts."""
    connection.run("begin")
    for setting in (
        "debug_print_rewritten = off",
        "client_min_messages = warning",
        "statement_timeout = '1s'",
        "lock_timeout = '200ms'",
    ):
        connection.run(f"set local {setting}")
    try:
        yield
    finally:
        connection.run("rollback")
