"""A copy of a MySQL database equals a migrated one, and is independent of it."""

from __future__ import annotations

from contextlib import closing

import pymysql
import pytest

from devstack.testing.mysql_clone import dump
from lib.db import mysql_session

SCHEMA = """
CREATE TABLE parent (id int PRIMARY KEY AUTO_INCREMENT,
    name varchar(20) COLLATE utf8mb4_bin NOT NULL,
    shouted varchar(20) AS (upper(name)) STORED, price decimal(9, 2) CHECK (price > 0));
CREATE TABLE child (id int PRIMARY KEY, parent int NOT NULL, UNIQUE KEY of_parent (parent),
    FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent (name, price) VALUES ('ann', 1.5), ('it''s 100%', NULL);
INSERT INTO child VALUES (7, 2);
CREATE VIEW pairs AS SELECT p.name, c.id FROM parent p LEFT JOIN child c ON c.parent = p.id;
CREATE TRIGGER quiet BEFORE INSERT ON child FOR EACH ROW SET NEW.id = NEW.id + 1;
"""


@pytest.fixture
def connect(mysql_server):
    opened = []

    def run(url: str):
        arguments = mysql_session.connect_arguments(url, connect_seconds=30, statement_seconds=5)
        opened.append(pymysql.connect(database=arguments.pop("db"), **arguments))
        return opened[-1]

    yield run
    for connection in opened:
        connection.close()


def _run(connection, *statements: str) -> list[tuple[object, ...]]:
    with closing(connection.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def _shown(connection) -> list[object]:
    return [
        _run(connection, "SHOW CREATE TABLE parent"),
        _run(connection, "SHOW CREATE TABLE child"),
        _run(connection, "SHOW CREATE VIEW pairs"),
        _run(connection, "SELECT * FROM parent ORDER BY id"),
        _run(connection, "SELECT * FROM child"),
        _run(connection, "SELECT * FROM pairs ORDER BY name"),
        [row[:5] for row in _run(connection, "SHOW TRIGGERS")],
    ]


@pytest.fixture
def original(mysql_server, connect):
    url = mysql_server.create_empty("original")
    _run(connect(url), *(part for part in SCHEMA.split(";\n") if part.strip()))
    yield url
    mysql_server.drop(url)


def test_a_copy_has_the_same_tables_rows_views_and_triggers(
    mysql_server, connect, original
) -> None:
    copy = mysql_server.create_empty("copy")
    first, second = connect(original), connect(copy)
    statements = dump(first, original.rpartition("/")[2])
    assert statements is not None
    _run(second, *statements)
    assert _shown(second) == _shown(first)

    _run(second, "INSERT INTO child VALUES (1, 1)", "DELETE FROM parent WHERE id = 2")
    assert _run(second, "SELECT * FROM child") == [(2, 1)]
    assert _run(first, "SELECT * FROM child") == [(7, 2)]
    mysql_server.drop(copy)


def test_what_cannot_be_copied_is_not(connect, original) -> None:
    connection = connect(original)
    _run(connection, "CREATE FUNCTION one () RETURNS int DETERMINISTIC RETURN 1")
    assert dump(connection, original.rpartition("/")[2]) is None


def test_a_second_database_has_the_demo_data_of_the_first(mysql_server, connect) -> None:
    counts = []
    for _ in range(2):
        url = mysql_server.create("department", demo=True)
        counts.append(_run(connect(url), "SELECT count(*) FROM department"))
        mysql_server.drop(url)
    assert counts[0] == counts[1] != [(0,)]


COLUMNS = [("position", "outbox"), ("id", "outbox_lane")]
EVENT = """
INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
VALUES ('0123456789abcdef', 0, 't', 'k', 'x', '', '', '')
"""


def _used(connection) -> list[list[tuple]]:
    """Change a product database; return its contents before and after."""
    before = _run(connection, "SELECT count(*) FROM price_change")
    _run(connection, EVENT, "DELETE FROM price_change", "UPDATE outbox_lane SET id = id + 10")
    return [before, *(_run(connection, f"SELECT {c} FROM {t}") for c, t in COLUMNS)]


def test_a_database_that_is_given_back_is_used_again_as_new(mysql_server, connect) -> None:
    url = mysql_server.create("product", demo=True)
    found = _used(connect(url))
    mysql_server.give_back(url)
    again = mysql_server.create("product", demo=True)
    assert (again, _used(connect(again))) == (url, found)
    mysql_server.drop(again)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE product ADD COLUMN width int",
        "CREATE TABLE shelf (id int)",
        "CREATE VIEW wide AS SELECT 1 AS one",
        "CREATE TRIGGER kept BEFORE DELETE ON product FOR EACH ROW SET @kept = 1",
        "CREATE FUNCTION one () RETURNS int DETERMINISTIC RETURN 1",
        "DROP TABLE outbox",
    ],
)
def test_a_database_whose_schema_has_changed_is_not_used_again(
    mysql_server, connect, change
) -> None:
    url = mysql_server.create("product", demo=True)
    _run(connect(url), change)
    mysql_server.give_back(url)
    again = mysql_server.create("product", demo=True)
    assert again != url
    mysql_server.drop(again)
