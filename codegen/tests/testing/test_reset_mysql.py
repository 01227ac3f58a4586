"""A returned MariaDB database equals a new one, for any writes of a test."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import aiomysql
import pymysql
import pytest
from aiosqlc.testing import Databases, TemplateError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.mysql import TestMysql, connect_arguments
from tests.servers.programs import program

EXAMPLES = settings.default.max_examples // 5  # each runs mariadb-dump
SHOP = [
    ("CREATE TABLE author (id bigint AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL UNIQUE,"
    " book_id int, `o``dd` int INVISIBLE DEFAULT 3, CONSTRAINT named CHECK (name <> ''))"),
    ("CREATE TABLE book (id int AUTO_INCREMENT PRIMARY KEY, author_id bigint NOT NULL, up int,"
    " price decimal(8, 3), total decimal(9, 3) AS (price * 2) STORED, twice int AS (up * 2),"
    " cover blob, ratio float, at timestamp(6) NULL, facts json, mood enum('sad', 'happy'),"
    " changed timestamp NOT NULL DEFAULT '2024-01-01' ON UPDATE CURRENT_TIMESTAMP,"
    " FOREIGN KEY (author_id) REFERENCES author (id) ON DELETE CASCADE ON UPDATE CASCADE,"
    " FOREIGN KEY (up) REFERENCES book (id) ON DELETE SET NULL) AUTO_INCREMENT = 50"),
    "ALTER TABLE author ADD FOREIGN KEY (book_id) REFERENCES book (id)",
    "CREATE TABLE plain (n int, t text)",
    "CREATE TABLE log (id int AUTO_INCREMENT PRIMARY KEY, t text)",
    "CREATE TABLE old (id int AUTO_INCREMENT PRIMARY KEY, t text) ENGINE=MyISAM",
    "CREATE TABLE fast (id int) ENGINE=MEMORY",
    ("CREATE TABLE event (id int, at date NOT NULL) PARTITION BY RANGE (year(at))"
    " (PARTITION a VALUES LESS THAN (2025), PARTITION b VALUES LESS THAN MAXVALUE)"),
    "CREATE TABLE seen (id int AUTO_INCREMENT PRIMARY KEY, n int)",
    "CREATE TABLE noted (id int PRIMARY KEY, n int)",
    "CREATE TABLE zero (id int AUTO_INCREMENT PRIMARY KEY)",
    "CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC RETURN n * 2",
    "CREATE PROCEDURE fill() BEGIN INSERT INTO log (t) VALUES ('a'); SELECT 1; END",
    "CREATE VIEW a_names AS SELECT * FROM names",
    "CREATE EVENT later ON SCHEDULE EVERY 1 YEAR DO DELETE FROM log",
    "INSERT INTO author (name) VALUES ('Ada'), ('a%s \\\\ \"quoted\"; x')",
    ("INSERT INTO book (author_id, price, cover, ratio, at, facts) VALUES"
    " (1, 1.5, x'00ff27', 0.1, '2024-10-27 00:30:00.000001', '{\"a\": [1, null]}'),"
    " (2, NULL, NULL, 1e30, NULL, 'null')"),
    "INSERT INTO plain VALUES (2, 'b'), (1, 'a'), (1, 'a'), (NULL, NULL)",
    "INSERT INTO old (t) VALUES ('a'), ('b')",
    "DELETE FROM old WHERE id = 2",
    "INSERT INTO event VALUES (1, '2024-05-05'), (2, '2030-01-01')",
    "INSERT INTO noted VALUES (1, 10), (2, 20)",
    "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "INSERT INTO zero VALUES (0), (7)",
    "CREATE TRIGGER first BEFORE INSERT ON noted FOR EACH ROW SET NEW.n = NEW.n + 1",
    "CREATE TRIGGER later BEFORE INSERT ON noted FOR EACH ROW SET NEW.n = NEW.n * 2",
    "CREATE TRIGGER gone AFTER DELETE ON noted FOR EACH ROW INSERT INTO log (t) VALUES ('n')",
    ("CREATE TRIGGER no BEFORE DELETE ON seen FOR EACH ROW"
    " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'"),
]  # fmt: skip
SHOP.insert(SHOP.index("CREATE VIEW a_names AS SELECT * FROM names"),
            "CREATE VIEW names AS SELECT name, twice(id) AS n FROM author")  # fmt: skip
MARIADB = [
    "CREATE SEQUENCE spare START 5 INCREMENT 2",
    "SELECT NEXTVAL(spare)",
    "CREATE TABLE numbered (id int PRIMARY KEY DEFAULT NEXTVAL(spare), n int)",
    "CREATE TABLE kept (id int PRIMARY KEY, n int) WITH SYSTEM VERSIONING",
    "INSERT INTO kept VALUES (1, 1)",
]
# Writes that a reset undoes. Each is one session.
ROWS = [
    "INSERT INTO author (name) VALUES ('new')",
    "INSERT IGNORE INTO author (name) VALUES ('Ada')",
    "UPDATE author SET name = upper(name)",
    "UPDATE author SET id = 9 WHERE id = 1",
    "DELETE FROM author WHERE id = 1",
    "DELETE FROM author WHERE id = 2; SELECT 1",
    "BEGIN; INSERT INTO author (name) VALUES ('new'); ROLLBACK",
    "BEGIN; INSERT INTO author (name) VALUES ('new')",
    "SET foreign_key_checks = 0; TRUNCATE author",
    "UPDATE book SET up = id, mood = 'sad', price = 9.25",
    "INSERT INTO book (author_id) SELECT 1 FROM author",
    "DELETE FROM book",
    "TRUNCATE log", "INSERT INTO log (t) VALUES ('a'); TRUNCATE log",
    "INSERT INTO log (id, t) VALUES (1000, 'a'); DELETE FROM log",
    "INSERT INTO plain VALUES (1, 'a')", "UPDATE plain SET n = 3 LIMIT 1",
    "DELETE FROM plain LIMIT 1", "UPDATE plain SET n = NULL WHERE n = 2",
    "INSERT INTO old (t) VALUES ('c')", "DELETE FROM old", "TRUNCATE old",
    "BEGIN; INSERT INTO old (t) VALUES ('c'); ROLLBACK",
    "INSERT INTO fast VALUES (1)",
    "INSERT INTO event VALUES (3, '2024-06-06')", "UPDATE event SET at = '2040-01-01'",
    "INSERT INTO seen (n) VALUES (1)", "INSERT INTO noted VALUES (3, 3)",
    "DELETE FROM noted", "UPDATE noted SET n = n + 1",
    "INSERT INTO zero VALUES (NULL)", "UPDATE zero SET id = 3 WHERE id = 0",
    "CALL fill()", "SET sql_log_bin = 0; DELETE FROM plain",
    "CREATE TEMPORARY TABLE mine AS SELECT * FROM author",
    "CREATE TABLE mine (id int AUTO_INCREMENT PRIMARY KEY, b int REFERENCES book (id))",
    "ALTER TABLE book AUTO_INCREMENT = 900",
    "ANALYZE TABLE author", "OPTIMIZE TABLE plain", "FLUSH TABLES",
    "LOCK TABLES author WRITE; DELETE FROM author WHERE id = 2",
    "SET foreign_key_checks = 0; INSERT INTO book (author_id) VALUES (999)",
]  # fmt: skip
ROWS_MARIADB = [
    "SELECT NEXTVAL(spare)", "SELECT SETVAL(spare, 5000)", "BEGIN; SELECT NEXTVAL(spare)",
    "INSERT INTO numbered (n) VALUES (1)", "UPDATE kept SET n = 2", "DELETE FROM kept",
]  # fmt: skip
# Other changes, after which the database is replaced.
OTHER = [
    "ALTER TABLE plain ADD COLUMN more int", "ALTER TABLE plain COMMENT 'new'",
    "ALTER TABLE plain ENGINE=MyISAM", "DROP TABLE log", "RENAME TABLE log TO log2",
    "CREATE INDEX i ON plain (n)", "CREATE VIEW v AS SELECT 1 AS one",
    "ALTER VIEW names AS SELECT 1 AS name", "DROP FUNCTION twice", "DROP TRIGGER first",
    "CREATE TRIGGER more BEFORE INSERT ON plain FOR EACH ROW SET NEW.n = 1",
    "ALTER EVENT later DISABLE", "ALTER PROCEDURE fill COMMENT 'new'",
    "ALTER DATABASE CHARACTER SET latin1", "ALTER TABLE book ALTER price SET DEFAULT 7",
    "ALTER TABLE event DROP PARTITION a", "ALTER TABLE author DROP CONSTRAINT named",
    "DROP TABLE plain; CREATE TABLE plain (n int)",
]  # fmt: skip
OTHER_MARIADB = ["DROP SEQUENCE IF EXISTS unknown, spare", "ALTER SEQUENCE spare INCREMENT 5"]


def _session(url: str) -> pymysql.Connection:
    arguments = connect_arguments(url)
    arguments["client_flag"] |= pymysql.constants.CLIENT.MULTI_STATEMENTS
    return pymysql.connect(**arguments)


def _run(url: str, *statements: str) -> None:
    """Run each statement in its own session, which stays open."""
    for statement in statements:
        _execute(_session(url), statement)


def _execute(connection: pymysql.Connection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        while cursor.nextset():
            pass


def dumped(url: str) -> str:
    """Return all definitions, rows in their order and AUTO_INCREMENT values."""
    parts = urlsplit(url)
    command = [
        program("mariadb-dump", "mysqldump"), "--no-defaults", f"--host={parts.hostname}",
        f"--port={parts.port}", f"--user={parts.username}", "--hex-blob", "--routines", "--events",
        "--skip-dump-date", "--skip-extended-insert", "--complete-insert",
        "--skip-comments", "--single-transaction", parts.path[1:],
    ]  # fmt: skip
    environ = {**os.environ, "MYSQL_PWD": parts.password or ""}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    assert "INSERT INTO `plain`" in done.stdout
    return done.stdout.replace(parts.path[1:], "")


def _made(url: str) -> object:
    """Return the identity of a database, which a replacement does not have.

    No statement of these tests creates the table again.
    """
    with _session(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_id FROM information_schema.innodb_sys_tables"
            " WHERE name = concat(database(), '/noted')"
        )
        return cursor.fetchone()


@pytest.fixture(scope="module")
def template(mysql_server: TestMysql) -> Iterator[str]:
    url = mysql_server.create_empty("tpl")
    with _session(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        if "MariaDB" not in str(cursor.fetchone()):
            pytest.skip("the statements of these tests are MariaDB's")
        for statement in [*SHOP, *MARIADB]:
            cursor.execute(statement)
    yield url
    mysql_server.drop(url)


@pytest.fixture(scope="module")
def shop(template: str) -> Iterator[Databases]:
    with Databases(template) as databases:
        yield databases


@pytest.fixture(scope="module")
def new(shop: Databases) -> str:
    """Return the dump of a new database."""
    url = shop.take()
    dump = dumped(url)
    shop.give_back(url)
    return dump


def test_a_copy_equals_the_template(template: str, new: str) -> None:
    assert dumped(template) == new


@pytest.mark.long
@pytest.mark.parametrize("statement", [*ROWS, *ROWS_MARIADB])
def test_a_reset_undoes(statement: str, shop: Databases, new: str) -> None:
    url = shop.take()
    before = _made(url)
    for _ in range(2):
        _run(url, statement)
        shop.give_back(url)
        assert shop.take() == url
        assert dumped(url) == new
    assert _made(url) == before
    shop.give_back(url)


@pytest.mark.long
@pytest.mark.parametrize("statement", [*OTHER, *OTHER_MARIADB])
def test_the_database_is_replaced_after(statement: str, shop: Databases, new: str) -> None:
    url = shop.take()
    before = _made(url)
    _run(url, statement)
    shop.give_back(url)
    assert shop.take() == url
    assert dumped(url) == new
    assert _made(url) != before
    shop.give_back(url)


@settings(max_examples=EXAMPLES)
@given(writes=st.lists(st.sampled_from([*ROWS, *ROWS_MARIADB, *ROWS, *OTHER]), max_size=8))
def test_any_sequence_of_writes_leaves_a_new_database(
    writes: list[str], shop: Databases, new: str
) -> None:
    url = shop.take()
    for statement in writes:
        with suppress(pymysql.MySQLError), _session(url) as connection:
            _execute(connection, statement)
    shop.give_back(url)
    again = shop.take()
    assert (again, dumped(again)) == (url, new)
    shop.give_back(url)


async def test_sessions_are_ended_and_their_open_transactions_are_undone(
    shop: Databases, new: str
) -> None:
    url = shop.take()
    arguments = connect_arguments(url)
    left = await aiomysql.connect(**{**arguments, "autocommit": False})
    async with left.cursor() as cursor:
        await cursor.execute("DELETE FROM plain")
    await asyncio.to_thread(shop.give_back, url)
    with pytest.raises(pymysql.MySQLError):
        await left.commit()
    left.close()
    assert shop.take() == url
    assert dumped(url) == new
    shop.give_back(url)


# Neither the test's database nor the session's default database names these transactions.
@pytest.mark.parametrize("write", ["DELETE FROM {}.plain", "INSERT INTO {}.seen (n) VALUES (1)"])
def test_an_uncommitted_change_of_a_foreign_session_is_not_passed_on(
    write: str, mysql_server: TestMysql, shop: Databases, new: str
) -> None:
    url = shop.take()
    with _session(mysql_server.url) as stranger:
        _execute(stranger, f"BEGIN; {write.format(urlsplit(url).path[1:])}")
        shop.give_back(url)
        other = shop.take()
        _execute(stranger, "COMMIT")
        assert other != url
        assert dumped(other) == new
        shop.give_back(other)


def test_a_prepared_transaction_is_not_passed_on(shop: Databases, new: str) -> None:
    url = shop.take()
    _run(url, "XA START 'a'; INSERT INTO plain VALUES (9, 'x'); XA END 'a'; XA PREPARE 'a'")
    shop.give_back(url)
    other = shop.take()
    with _session(other) as connection:
        _execute(connection, "XA COMMIT 'a'")
    assert other != url
    assert dumped(other) == new
    shop.give_back(other)


def test_versions_of_rows_are_undone(shop: Databases) -> None:
    url = shop.take()
    _run(url, "UPDATE kept SET n = 2")
    shop.give_back(url)
    assert shop.take() == url
    with _session(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM kept FOR SYSTEM_TIME ALL")
        assert cursor.fetchall() == ((1,),)
    shop.give_back(url)


def test_two_tests_at_once_have_two_databases(shop: Databases, new: str) -> None:
    one, two = shop.take(), shop.take()
    _run(one, "DELETE FROM event")
    assert dumped(two) == new
    for url in (one, two):
        shop.give_back(url)


def test_a_database_that_a_test_drops_is_made_again(shop: Databases, new: str) -> None:
    url = shop.take()
    _run(url, "DROP DATABASE " + urlsplit(url).path[1:])
    shop.give_back(url)
    assert shop.take() == url
    assert dumped(url) == new
    shop.give_back(url)


def test_a_test_may_end_the_session_that_resets(shop: Databases, new: str) -> None:
    url = shop.take()
    with _session(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM information_schema.processlist"
            " WHERE db = database() AND id <> connection_id()"
        )
        for (session,) in cursor.fetchall():
            cursor.execute(f"KILL {session}")
        cursor.execute("DELETE FROM plain")
    shop.give_back(url)
    assert shop.take() == url
    assert dumped(url) == new
    shop.give_back(url)


def test_the_copies_are_dropped_at_the_end(template: str) -> None:
    with Databases(template, name=lambda: "dropped_at_the_end") as databases:
        url = databases.take()
        _run(url, "SELECT 1")
    with pytest.raises(pymysql.MySQLError, match="Unknown database"):
        _session(url)


def test_a_view_that_does_not_work_is_reported(mysql_server: TestMysql) -> None:
    template = mysql_server.create_empty("tpl")
    _run(template, "CREATE TABLE t (id int); CREATE VIEW v AS SELECT * FROM t; DROP TABLE t")
    with Databases(template) as databases, pytest.raises(TemplateError, match="the view v cannot"):
        databases.take()
    mysql_server.drop(template)
