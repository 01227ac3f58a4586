"""The check reports a statement as dangerous exactly if others wait on a server with rows."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.analysis.watched.observed import Observed, Pending
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.watch import observer
from aiosqlc.postgres.watch.release import (
    Rows,
    Stage,
    fill,
    prepared,
    relations_in,
    watch_one,
)
from aiosqlc.postgres.watch.session import RowsRefuseError, Watching
from aiosqlc.production.migrations.findings import danger
from aiosqlc.schema import schema_file
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.source import SourceFile

from tests.conftest import Full
from tests.production.statements import SCHEMA, STATEMENTS
from tests.production.truth import Truth
from tests.servers.postgres import TestPostgres

_SEED = 20


class Checked:
    """The check's result for single statements on one schema, with and without rows."""

    def __init__(self, stage: Stage) -> None:
        schema = [schema_file(SourceFile(Path("0001_schema.sql"), SCHEMA))]
        self._stage = stage
        self._empty = prepared(stage, schema, AnalyzeOptions())
        self._filled = prepared(stage, schema, AnalyzeOptions())
        fill(stage, self._filled, Rows.PLAIN)
        self._existing = relations_in(stage, self._empty)
        self._in_filled = relations_in(stage, self._filled)

    def verdicts(self, sql: str) -> set[str]:
        """Return the codes of a statement: one code, unless rows make a difference."""
        file = schema_file(SourceFile(Path("0002_change.sql"), f"{sql};\n"))
        pending = Pending(file, None, in_block=False)
        found = set()
        for name, existing in ((self._empty, self._existing), (self._filled, self._in_filled)):
            with contextlib.suppress(RowsRefuseError):
                rows = Rows.PLAIN if name == self._filled else Rows.NONE
                after, seen = watch_one(self._stage, name, pending, existing, {}, rows)
                self._stage.drop(after)
                assert [problem.message for problem in seen.failures] == []
                assert [one.unwatched for one in seen.statements] == [""]
                found |= {danger(one) for one in seen.statements}
        return found

    @contextlib.contextmanager
    def database(self) -> Iterator[Connection]:
        """Yield a connection to a new database of the schema."""
        with (
            self._stage.database(self._empty) as name,
            Connection(self._stage.server.conninfo(name)) as connection,
        ):
            yield connection


def watch_without_pause(connection: Connection, sql: str) -> Observed:
    """Run one statement and return the observation."""
    existing = observer.relations(connection)
    file = schema_file(SourceFile(Path("0002_change.sql"), sql))
    with Watching(connection, existing, own_server=True, filled=False, poll=0) as watching:
        (seen,) = watching.run(file, in_block=False)
    return seen


@pytest.fixture(scope="module")
def checked(analyzer: Analyzer) -> Iterator[Checked]:
    server = analyzer.server(AnalyzeOptions())
    with contextlib.ExitStack() as stack:
        admin = stack.enter_context(Connection(server.admin))
        yield Checked(Stage(server, admin, stack))


@pytest.fixture(scope="module")
def truth(postgres_server: TestPostgres) -> Truth:
    return Truth(postgres_server)


def test_the_check_and_its_author_agree_on_every_statement(checked: Checked, full: Full) -> None:
    wrong = []
    for one in random.Random(_SEED).sample(STATEMENTS, full(len(STATEMENTS), sample=40)):
        found = {code != "" for code in checked.verdicts(one.sql)}
        if found != {one.dangerous}:
            wrong.append((one.sql, found))
    assert wrong == []


def test_a_dead_index_that_is_dropped_at_the_end_stops_nobody(checked: Checked) -> None:
    # REINDEX CONCURRENTLY locks the old index when no query can open it any more, for less than a
    # millisecond: it is seen in about one of two runs by somebody who looks without a pause.
    with checked.database() as connection:
        for _ in range(12):
            seen = watch_without_pause(connection, "REINDEX TABLE CONCURRENTLY account;")
            assert [held.mode.written for held in seen.stopping] == []
            assert seen.indexed == ("account",)


def test_others_wait_exactly_for_what_is_called_dangerous(truth: Truth, full: Full) -> None:
    chosen = random.Random(_SEED).sample(STATEMENTS, full(len(STATEMENTS), sample=_SEED))
    wrong = [one for one in chosen if truth.dangerous(one.sql) != one.dangerous]
    assert wrong == []


def test_both_kinds_have_enough_statements() -> None:
    kinds = [one.dangerous for one in STATEMENTS]
    assert len({one.sql for one in STATEMENTS}) == len(STATEMENTS) >= 100
    assert min(kinds.count(True), kinds.count(False)) >= 40
