"""A service's role on MariaDB: it gets the privileges of a new version, and never lacks one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest
from pymysql.cursors import Cursor

from devstack.testing.mysql_databases import MysqlDatabases, name_of
from lib.db import grants
from lib.db.mysql_session import connect_arguments

_DENIED = (1044, 1142, 1143, 1370)  # of a database, a table, a column, a routine
OF_THE_FORMER = (
    "GRANT ALL ON {db}.drawer TO {role}",
    "GRANT DELETE, TRIGGER, ALTER ON {db}.shelf TO {role} WITH GRANT OPTION",
    "GRANT UPDATE (label) ON {db}.book TO {role}",
    "GRANT SELECT ON {db}.titles TO {role}",
    "GRANT EXECUTE ON PROCEDURE {db}.sweep TO {role}",
    "GRANT INSERT, EXECUTE ON {db}.* TO {role} WITH GRANT OPTION",
)
DONE_BEFORE = (
    "DELETE FROM shelf", "UPDATE book SET label = 'x'", "INSERT INTO book VALUES ('b')",
    "INSERT INTO drawer VALUES ('d')", "SELECT * FROM titles", "CALL sweep()",
    "ALTER TABLE shelf COMMENT 'c'", "DROP TABLE drawer",
)  # fmt: skip
NEEDED = ("SELECT * FROM shelf", "UPDATE shelf SET label = 'y'", "SELECT * FROM book")


class Place:
    """A database with an owner and a service's role, as in a deployment."""

    def __init__(self, server: MysqlDatabases, folder: Path) -> None:
        self.url = server.create_empty("shop")
        self.name = name_of(self.url)
        self.db = self.name[-20:]  # the names of accounts end soon
        self.role = grants.role_of(self.db)
        self.folder = folder
        (folder / "grants").mkdir()
        self.as_admin(
            "CREATE TABLE shelf (label text)", "CREATE TABLE book (label text)",
            "CREATE TABLE drawer (label text)", "CREATE VIEW titles AS SELECT label FROM book",
            "CREATE PROCEDURE sweep() DELETE FROM drawer",
            f"CREATE USER `{self.db}`@`%` IDENTIFIED BY 'o', `{self.role}`@`%` IDENTIFIED BY 's'",
            f"GRANT ALL ON `{self.name}`.* TO `{self.db}` WITH GRANT OPTION",
        )  # fmt: skip
        for statement in OF_THE_FORMER:
            self.as_admin(statement.format(db=f"`{self.name}`", role=f"`{self.role}`"))
        (folder / grants.FILE).write_text(
            f"GRANT SELECT, UPDATE ON `shelf` TO `{self.role}`;\n"
            f"GRANT SELECT ON `book` TO `{self.role}`;\n"
        )

    def connected(self, user: str = "", password: str = "") -> Any:
        parts = urlsplit(self.url)
        at = parts.netloc.rpartition("@")[2]
        url = parts._replace(netloc=f"{user}:{password}@{at}").geturl() if user else self.url
        given = connect_arguments(url, connect_seconds=30, statement_seconds=20)
        given["database"] = given.pop("db")
        return pymysql.connect(**given | {"autocommit": True})

    def as_admin(self, *statements: str) -> None:
        with self.connected() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def refused(self, statements: tuple[str, ...]) -> list[str]:
        """Return the statements that the role may not execute."""
        found = []
        with self.connected(self.role, "s") as connection, connection.cursor() as cursor:
            for statement in statements:
                try:
                    cursor.execute(statement)
                except pymysql.err.MySQLError as error:
                    if error.args[0] not in _DENIED:
                        raise
                    found.append(statement)
        return found

    def apply(self, *, only: bool, as_admin: bool = False) -> bool:
        """Apply the grants as the owner, who cannot see other roles' privileges."""
        if as_admin:
            return grants.apply(self.url, self.folder, db=self.db, only=only)
        parts = urlsplit(self.url)
        at = parts.netloc.rpartition("@")[2]
        url = parts._replace(netloc=f"{self.db}:o@{at}").geturl()
        return grants.apply(url, self.folder, db=self.db, only=only)


@pytest.fixture
def place(mysql_server: MysqlDatabases, tmp_path: Path) -> Iterator[Place]:
    place = Place(mysql_server, tmp_path)
    yield place
    place.as_admin(f"DROP USER `{place.db}`, `{place.role}`")
    mysql_server.drop(place.url)


def test_what_only_the_former_version_needed_stays_until_it_is_taken(place: Place) -> None:
    assert place.apply(only=False)
    assert place.refused((*NEEDED, *DONE_BEFORE)) == []
    place.as_admin("CREATE TABLE drawer (label text)")
    assert place.apply(only=True)
    assert place.refused(DONE_BEFORE) == list(DONE_BEFORE)
    assert place.refused(NEEDED) == []
    with place.connected() as connection, connection.cursor() as cursor:
        cursor.execute(f"SHOW GRANTS FOR `{place.role}`")
        left = sorted(str(row[0]).partition(" TO ")[0] for row in cursor.fetchall())
    assert left == [
        f"GRANT SELECT ON `{place.name}`.`book`",
        f"GRANT SELECT, UPDATE ON `{place.name}`.`shelf`",
        "GRANT USAGE ON *.*",
    ]
    assert place.apply(only=True), "where there is nothing to take, nothing is wrong"


def test_a_service_that_runs_meanwhile_is_refused_nothing_that_it_needs(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test checks the privileges between any two statements."""
    place.apply(only=False)
    refused: list[tuple[str, list[str]]] = []
    plainly = Cursor.execute

    def execute(cursor: Cursor, statement: str, *args: Any) -> int:
        done = plainly(cursor, statement, *args)
        with monkeypatch.context() as patch:
            patch.setattr(Cursor, "execute", plainly)
            refused.append((statement, place.refused(NEEDED)))
        return done

    monkeypatch.setattr(Cursor, "execute", execute)
    place.apply(only=True)
    assert len(refused) > 8
    assert [each for each in refused if each[1]] == []


def test_where_there_is_no_such_role_nobody_is_made_or_given_anything(place: Place) -> None:
    place.as_admin(f"RENAME USER `{place.role}` TO `{place.role}_x`")
    assert not place.apply(only=True)
    assert not place.apply(only=True, as_admin=True), "who could make one by a GRANT to nobody"
    with place.connected() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM mysql.user WHERE user = %s", (place.role,))
        assert cursor.fetchone() == (0,)
    place.as_admin(f"RENAME USER `{place.role}_x` TO `{place.role}`")


def test_a_right_that_would_be_taken_back_is_refused_before_anything_changes(place: Place) -> None:
    file = place.folder / grants.FILE
    file.write_text(f"{file.read_text()}GRANT EXECUTE ON PROCEDURE sweep TO `{place.role}`;\n")
    with pytest.raises(
        ValueError, match="the statement does not grant privileges on a single table: GRANT EXECUTE"
    ):
        place.apply(only=True)
    assert place.refused(("CALL sweep()", "DELETE FROM shelf")) == []
