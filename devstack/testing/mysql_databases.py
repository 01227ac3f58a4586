"""The databases of the tests on a running MySQL or MariaDB server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymysql
from pymysql.connections import Connection

from devstack.testing.mysql_clone import dump, restore
from devstack.testing.roles import mysql_role_of
from lib.db import migrations
from lib.db.grants import role_of, statements
from lib.db.mysql_session import connect_arguments

Kind = tuple[str, bool]  # a database's name, and whether it has demo data


class MysqlDatabases:
    """Create and drop databases on the server at `url`; their names start with `prefix`."""

    def __init__(self, url: str, migrations_root: Path, prefix: str = "") -> None:
        self.url = url
        self._root = migrations_root
        self._prefix = prefix
        self._made: dict[str, None] = {}
        self._count = 0
        self._templates: dict[Kind, tuple[str, ...] | None] = {}
        self._copies: dict[str, Kind] = {}
        self._free: dict[Kind, list[str]] = {}

    def create(self, db: str, *, demo: bool = False) -> str:
        """Return the URL of a new database with `db`'s schema and, if asked, its demo data.

        The first database is migrated. Later databases are copies of the first one, or returned
        copies that were reset.
        """
        kind = (db, demo)
        if free := self._free.get(kind):
            return free.pop()
        url = self.create_empty(db)
        if kind not in self._templates:
            self._templates[kind] = self._dump(self._migrated(db, demo=demo))
        template = self._templates[kind]
        if template is None:
            self._migrate(url, db, demo=demo)
        else:
            self._run(name_of(url), template)
            self._copies[url] = kind
        self._give_rights(url, db)
        return url

    def give_back(self, url: str) -> None:
        """Take back a database that is no longer used; it is used again or dropped."""
        kind = self._copies.get(url)
        template = self._templates[kind] if kind else None
        if kind and template and self._restore(name_of(url), template):
            self._free.setdefault(kind, []).append(url)
        else:
            self._copies.pop(url, None)
            self.drop(url)

    def create_empty(self, name: str = "empty") -> str:
        """Return the URL of a new empty database."""
        self._count += 1
        database = f"{self._prefix}{name}_{self._count}"
        self._admin(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        self._made[database] = None
        return urlsplit(self.url)._replace(path=f"/{database}").geturl()

    def drop(self, url: str) -> None:
        """Drop a database that this object created."""
        self._admin(f"DROP DATABASE IF EXISTS `{name_of(url)}`")
        self._admin(f"DROP USER IF EXISTS `{mysql_role_of(name_of(url))}`@`%`")
        self._made.pop(name_of(url), None)

    def drop_all(self) -> None:
        """Drop all remaining databases that this object created."""
        for database in tuple(self._made):
            self.drop(f"/{database}")

    def accepts(self) -> bool:
        """Return whether the server accepts the account now."""
        try:
            self._admin("SELECT 1")
        except pymysql.MySQLError:
            return False
        return True

    def _migrated(self, db: str, *, demo: bool) -> str:
        url = self.create_empty(f"template_{db}")
        self._migrate(url, db, demo=demo)
        return url

    def _migrate(self, url: str, db: str, *, demo: bool) -> None:
        migrations.apply(url, migrations.source(self._root, db, url), db=db, demo=demo)

    def _give_rights(self, url: str, db: str) -> None:
        """Give the service's role only the privileges that its queries need."""
        role = mysql_role_of(name_of(url))
        grants = statements(migrations.source(self._root, db, url))
        self._admin(f"CREATE USER IF NOT EXISTS `{role}`@`%` IDENTIFIED BY '{role}'")
        self._run(name_of(url), tuple(each.replace(role_of(db), role) for each in grants))

    def _dump(self, url: str) -> tuple[str, ...] | None:
        with self._connect() as connection:
            return dump(connection, name_of(url))

    def _restore(self, database: str, template: tuple[str, ...]) -> bool:
        with self._connect() as connection:
            return restore(connection, database, template)

    def _run(self, database: str, statements: tuple[str, ...]) -> None:
        with self._connect() as connection, connection.cursor() as cursor:
            connection.select_db(database)
            for statement in statements:
                cursor.execute(statement)

    def _admin(self, statement: str) -> None:
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    @contextmanager
    def _connect(self) -> Iterator[Connection[Any]]:
        arguments = connect_arguments(self.url, connect_seconds=30, statement_seconds=60)
        arguments.pop("db")
        with pymysql.connect(**arguments) as connection:
            yield connection


def name_of(url: str) -> str:
    """Return the name of the database at the end of a URL."""
    return urlsplit(url).path.lstrip("/")
