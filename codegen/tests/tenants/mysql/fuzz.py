"""Run proved statements on MariaDB as one tenant, while only the rows of other tenants differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Self

import pymysql
from aiosqlc.ir import Tenant, TypedQuery
from aiosqlc.parse.placeholders import fill

from tests.servers.mysql import connect_arguments
from tests.tenants.datasets import Rows, group
from tests.tenants.fuzz import Tally
from tests.tenants.mysql.asking import TENANT, named, typed
from tests.tenants.mysql.tables import SCHEMA, TABLES
from tests.tenants.mysql.writes import MysqlStatements
from tests.tenants.writes import Statement

_COMPARISON = re.compile(r"\b\w+\.\w+ = (?:@\w+|\w+\.\w+)(?!\w)")
_UNUSED = 100  # no row has this number, or a greater one
_VARIANTS = 4
_MANY_ROWS = 1969  # the statement ran longer than `max_statement_time`
# Errors of constraints, which look at all rows: a duplicate key, or a foreign key.
_CONSTRAINTS = frozenset({1048, 1062, 1216, 1217, 1451, 1452})


@dataclass(frozen=True)
class Answer:
    """The rows of a statement or its error, then the rows of tenant 1, and of others."""

    rows: object
    own: object = None
    others: object = None

    @property
    def constraint(self) -> bool:
        """Return whether a constraint rejected a row."""
        return isinstance(self.rows, int) and self.rows in _CONSTRAINTS


class Fuzz:
    """Makes statements in portions, and runs the proved ones on data sets."""

    def __init__(
        self, seed: int, groups: int, url: str, cache: Path, tenant: Tenant = TENANT
    ) -> None:
        self._random = Random(seed)
        self._groups = groups
        self._cache = cache
        self._tenant = tenant
        self._connection = pymysql.connect(**connect_arguments(url, seconds=1))
        self.tally = Tally()

    def __enter__(self) -> Self:
        for statement in SCHEMA.split(";\n"):
            if statement.strip():
                self._run(statement)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def portion(self, statements: int, *, weaken: bool = True) -> None:
        """Make statements, and run the proved ones.

        `weaken` also removes each of their comparisons, and runs what is still proved.
        """
        grammar = MysqlStatements(self._random)
        self.check([grammar.statement() for _ in range(statements)], weaken=weaken)

    def check(self, made: list[Statement], *, weaken: bool = False) -> None:
        """Run those of the statements that are proved."""
        self.tally.statements += len(made)
        proved, refused = self._proved(made)
        self.tally.refused += refused
        self.tally.proved += len(proved)
        weaker = [w for statement, _ in proved for w in _weaker(statement) if weaken]
        weakened, _ = self._proved(weaker)
        self.tally.removed += len(weaker)
        self.tally.weakened += len(weakened)
        ready = [*proved, *weakened]
        for _ in range(self._groups):
            self._compare(ready)

    def _proved(self, made: list[Statement]) -> tuple[list[tuple[Statement, TypedQuery]], int]:
        """Return the statements that are proved, and the number of those that are refused."""
        found = typed(SCHEMA, named([s.text for s in made]), self._cache, self._tenant)
        queries = [found.get(f"Q{n}") for n in range(len(made))]
        proved = [(s, q) for s, q in zip(made, queries, strict=True) if q and not q.leaks]
        return proved, queries.count(None)

    def _compare(self, ready: list[tuple[Statement, TypedQuery]]) -> None:
        """Run statements on the data sets of a new group, and compare the answers."""
        tally = self.tally
        values = [self._values(query) for _, query in ready]
        alone: list[Answer] = []
        for rows in group(self._random, _VARIANTS):
            self._fill(rows)
            before = self._state()[1]
            answers = [
                self._answer(statement, query, given)
                for (statement, query), given in zip(ready, values, strict=True)
            ]
            tally.executions += len(answers)
            tally.failed += sum(isinstance(answer.rows, int) for answer in answers)
            tally.rows += sum(len(a.rows) for a in answers if isinstance(a.rows, list))
            alone = alone or answers
            for (statement, _), given, base, answer in zip(
                ready, values, alone, answers, strict=True
            ):
                changed = answer.others not in (None, before)
                slow = _MANY_ROWS in (base.rows, answer.rows)
                if not changed and (
                    slow or not _differ(base, answer) or _may_skip(statement, given)
                ):
                    tally.slow += slow
                    continue
                tally.different.append(f"{statement.text}\n  {given}\n  {base}\n  {answer}\n{rows}")

    def _answer(self, statement: Statement, query: TypedQuery, values: dict[str, int]) -> Answer:
        names = {p.number: p.name for p in query.params}
        text = fill(query.sql, lambda _, place: str(values[names[place.number]])).sql
        try:
            if not statement.writes:
                return Answer(sorted(map(repr, self._run(text))))
            self._run("START TRANSACTION")
            self._run(text)
            return Answer([], *self._state())
        except pymysql.MySQLError as error:
            return Answer(int(error.args[0]))
        finally:
            if statement.writes:
                self._run("ROLLBACK")

    def _values(self, query: TypedQuery) -> dict[str, int]:
        known = {"tenant_id": 1, "new": self._random.choice((0, _UNUSED))}
        return {p.name: known.get(p.name, self._random.randrange(8)) for p in query.params}

    def _fill(self, rows: Rows) -> None:
        for table in reversed(list(TABLES)):
            self._run(f"DELETE FROM {table}")
        for table, stored in ((table, rows[table]) for table in TABLES):
            # A primary key with the tenant has no NULL.
            kept = [row for row in stored if table != "label" or row[1] is not None]
            if kept:
                values = ", ".join(
                    f"({', '.join('NULL' if v is None else str(v) for v in row)})" for row in kept
                )
                columns = ", ".join(TABLES[table].columns)
                self._run(f"INSERT INTO {table} ({columns}) VALUES {values}")

    def _state(self) -> tuple[object, object]:
        """Return the rows of tenant 1, and the rows of the others."""
        texts = []
        for table, stored in TABLES.items():
            columns = ", ".join(f"IFNULL({column}, -1)" for column in stored.columns)
            row = f"CONCAT_WS(',', '{table}', {columns})"
            texts.append(f"SELECT {row} AS r, ({stored.own}) IS TRUE AS own FROM {table}")
        found = self._run(" UNION ALL ".join(texts))
        return tuple(
            sorted(row for row, own in found if bool(own) is wanted) for wanted in (True, False)
        )

    def _run(self, text: str) -> Sequence[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(text)
            return list(cursor.fetchall())


def _differ(base: Answer, answer: Answer) -> bool:
    constraint = base.constraint or answer.constraint
    return not constraint and (base.rows, base.own) != (answer.rows, answer.own)


def _may_skip(statement: Statement, values: dict[str, int]) -> bool:
    """Return whether a write may skip or reject a row, because of a row of another tenant.

    IGNORE skips a row that a constraint rejects, and a guard one whose number is in use.
    """
    used = values.get("new", _UNUSED) < _UNUSED or "@other" in statement.text
    return "IGNORE" in statement.text or (used and "DUPLICATE" in statement.text)


def _weaker(statement: Statement) -> Iterator[Statement]:
    """Yield the statement without each of its comparisons."""
    for found in _COMPARISON.finditer(statement.text):
        text = f"{statement.text[: found.start()]}true{statement.text[found.end() :]}"
        yield Statement(text, statement.returns, statement.writes)
