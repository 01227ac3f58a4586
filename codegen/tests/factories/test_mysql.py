"""A generated factory inserts rows that MariaDB accepts, and only such rows."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiomysql
import pymysql
import pytest
from aiosqlc.cli.main import main
from aiosqlc.mysql.recipes import search
from aiosqlc.servers.private import NoServerError

from tests.drivers.running import complaints
from tests.projects import write_project
from tests.servers.mysql import TestMysql, connect_arguments
from tools.realworld.typecheck import type_errors

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """\
version: "2"
sql:
  - engine: mysql
    schema: schema.sql
    queries: queries.sql
    gen: {python: {out: store, driver: DRIVER}}
"""
SHOP = """\
CREATE TABLE author (
    id bigint unsigned PRIMARY KEY AUTO_INCREMENT,
    email varchar(99) NOT NULL UNIQUE CHECK (email LIKE '%@%'),
    name varchar(20) NOT NULL, born date, changed_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE book (
    id char(36) PRIMARY KEY, author_id bigint unsigned NOT NULL, editor_id bigint unsigned,
    title varchar(99) NOT NULL UNIQUE, isbn char(13) NOT NULL CHECK (CHAR_LENGTH(isbn) = 13),
    mood enum('sad', 'happy') NOT NULL, tags set('new', 'old') NOT NULL, data json NOT NULL,
    price decimal(6, 2) NOT NULL CHECK (price > 0), cover varbinary(8) NOT NULL,
    total decimal(8, 2) AS (price * 2) STORED, kept tinyint(1) NOT NULL DEFAULT 0,
    FOREIGN KEY (author_id) REFERENCES author (id), FOREIGN KEY (editor_id) REFERENCES author (id)
);
CREATE TABLE review (
    book_id char(36), reviewer varchar(30), stars tinyint unsigned NOT NULL,
    CHECK (stars BETWEEN 1 AND 5), PRIMARY KEY (book_id, reviewer),
    FOREIGN KEY (book_id) REFERENCES book (id)
);
CREATE TABLE reply (
    id int PRIMARY KEY, book_id char(36) NOT NULL, reviewer varchar(30) NOT NULL, n int NOT NULL,
    FOREIGN KEY (book_id, reviewer) REFERENCES review (book_id, reviewer)
);
"""
# Each schema, with the tables that get no function and a part of the reason.
SCHEMAS: dict[str, tuple[str, dict[str, str]]] = {
    "a shop": (SHOP, {}),
    "conditions over several columns": (
        """CREATE TABLE t (
            id int PRIMARY KEY, state varchar(9) NOT NULL CHECK (state IN ('open', 'closed')),
            closed_at datetime, reason text, starts date NOT NULL, ends date NOT NULL,
            CHECK ((state = 'closed') = (closed_at IS NOT NULL)), CHECK (ends > starts),
            CHECK ((closed_at IS NULL) = (reason IS NULL)));""",
        {},
    ),
    "one of two references": (
        """CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE b (id int PRIMARY KEY);
        CREATE TABLE t (id int PRIMARY KEY, a_id int, b_id int,
            CHECK (a_id IS NOT NULL OR b_id IS NOT NULL),
            FOREIGN KEY (a_id) REFERENCES a (id), FOREIGN KEY (b_id) REFERENCES b (id));""",
        {},
    ),
    "small types": (
        """CREATE TABLE t (
            id tinyint unsigned PRIMARY KEY AUTO_INCREMENT, a char(1) NOT NULL UNIQUE,
            b smallint NOT NULL UNIQUE, c decimal(3, 2) NOT NULL, d bit(1) NOT NULL,
            e year NOT NULL, f time NOT NULL, g binary(2) NOT NULL, h float NOT NULL,
            i mediumint unsigned NOT NULL, j varchar(2) NOT NULL, `a b` int NOT NULL,
            k uuid NOT NULL, l inet6 NOT NULL, m point NOT NULL);""",
        {},
    ),
    "rows of the schema": (
        """CREATE TABLE role (name varchar(9) PRIMARY KEY, title varchar(99) NOT NULL,
            CHECK (name IN ('a', 'b')));
        INSERT INTO role VALUES ('a', 'A'), ('b', 'B');
        CREATE TABLE person (id int PRIMARY KEY AUTO_INCREMENT, role varchar(9) NOT NULL,
            FOREIGN KEY (role) REFERENCES role (name));""",
        {"role": "the schema already inserts rows"},
    ),
    "tables without a row that can be read": (
        """CREATE TABLE log (line text, n int NOT NULL, code varchar(9) UNIQUE);
        CREATE TABLE part (id int PRIMARY KEY, code varchar(9) NOT NULL,
            FOREIGN KEY (code) REFERENCES log (code));
        CREATE TABLE old (id int PRIMARY KEY) ENGINE = MyISAM;
        CREATE TABLE node (id int PRIMARY KEY, up int NOT NULL,
            FOREIGN KEY (up) REFERENCES node (id));""",
        {
            "part": "the referenced table log has no key that identifies a row",
            "old": "its engine cannot undo an INSERT",
            "node": "the referenced table node has no row",
        },
    ),
    "a unique column with one value": (
        """CREATE TABLE t (id uuid PRIMARY KEY DEFAULT uuid(), b text NOT NULL,
            a int NOT NULL UNIQUE, CHECK (a = 4));""",
        {"t": "for key 'a'"},
    ),
    "a trigger that rejects": (
        """CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL);
        CREATE TRIGGER closed BEFORE INSERT ON t FOR EACH ROW
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'read-only';""",
        {"t": "read-only"},
    ),
}


def _project(root: Path, schema: str, driver: str = "aiomysql") -> Path:
    config = CONFIG.replace("DRIVER", driver)
    write_project(root, {"schema.sql": schema, "queries.sql": "", "sqlc.yaml": config})
    return root


@contextmanager
def _factory(root: Path, name: str) -> Iterator[Any]:
    sys.path.insert(0, str(root))
    try:
        yield importlib.import_module(f"{name}.factory")
    finally:
        sys.path.remove(str(root))
        for loaded in [key for key in sys.modules if key.split(".")[0] == name]:
            del sys.modules[loaded]


@asynccontextmanager
async def _database(server: TestMysql, schema: str) -> AsyncIterator[Any]:
    url = server.create_empty("rows")
    arguments = connect_arguments(url)
    with pymysql.connect(**arguments) as made, made.cursor() as cursor:
        for statement in schema.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
    connection = await aiomysql.connect(**arguments)
    try:
        yield connection
    finally:
        connection.close()
        server.drop(url)


def _executor(connection: Any) -> Any:
    return importlib.import_module("rows.adapter").AiomysqlExecutor(connection)


def _methods(factory: object) -> list[str]:
    return [name for name, _ in inspect.getmembers(factory) if name.startswith("make_")]


@pytest.mark.parametrize(("schema", "refused"), SCHEMAS.values(), ids=SCHEMAS)
async def test_the_server_accepts_the_rows_of_a_schema_with(
    schema: str,
    refused: dict[str, str],
    tmp_path: Path,
    mysql_server: TestMysql,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _project(tmp_path, schema)
    monkeypatch.chdir(tmp_path)
    assert main(["factories", "rows", "-f", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    for table, reason in refused.items():
        assert f"no function for the table {table}: " in said
        assert reason in said
    assert said.count("no function") == len(refused)
    if not (tmp_path / "rows" / "factory.py").exists():
        return
    with _factory(tmp_path, "rows") as module:
        async with _database(mysql_server, schema) as connection:
            factory = module.Factory(_executor(connection))
            for name in _methods(factory):
                for _ in range(6):
                    await getattr(factory, name)()


async def test_a_factory_keeps_given_values_and_inserts_referenced_rows(
    tmp_path: Path, mysql_server: TestMysql, monkeypatch: pytest.MonkeyPatch
) -> None:
    _project(tmp_path, SHOP)
    monkeypatch.chdir(tmp_path)
    assert main(["factories", "rows", "-f", str(tmp_path)]) == 0
    with _factory(tmp_path, "rows") as module:
        async with _database(mysql_server, SHOP) as connection:
            factory = module.Factory(_executor(connection), first=5)
            author = await factory.make_author(id=7, name="Ada")
            assert (author.id, author.name, author.born) == (7, "Ada", None)
            book = await factory.make_book(author_id=7)
            assert book.author_id == 7
            assert book.total == book.price * 2
            review = await factory.make_review(stars=4)
            assert review.stars == 4
            other = await factory.make_author()
            assert other.id > 7


async def test_a_row_of_a_table_without_a_key_is_inserted_but_not_returned(
    tmp_path: Path, mysql_server: TestMysql, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = "CREATE TABLE log (line text NOT NULL, n int AUTO_INCREMENT, KEY (n));"
    _project(tmp_path, schema)
    monkeypatch.chdir(tmp_path)
    assert main(["factories", "rows", "-f", str(tmp_path)]) == 0
    with _factory(tmp_path, "rows") as module:
        async with _database(mysql_server, schema) as connection:
            factory = module.Factory(_executor(connection))
            assert await factory.make_log(line="a") is None
            await factory.make_log()
            cursor = await connection.cursor()
            await cursor.execute("SELECT line, n FROM log ORDER BY n")
            assert await cursor.fetchall() == (("a", 1), ("line 2", 2))
            assert "the table has no key" in module.Factory.make_log.__doc__


# The definition of a unique column, with the number of rows that its values are enough for.
UNIQUE = {
    "char(1)": 36,
    "varchar(2)": 400,
    "varchar(3)": 400,
    "char(2) CHECK (a REGEXP '^[A-Z]{2}$')": 400,
    "smallint CHECK (a BETWEEN 0 AND 300)": 300,
    "int CHECK (a >= 0 AND a <= 100)": 100,
    "int CHECK (a > -100 AND a < 100)": 199,
    "int CHECK (a >= 1000)": 400,
    "int CHECK (a <= -7)": 400,
    "tinyint unsigned": 255,
    "tinyint": 255,
    "decimal(3, 2)": 400,
    "decimal(3, 2) CHECK (a > 0 AND a < 5)": 400,
    "decimal(5, 2) CHECK (a > 0)": 400,
    "enum('a', 'b', 'c', 'd')": 4,
    "bit(8)": 256,
    "year": 255,
    "time": 400,
    "binary(1)": 256,
    "varbinary(2)": 400,
}


async def test_unique_values_run_through_the_accepted_range(
    tmp_path: Path,
    mysql_server: TestMysql,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kinds = [(f"t{number}", declared) for number, declared in enumerate(UNIQUE)]
    schema = "".join(
        f"CREATE TABLE {t} (id int PRIMARY KEY, a {kind.partition(' CHECK')[0]} NOT NULL UNIQUE"
        f"{''.join(kind.partition(' CHECK')[1:])});\n"
        for t, kind in kinds
    )
    _project(tmp_path, schema)
    monkeypatch.chdir(tmp_path)
    assert main(["factories", "rows", "-f", str(tmp_path)]) == 0
    assert "no function" not in capsys.readouterr().err
    with _factory(tmp_path, "rows") as module:
        async with _database(mysql_server, schema) as connection:
            for table, kind in kinds:
                make = getattr(module.Factory(_executor(connection)), f"make_{table}")
                for number in range(UNIQUE[kind]):
                    try:
                        await make()
                    except pymysql.MySQLError as error:
                        pytest.fail(f"{kind}: row {number + 1}: {error}")


async def test_a_default_beside_a_reference_is_kept(
    tmp_path: Path, mysql_server: TestMysql, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = """CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, a_id int NOT NULL, n int NOT NULL DEFAULT 7,
    UNIQUE (a_id, n), FOREIGN KEY (a_id) REFERENCES a (id));
