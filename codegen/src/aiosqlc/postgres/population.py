"""Fill tables with random rows that satisfy every constraint and trigger."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from psycopg import pq

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.rows import Attribute, ConstraintRow
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.servers.postgres.connection import Connection, Statement, server_error

_ATTEMPTS = 40  # per table
_FEW = 5  # most rows of the schema's own statements that are used
_AT_ONCE = 50  # statements sent ahead to the server
_OBEDIENT = 10  # attempts without any DEFAULT, before columns use their defaults
_LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.])(-?\d+(?:\.\d+)?)\b")
_ANSWERED = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_DEFAULT = object()

Row = dict[int, str | None]
"""The values of a row as texts, by column number."""


class Attempts:
    """Runs statements one by one, and undoes each refused statement.

    The caller must have started a transaction. The end of an attempt is sent together with the
    start of the next attempt; `end` ends the last attempt.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._before: list[str] = ["savepoint attempt"]
        self._last: list[str] = []

    def run(self, sql: str, values: Sequence[str | None]) -> pq.abc.PGresult:
        """Run a statement and return the server's response."""
        whole = [*((one, ()) for one in self._before), (sql, values)]
        (found,) = self._connection.pipelined([whole])
        result = found[-1]
        self._last = ["release attempt"]
        self._before = [*self._last, "savepoint attempt"]
        if not answered(result):
            self._before = ["rollback to attempt"]
            self._last = [*self._before, "release attempt"]
        return result

    def end(self) -> None:
        """End the last attempt: keep its change, or undo it if the server refused the statement."""
        if self._last:
            self._connection.run("; ".join(self._last))


def undone(connection: Connection, statements: Sequence[Statement]) -> Iterator[pq.abc.PGresult]:
    """Run statements, each rolled back before the next, and yield the server's responses.

    The caller must have started a transaction. The statements must be queries, without COPY and
    COMMIT.
    """
    undo = [("rollback to execution", ())]
    for first in range(0, len(statements), _AT_ONCE):
        groups = [g for one in statements[first : first + _AT_ONCE] for g in ([one], undo)]
        answers = connection.pipelined(
            [[("savepoint execution", ())], *groups, [("release execution", ())]]
        )
        yield from (result for (result,) in answers[1:-1:2])


def answered(result: pq.abc.PGresult) -> bool:
    """Return whether the server accepted a statement."""
    return result.status in _ANSWERED


