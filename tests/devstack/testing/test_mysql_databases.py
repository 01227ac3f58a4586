"""A named server stays unchanged: the tests use their own databases and drop them."""

from __future__ import annotations

from pathlib import Path

import pymysql

from devstack.testing import mysql
from devstack.testing.mysql_databases import name_of
from lib.db.mysql_session import connect_arguments

ROOT = Path(__file__).parents[3]


def _names(url: str) -> set[str]:
    arguments = connect_arguments(url, connect_seconds=30, statement_seconds=5)
    arguments.pop("db")
    with pymysql.connect(**arguments) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        return {str(name) for (name,) in cursor.fetchall()}


def test_the_server_of_test_mysql_url_is_used_and_left_as_it_was(empty_mysql, monkeypatch) -> None:
    monkeypatch.setenv("TEST_MYSQL_URL", f"{empty_mysql}?ssl-mode=DISABLED")
    before = _names(empty_mysql)
    with mysql.shared(ROOT / "migrations") as databases:
        urls = [databases.create_empty(), databases.create("department", demo=True)]
        assert {url.partition("?")[2] for url in urls} == {"ssl-mode=DISABLED"}
        assert {name_of(url) for url in urls} <= _names(urls[1]) - before
    assert _names(empty_mysql) == before