"""
    _project(tmp_path, schema)
    monkeypatch.chdir(tmp_path)
    assert main(["factories", "rows", "-f", str(tmp_path)]) == 0
    with _factory(tmp_path, "rows") as module:
        async with _database(mysql_server, schema) as connection:
            factory = module.Factory(_executor(connection))
            assert {(await factory.make_t()).n for _ in range(20)} == {7}


def test_an_error_in_the_schema_is_reported_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _project(tmp_path, "CREATE TABLE t (id int PRIMARY KEY;\n")
    monkeypatch.chdir(tmp_path)
    assert main(["factories", "rows", "-f", str(tmp_path)]) == 1
    assert "schema.sql:1:" in capsys.readouterr().err
    assert not (tmp_path / "rows").exists()


def test_the_command_reports_a_server_that_is_not_available(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NoServerError("no server")

    _project(tmp_path, SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(search, "open_session", refuse)
    assert main(["factories", "rows", "-f", str(tmp_path)]) == 2
    assert "no server" in capsys.readouterr().err
    assert not (tmp_path / "rows").exists()


@pytest.mark.parametrize("driver", ["aiomysql", "pymysql"])
def test_the_code_is_formatted_and_strictly_typed(
    driver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _project(tmp_path, f"{SHOP}CREATE TABLE log (line text);\n", driver)
    monkeypatch.chdir(tmp_path)
    assert main(["factories", "rows", "-f", str(tmp_path)]) == 0
    assert complaints(tmp_path / "rows") == ""
    assert type_errors(tmp_path, ROOT) == []
