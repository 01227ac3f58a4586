"""Run proved statements as one tenant, while only the rows of other tenants differ."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Self

import psycopg
from aiosqlc.ir import Tenant, TypedQuery
from aiosqlc.postgres import Analyzer

from tests.tenants.asking import typed
from tests.tenants.batch import Answer, Prepared, attempts, create, prepare, state
from tests.tenants.datasets import Rows, group, script, shuffled
from tests.tenants.tables import SCHEMA, TENANT
from tests.tenants.writes import Statement, Statements

_COMPARISON = re.compile(r"\b\w+\.\w+ = (?:@\w+|\w+\.\w+)(?!\w|::)")
_SKIPPING = re.compile(r"DO NOTHING|ON CONFLICT .* WHERE", re.DOTALL)
_UNUSED = 100  # no row has this number, or a greater one
_VARIANTS = 4
_ORDERS = 8
_VIRTUAL = 180000  # the first server with virtual generated columns
_OPTIONS = "-c plan_cache_mode=force_generic_plan -c jit=off"


@dataclass
class Tally:
    """The counts of a run, and the statements whose answers differ.

    `weakened` are the statements that are proved although a comparison was removed.
    """

    statements: int = 0
    refused: int = 0
    proved: int = 0
    removed: int = 0
    weakened: int = 0
    executions: int = 0
    rows: int = 0
    failed: int = 0
    arbitrary: int = 0
    slow: int = 0
    different: list[str] = field(default_factory=list)

    def report(self) -> str:
        """Return the counts and the first differences."""
        share = self.proved / max(1, self.statements - self.refused)
        return "\n".join([
            f"{self.statements} statements, {self.refused} refused by the server",
            f"{self.proved} proved ({share:.1%} of the others)",
            f"{self.removed} comparisons removed, {self.weakened} statements proved without one",
            f"{self.executions} executions, {self.failed} failed, {self.rows} rows",
            f"{self.slow} statements stopped, because they join too many rows",
            f"{self.arbitrary} differences in a result that the order of rows determines",
            f"DIFFERENT: {len(self.different)}",
            *self.different[:5],
        ])  # fmt: skip


class Fuzz:
    """Makes statements in portions, and runs the proved ones on data sets.

    The statements run in the database `url`. `server` is the URL of the server that analyses them,
    by default an embedded one.
    """

    def __init__(
        self,
        seed: int,
        groups: int,
        analyzer: Analyzer,
        url: str,
        folder: Path,
        tenant: Tenant = TENANT,
        server: str | None = None,
    ) -> None:
        self._random = Random(seed)
        self._groups = groups
        self._analyzer = analyzer
        self._folder = folder
        self._tenant = tenant
        self._server = server
        self._connection = psycopg.connect(url, autocommit=True, options=_OPTIONS)
        virtual = self._connection.info.server_version >= _VIRTUAL
        self._schema = SCHEMA if virtual else SCHEMA.replace(" VIRTUAL", " STORED")
        self._connection.prepare_threshold = None  # they would be deallocated with ours
        self.tally = Tally()

    def __enter__(self) -> Self:
        create(self._connection, self._schema)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def portion(self, statements: int, *, weaken: bool = True) -> None:
        """Make statements, and run the proved ones.

        `weaken` also removes each of their comparisons, and runs what is still proved.
        """
        grammar = Statements(self._random)
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
        ready = self._prepared([*proved, *weakened])
        for _ in range(self._groups):
            self._compare(ready)

    def _proved(self, made: list[Statement]) -> tuple[list[tuple[Statement, TypedQuery]], int]:
        """Return the statements that are proved, and the number of those that are refused."""
        text = "".join(f"-- name: Q{n} :exec\n{s.text};\n\n" for n, s in enumerate(made))
        found = typed(self._analyzer, self._schema, text, self._folder, self._tenant, self._server)
        queries = [found.get(f"Q{n}") for n in range(len(made))]
        proved = [(s, q) for s, q in zip(made, queries, strict=True) if q and not q.leaks]
        return proved, queries.count(None)

    def _prepared(self, made: list[tuple[Statement, TypedQuery]]) -> list[Prepared]:
        """Prepare statements, and return those that end soon on a data set."""
        ready = []
        for number, (statement, query) in enumerate(made):
            names = {p.number: p.name for p in query.params}
            params = tuple(names.get(at + 1, "") for at in range(max(names, default=0)))
            ready.append(
                Prepared(f"q{number}", query.sql, params, statement.returns, statement.writes)
            )
        prepare(self._connection, ready)
        with self._filled(group(self._random, 2)[1]):
            return [one for one in ready if self._is_fast(one)]

    def _is_fast(self, one: Prepared) -> bool:
        try:
            with self._connection.transaction():
                self._connection.execute("SET LOCAL statement_timeout = '1s'")
                list(attempts(self._connection, [(one, [1] * len(one.params))]))
                self._connection.execute("SET LOCAL statement_timeout = 0")
        except psycopg.errors.QueryCanceled:  # it joins many rows with each other
            self.tally.slow += 1
            return False
        return True

    @contextmanager
    def _filled(self, rows: Rows) -> Iterator[None]:
        """Fill the tables within the block, in which no deferred constraint is checked."""
        with self._connection.transaction(force_rollback=True):
            self._connection.execute(script(rows).encode())
            yield

    def _compare(self, ready: list[Prepared]) -> None:
        """Run statements on the data sets of a new group, and compare the answers."""
        tally = self.tally
        sets = group(self._random, _VARIANTS)
        calls = [(one, self._values(one)) for one in ready]
        alone: list[Answer] = []
        for rows in sets:
            with self._filled(rows):
                before = state(self._connection)
                answers = list(attempts(self._connection, calls))
            tally.executions += len(answers)
            tally.failed += sum(answer.rows < 0 for answer in answers)
            tally.rows += sum(max(0, answer.rows) for answer in answers)
            alone = alone or answers
            apart = [
                (call, base, answer)
                for call, base, answer in zip(calls, alone, answers, strict=True)
                if answer.others not in (None, before)
                or (_differ(base, answer) and not _may_skip(*call))
            ]
            for (one, values), base, answer in apart:
                if answer.others in (None, before) and any(
                    self._is_arbitrary(one, values, these) for these in (sets[0], rows)
                ):
                    tally.arbitrary += 1
                    continue
                call = f"{one.text}\n  {dict(zip(one.params, values, strict=True))}"
                tally.different.append(f"{call}\n  {base}\n  {answer}\n  {before}\n{script(rows)}")

    def _is_arbitrary(self, one: Prepared, values: list[int], rows: Rows) -> bool:
        """Return whether the server chooses among several results, as in an UPDATE with FROM."""
        found = set()
        for _ in range(_ORDERS):
            with self._filled(shuffled(rows, self._random)):
                (answer,) = attempts(self._connection, [(one, values)])
            found.add((answer.answer, answer.own))
        return len(found) > 1

    def _values(self, one: Prepared) -> list[int]:
        known = {"tenant_id": 1, "new": self._random.choice((0, _UNUSED))}
        return [known.get(name, self._random.randrange(8)) for name in one.params]


def _differ(base: Answer, answer: Answer) -> bool:
    constraint = base.constraint or answer.constraint
    return not constraint and (base.answer, base.own) != (answer.answer, answer.own)


def _may_skip(one: Prepared, values: list[int]) -> bool:
    """Return whether ON CONFLICT may skip a row, because its number is in use by another tenant."""
    new = dict(zip(one.params, values, strict=True)).get("new", _UNUSED)
    return new < _UNUSED and bool(_SKIPPING.search(one.text))


def _weaker(statement: Statement) -> Iterator[Statement]:
    """Yield the statement without each of its comparisons."""
    for found in _COMPARISON.finditer(statement.text):
        text = f"{statement.text[: found.start()]}true{statement.text[found.end() :]}"
        yield Statement(text, statement.returns, statement.writes)
