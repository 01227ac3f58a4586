"""On MySQL, the check calls a change dangerous exactly if others wait while it works on rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pymysql
import pytest
from aiosqlc.analysis.watched.observed import Pending
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.mysql.watch import ReleaseObserver
from aiosqlc.production.migrations.findings import danger
from aiosqlc.schema import schema_file
from aiosqlc.servers.mysql.session import Session, open_session
from aiosqlc.source import Dialect, SourceFile

SCHEMA = """\
CREATE TABLE team (id int PRIMARY KEY, name varchar(40) NOT NULL);
CREATE TABLE person (
    id int PRIMARY KEY, team_id int NOT NULL, email varchar(80) NOT NULL, name varchar(40),
    age int NOT NULL, note varchar(200), KEY person_age (age), KEY person_team (team_id)
);
"""
STATEMENTS = [
    "ALTER TABLE person ADD COLUMN points int NOT NULL DEFAULT 3",
    "ALTER TABLE person DROP COLUMN note",
    "ALTER TABLE person MODIFY name varchar(60)",
    "ALTER TABLE person MODIFY name varchar(300)",
    "ALTER TABLE person MODIFY name varchar(40) NOT NULL",
    "ALTER TABLE person MODIFY age bigint NOT NULL",
    "ALTER TABLE person CONVERT TO CHARACTER SET latin1",
    "ALTER TABLE person ADD CHECK (age >= 0)",
    "ALTER TABLE person ADD FOREIGN KEY (team_id) REFERENCES team (id)",
    "ALTER TABLE person ADD INDEX (email)",
    "ALTER TABLE person ADD INDEX (email), ALGORITHM=COPY",
    "ALTER TABLE person ADD UNIQUE (email)",
    "CREATE INDEX person_name ON person (name, email)",
    "CREATE FULLTEXT INDEX person_note ON person (note)",
    "DROP INDEX person_age ON person",
    "ALTER TABLE person DROP PRIMARY KEY, ADD PRIMARY KEY (id, age)",
    "ALTER TABLE person PARTITION BY HASH (id) PARTITIONS 2",
    "ALTER TABLE person ENGINE=InnoDB",
    "OPTIMIZE TABLE person",
    "ALTER TABLE person ADD COLUMN a int, MODIFY age bigint NOT NULL",
    "ALTER TABLE person ADD COLUMN a int, ADD INDEX (email), LOCK=SHARED",
]
ROWS = 100_000
_PAGES = 3_000  # a change that reads the table looks at 9,000 at least, other writes at 1,200
_PART = 0.5  # of the time of a change; one that lets others write leaves gaps of a few percent


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    session = open_session(None, tmp_path_factory.mktemp("truth"))
    yield session
    session.connection.close()


def _dangerous(statement: str, options: AnalyzeOptions) -> bool:
    schema, change = (
        schema_file(SourceFile(Path(name), text), Dialect.MYSQL)
        for name, text in (("1.sql", SCHEMA), ("2.sql", f"{statement};\n"))
    )
    pending = Pending(change, None, in_block=False)
    (watched,) = ReleaseObserver().release([schema], [pending], {}, options)
    assert [problem.message for problem in watched.seen.failures] == []
    return any(danger(one) for one in watched.seen.statements)


def _others_wait(session: Session, statement: str) -> bool:
    """Run a change of many rows; return whether another session cannot write for most of its time.

    The longest time between two writes decides. Their number would depend on when the machine lets
    this thread see that the change has ended.
    """
    session.run("DROP DATABASE IF EXISTS truth")
    session.run("CREATE DATABASE truth")
    session.connection.select_db("truth")
    for text in SCHEMA.split(";\n")[:-1]:
        session.run(text)
    session.run("INSERT INTO team VALUES (1, 'a')")
    session.run(
        "INSERT INTO person SELECT seq, 1, concat('a', seq), 'n', 3, repeat('word ', 30)"
        f" FROM seq_1_to_{ROWS}"
    )
    writes: list[float] = []
    pages = _pages(session)
    with _writing(str(session.connection.unix_socket), writes):
        started = time.monotonic()
        session.run(statement)
        ended = time.monotonic()
    pauses = [after - before for before, after in pairwise(writes) if started < after]
    waited = max(pauses) > _PART * (ended - started)
    return _pages(session) - pages > _PAGES and waited


@contextmanager
def _writing(address: str, writes: list[float]) -> Iterator[None]:
    """Let another session write, and record when its writes end; one has, and the last will."""
    first, last = threading.Event(), threading.Event()

    def write() -> None:
        with (
            pymysql.connect(
                unix_socket=address, user="root", database="truth", autocommit=True
            ) as other,
            other.cursor() as cursor,
        ):
            while not last.is_set():
                cursor.execute("UPDATE person SET age = age + 1 WHERE id = 77")
                writes.append(time.monotonic())
                first.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert first.wait(60)
        yield
    finally:
        last.set()
        writer.join(60)


def _pages(session: Session) -> int:
    """Return how many pages the server has looked at so far."""
    ((_, count),) = session.rows("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_read_requests'")
    return int(count)


@pytest.mark.long
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_change_is_dangerous_exactly_if_writes_wait_while_it_works(
    statement: str, server: Session, tmp_path: Path
) -> None:
    options = AnalyzeOptions(cache_dir=tmp_path, server="mariadb")
    assert _dangerous(statement, options) == _others_wait(server, statement)