def quoted(name: str) -> str:
    """Return an identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'


@dataclass
class Population:
    """Random rows of some tables that together are one possible content of the database.

    `tables` are the tables to fill. The tables to which their foreign keys refer are filled first.
    """

    connection: Connection
    facts: Facts
    sampler: Sampler
    tables: Collection[int]
    rows: dict[int, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._types = Types(self.facts)
        self.order = parents_first(self.facts, self.tables)
        self._likely = {table: constraint_constants(self.facts, table) for table in self.order}

    def fill(self, most: int, *, least: int = 1, nulls: float = 0.4) -> None:
        """Insert `least` to `most` rows into each table; skip a row that violates a constraint.

        The caller must start a transaction, and end it. `nulls` is the probability of NULL in a
        nullable column.
        """
        self.connection.run("set constraints all immediate")
        self.rows = self._present()
        for table in self.order:
            wanted = self.sampler.random.randint(min(most, least), most)
            self._fill(table, max(0, wanted - len(self.rows[table])), nulls)

    def _present(self) -> dict[int, list[Row]]:
        """Return a few of the rows that the schema's own statements inserted into each table."""
        columns = {table: self.facts.columns.get(table, ()) for table in self.order}
        asked = [table for table in self.order if columns[table]]
        found: dict[int, list[Row]] = {table: [] for table in self.order}
        statements = [
            f"select {', '.join(quoted(a.name) for a in columns[table])}"  # noqa: S608 - quoted names
            f" from {self.named(table)} limit {_FEW}"
            for table in asked
        ]
        answers = self.connection.pipelined([[(sql, ())] for sql in statements])
        for table, (result,) in zip(asked, answers, strict=True):
            if not answered(result):
                raise RuntimeError(server_error(result).message)
            found[table] = [_row(columns[table], result, row) for row in range(result.ntuples)]
        return found

    def named(self, table: int) -> str:
        """Return a table's name in SQL, with ONLY to exclude its child tables."""
        relation = self.facts.relations[table]
        # A partitioned table contains no rows itself.
        only = "only " if relation.kind == "r" else ""
        return f"{only}{quoted(relation.schema)}.{quoted(relation.name)}"

    def _fill(self, table: int, wanted: int, nulls: float) -> None:
        """Insert rows; after a violated constraint, retry with other values for its columns."""
        columns = {a.number: a for a in self.facts.columns.get(table, ()) if not a.generated}
        chosen: dict[int, object] = {}
        renew: Collection[int] = columns
        attempts = Attempts(self.connection)
        for number in range(_ATTEMPTS if columns else 0):
            if wanted <= 0:
                break
            for place in renew:
                chosen[place] = self._value(columns[place], nulls, defaults=number >= _OBEDIENT)
            for key in self._foreign_keys(table):
                if set(key.columns) & set(renew):
                    self._refer(key, chosen, nulls)
            before = len(self.rows[table])
            renew = self._insert(attempts, table, columns, chosen) or columns
            wanted -= len(self.rows[table]) - before
        attempts.end()

    def values(self, table: int, column: int) -> list[str]:
        """Return the values of a column in the inserted rows."""
        held = (row.get(column) for row in self.rows.get(table, ()))
        return [value for value in held if value is not None]

    def _insert(
        self,
        attempts: Attempts,
        table: int,
        columns: dict[int, Attribute],
        chosen: dict[int, object],
    ) -> Collection[int]:
        """Insert a row, and return the columns of the violated constraint, if any."""
        relation = self.facts.relations[table]
        every = self.facts.columns[table]
        given = [value for value in chosen.values() if value is not _DEFAULT]
        marks = iter(range(1, len(given) + 1))
        shown = ["default" if v is _DEFAULT else f"${next(marks)}" for v in chosen.values()]
        result = attempts.run(
            f"insert into {quoted(relation.schema)}.{quoted(relation.name)}"  # noqa: S608 - quoted names
            f" ({', '.join(quoted(columns[number].name) for number in chosen)})"
            f" overriding system value values ({', '.join(shown)})"
            f" returning {', '.join(quoted(a.name) for a in every)}",
            [None if value is None else str(value) for value in given],
        )
        if not answered(result):
            name = (result.error_field(pq.DiagnosticField.CONSTRAINT_NAME) or b"").decode()
            return [n for n in self._constrained(table, name) if n in columns]
        if result.ntuples:  # a trigger may have silently skipped the row
            self.rows[table].append(_row(every, result, 0))
        return ()

    def _constrained(self, table: int, name: str) -> list[int]:
        for constraint in self.facts.constraints.get(table, ()):
            if constraint.name == name:
                return constraint.columns
        return next((i.columns for i in self.facts.indexes.get(table, ()) if i.name == name), [])

    def _value(self, column: Attribute, nulls: float, *, defaults: bool) -> object:
        checked = self._likely[column.relation].get(column.number)
        # Without a CHECK, a default would only add random values: the time, or a sequence.
        if defaults and column.has_default and checked is not None and self.sampler.chance(0.5):
            return _DEFAULT
        if not column.not_null and self.sampler.chance(nulls):
            return None
        kind = self._types.get(column.type, column.typmod, column.dims)
        return self.sampler.value(kind, likely=checked or ())

    def _foreign_keys(self, table: int) -> list[ConstraintRow]:
        return [c for c in self.facts.constraints.get(table, ()) if c.kind == "f"]

    def _refer(self, key: ConstraintRow, chosen: dict[int, object], nulls: float) -> None:
        """Make a new row's foreign key refer to an existing row, or to the row itself."""
        local = [number for number in key.columns if number in chosen]
        optional = [
            number for number in local if not self.facts.attributes[key.relation, number].not_null
        ]
        parents = self.rows.get(key.foreign_relation, [])
        if optional and (not parents or self.sampler.chance(nulls)):
            for number in optional:
                chosen[number] = None
        elif parents:
            parent = self.sampler.random.choice(parents)
            for number, foreign in zip(key.columns, key.foreign_columns, strict=True):
                if number in chosen:
                    chosen[number] = parent.get(foreign)
        elif key.foreign_relation == key.relation:
            for number, foreign in zip(key.columns, key.foreign_columns, strict=True):
                if number in chosen and foreign in chosen:
                    chosen[number] = chosen[foreign]


def _row(columns: Sequence[Attribute], result: pq.abc.PGresult, number: int) -> Row:
    cells = [result.get_value(number, index) for index in range(result.nfields)]
    texts = [None if cell is None else cell.decode() for cell in cells]
    return {a.number: text for a, text in zip(columns, texts, strict=True)}


def parents_first(facts: Facts, tables: Iterable[int]) -> list[int]:
    """Return the tables and the tables to which they refer; referenced tables come first."""
    order: list[int] = []
    seen: set[int] = set()

    def visit(table: int) -> None:
        relation = facts.relations.get(table)
        if table in seen or relation is None or relation.kind not in "rp":
            return
        seen.add(table)
        for key in sorted(facts.constraints.get(table, ()), key=lambda c: c.name):
            if key.kind == "f":
                visit(key.foreign_relation)
        order.append(table)

    for table in sorted(tables, key=lambda oid: _name(facts, oid)):
        visit(table)
    return order


def _name(facts: Facts, table: int) -> tuple[str, str]:
    relation = facts.relations.get(table)
    return (relation.schema, relation.name) if relation else ("", "")


def constraint_constants(facts: Facts, table: int) -> dict[int, tuple[str, ...]]:
    """Return the constants in each column's constraints, which are likely valid values."""
    found: dict[int, tuple[str, ...]] = {}
    checks = [(c.columns, c.definition) for c in facts.constraints.get(table, ()) if c.kind == "c"]
    checks += [
        ([column.number], facts.domain_checks[column.type])
        for column in facts.columns.get(table, ())
        if column.type in facts.domain_checks
    ]
    checks += [([b.column], b.definition) for b in facts.partition_bounds.get(table, ())]
    for columns, definition in checks:
        texts = [digits or text.replace("''", "'") for text, digits in _LITERAL.findall(definition)]
        for number in columns:
            found[number] = (*found.get(number, ()), *texts)
    return found
