"""Generated code, called on a real server: every command, every type, through our own pool."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from uuid import UUID

import aiomysql
import pytest
from aiosqlc.cli.main import main
from pydantic import SecretStr

from lib.config import MysqlSettings
from lib.db.errors import UniqueViolationError
from lib.db.mysql import open_database
from lib.db.mysql_session import connect_arguments
from tests.codegen.mysql.conftest import SERVER_URL, is_mysql

SCHEMA = """
CREATE TABLE a (
    id bigint unsigned PRIMARY KEY AUTO_INCREMENT, name varchar(50) NOT NULL, bio text,
    grp int NOT NULL DEFAULT 0, st enum('x', 'y z') NOT NULL DEFAULT 'x',
    ok tinyint(1) NOT NULL DEFAULT 0, d decimal(10, 2)
);
CREATE TABLE b (id int PRIMARY KEY, aid bigint unsigned NOT NULL, title varchar(99) NOT NULL);
CREATE TABLE kinds (
    i tinyint NOT NULL, u bigint unsigned NOT NULL, f float NOT NULL, g double NOT NULL,
    d decimal(9, 3) NOT NULL, b1 bit(9) NOT NULL, y year NOT NULL, t time(3) NOT NULL,
    da date NOT NULL, dt datetime(6) NOT NULL, ts timestamp(6) NOT NULL,
    c char(3) NOT NULL, bi varbinary(9) NOT NULL, bl blob NOT NULL,
    tx longtext NOT NULL, st set('p', 'q') NOT NULL, js json NOT NULL, uu uuid NOT NULL,
    ip inet6 NOT NULL, ok bool NOT NULL
);
"""
QUERIES = """
-- name: Add :execlastid
INSERT INTO a (name, bio, st, d) VALUES (?, ?, ?, ?);

-- name: Next :execlastid
UPDATE a SET grp = LAST_INSERT_ID(grp + 1) WHERE id = ?;

-- name: Get :one
-- One a.
SELECT * FROM a WHERE id = ?;

-- name: Count :one
SELECT count(*) FROM a WHERE name LIKE '%a%' OR name = '50%';

-- name: Find :many
SELECT id, ok FROM a
WHERE (name = sqlc.arg(word) OR bio = sqlc.arg(word)) AND id NOT IN (sqlc.slice(but)) ORDER BY id;

-- name: InState :many
SELECT name FROM a WHERE st IN (sqlc.slice(states)) ORDER BY id;

-- name: Rename :execrows
UPDATE a SET name = ? WHERE id = ?;

-- name: Patch :execrows
UPDATE a SET
  bio = sqlc.arg(bio), -- :if bio
  d = sqlc.arg(d), -- :if d
  grp = grp
WHERE id = sqlc.arg(id);

-- name: Search :many
SELECT id, name FROM a
WHERE grp = 0
  AND (name = sqlc.arg(word) OR bio = sqlc.arg(word)) -- :if word
ORDER BY id -- :sort id, name desc
LIMIT sqlc.arg(page_size);

-- name: Copy :copyfrom
INSERT INTO b (id, aid, title) VALUES (?, ?, ?);

-- name: Stream :stream
SELECT id, title FROM b ORDER BY id;

-- name: Titles :batchexec
UPDATE b SET title = ? WHERE id = ?;

-- name: TitleOf :batchone
SELECT title FROM b WHERE id = ?;

-- name: Of :batchmany
SELECT id, title FROM b WHERE aid = ? ORDER BY id;

-- name: Retitle :execresult
UPDATE b SET title = ? WHERE aid = ?;

-- name: Joined :many
SELECT sqlc.embed(a), sqlc.embed(b) FROM a LEFT JOIN b ON b.aid = a.id ORDER BY a.id, b.id;

-- name: Drop :one
DELETE FROM b WHERE id = ? RETURNING title;

-- name: AddKinds :exec
INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: AllKinds :one
SELECT * FROM kinds LIMIT 1;
"""
CONFIG = """
version: "2"
sql:
  - engine: mysql
    schema: schema.sql
    queries: q.sql
    strict: true{database}
    gen: {{python: {{out: {package}, package: {package}, models: {models}}}}}
"""


def of_server(text: str) -> str:
    """Return the text as the server under test takes it: uuid, inet6, RETURNING are MariaDB's."""
    if not is_mysql():
        return text
    text = text.replace("uu uuid", "uu char(36)").replace("ip inet6", "ip varchar(39)")
    deleted = "DELETE FROM b WHERE id = ? RETURNING title"
    return text.replace(deleted, "SELECT title FROM b WHERE id = ?")


def configuration(package: str, models: str) -> str:
    database = f"\n    database: {{uri: '{SERVER_URL}'}}" if SERVER_URL else ""
    return CONFIG.format(package=package, models=models, database=database)


def generate(folder: Path, package: str, models: str, cache: Path, monkeypatch) -> Path:
    """Write a project and compile it."""
    (folder / "schema.sql").write_text(of_server(SCHEMA))
    (folder / "q.sql").write_text(of_server(QUERIES))
    (folder / "sqlc.yaml").write_text(configuration(package, models))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    assert main(["generate", "-f", str(folder / "sqlc.yaml")]) == 0
    return folder / package


@pytest.fixture(scope="module")
def store(mysql_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        generate(folder, "mysql_store", "msgspec", mysql_cache, patch)
        patch.syspath_prepend(str(folder))
        yield importlib.import_module("mysql_store.q")


@pytest.fixture
async def db(empty_mysql: str):
    settings = MysqlSettings(database_url=SecretStr(empty_mysql))
    async with open_database(settings, application="test") as db:
        for statement in of_server(SCHEMA).split(";\n"):
            if statement.strip():
                await db.execute(statement)
        yield db


async def _add(store, db, name="ann", bio=None, st="x") -> int:
    models = importlib.import_module("mysql_store.models")
    return await store.add(db, name=name, bio=bio, st=models.ASt(st), d=Decimal("1.50"))


async def test_a_row_comes_back_as_its_class(store, db) -> None:
    new = await _add(store, db, st="y z")
    row = await store.get(db, id=new)
    assert (row.id, row.name, row.bio, row.st, row.ok, row.d) == (
        new, "ann", None, "y z", False, Decimal("1.50"),
    )  # fmt: skip
    assert type(row.st).__name__ == "ASt"
    assert row.ok is False
    assert await store.get(db, id=new + 1) is None


async def test_an_update_may_make_the_id_itself(store, db) -> None:
    row = await _add(store, db)
    assert [await store.next(db, id=row), await store.next(db, id=row)] == [1, 2]


async def test_a_percent_sign_means_itself(store, db) -> None:
    await _add(store, db)
    await _add(store, db, name="50%")
    await _add(store, db, name="500")
    assert await store.count(db) == 2


async def test_a_repeated_parameter_is_passed_where_it_stands(store, db) -> None:
    first = await _add(store, db, name="x")
    second = await _add(store, db, name="y", bio="x")
    assert [row.id for row in await store.find(db, word="x", but=[])] == [first, second]
    assert [row.id for row in await store.find(db, word="x", but=[first])] == [second]


async def test_a_list_may_hold_enums_and_be_empty(store, db) -> None:
    models = importlib.import_module("mysql_store.models")
    await _add(store, db)
    await _add(store, db, name="bob", st="y z")
    assert await store.in_state(db, states=[models.ASt.Y_Z]) == ["bob"]
    assert await store.in_state(db, states=[]) == []


async def test_an_update_counts_the_rows_it_finds(store, db) -> None:
    new = await _add(store, db)
    assert await store.rename(db, name="ann", id=new) == 1
    assert await store.rename(db, name="ann", id=new + 1) == 0


async def test_a_sparse_update_changes_what_is_given(store, db) -> None:
    new = await _add(store, db, bio="old")
    assert await store.patch(db, id=new, d=None) == 1
    row = await store.get(db, id=new)
    assert (row.bio, row.d) == ("old", None)
    await store.patch(db, id=new, bio=None)
    assert (await store.get(db, id=new)).bio is None


async def test_an_optional_filter_takes_its_arguments_along(store, db) -> None:
    await _add(store, db, name="a", bio="z")
    await _add(store, db, name="z")
    await _add(store, db, name="m")
    names = [row.name for row in await store.search(db, word="z", page_size=9, sort="name desc")]
    assert names == ["z", "a"]
    assert [row.name for row in await store.search(db, page_size=2)] == ["a", "z"]


async def test_copied_rows_are_streamed_and_changed_in_batches(store, db) -> None:
    rows = [store.CopyParams(id=n, aid=1, title=f"t{n}") for n in range(7)]
    assert await store.copy(db, rows) == 7
    await store.titles(db, [store.TitlesParams(title="new", id=n) for n in (0, 1)])
    async with db.transaction() as tx:
        titles = [row.title async for row in store.stream(tx, chunk=3)]
    assert titles == ["new", "new", "t2", "t3", "t4", "t5", "t6"]


async def test_a_batch_answers_each_of_its_arguments(store, db) -> None:
    rows = [store.CopyParams(id=n, aid=n % 2, title=f"t{n}") for n in range(4)]
    await store.copy(db, rows)
    assert await store.title_of(db, [2, 9, 0]) == ["t2", None, "t0"]
    found = await store.of(db, [1, 7, 0])
    assert [[row.id for row in part] for part in found] == [[1, 3], [], [0, 2]]
    assert await store.retitle(db, title="new", aid=1) == "UPDATE 2"


async def test_copying_is_all_or_nothing(store, db) -> None:
    rows = [store.CopyParams(id=n % 6, aid=1, title="t") for n in range(7)]
    with pytest.raises(UniqueViolationError):
        await store.copy(db, rows)
    assert await store.of(db, [1]) == [[]]


async def test_an_embed_that_an_outer_join_left_out_is_none(store, db) -> None:
    first = await _add(store, db)
    await _add(store, db, name="bob")
    await store.copy(db, [store.CopyParams(id=1, aid=first, title="t")])
    pairs = [(row.a.name, row.b and row.b.title) for row in await store.joined(db)]
    assert pairs == [("ann", "t"), ("bob", None)]


@pytest.mark.skipif(is_mysql(), reason="MySQL has no RETURNING; unset TEST_MYSQL_URL")
async def test_returning_gives_the_row(store, db) -> None:
    await store.copy(db, [store.CopyParams(id=1, aid=1, title="gone")])
    assert await store.drop(db, id=1) == "gone"
    assert await store.drop(db, id=1) is None


VALUES = {
    "i": -5, "u": 2**64 - 1, "f": 0.5, "g": 1e300, "d": Decimal("-1.125"), "b1": 257, "y": 2024,
    "t": timedelta(hours=-100, milliseconds=-5), "da": date(2024, 2, 29),
    "dt": datetime.fromisoformat("2024-02-29 01:02:03.000004"),
    "ts": datetime(2024, 1, 2, tzinfo=UTC), "c": "é", "bi": b"\x00'\xff", "bl": b"%s\\",
    "tx": "it's 100% \\ \"ok\"",
    "st": "p,q", "js": '{"a": [1, "é"]}',
    "uu": str(UUID(int=9)) if is_mysql() else UUID(int=2**127), "ip": "::1", "ok": True,
}  # fmt: skip


async def test_every_type_comes_back_as_it_went_and_as_its_annotation_says(store, db) -> None:
    await store.add_kinds(db, **VALUES)
    row = await store.all_kinds(db)
    got = {name: getattr(row, name) for name in VALUES}
    assert got == VALUES
    assert {name: type(value) for name, value in got.items()} == {
        name: type(value) for name, value in VALUES.items()
    }
    annotations = type(row).__annotations__
    assert {n: annotations[n].__name__ for n in VALUES} == {
        n: type(v).__name__ for n, v in VALUES.items()
    }


async def test_without_our_pool_the_adapter_beside_the_code_is_enough(
    store, db, empty_mysql
) -> None:
    adapter = importlib.import_module("mysql_store.adapter")
    models = importlib.import_module("mysql_store.models")
    arguments = connect_arguments(empty_mysql, connect_seconds=5, statement_seconds=5)
    connection = await aiomysql.connect(**arguments)
    try:
        bare = adapter.AiomysqlExecutor(connection)
        new = await _add(store, bare, name="50%", st="y z")
        assert await store.in_state(bare, states=[models.ASt.Y_Z]) == ["50%"]
        assert await store.in_state(bare, states=[]) == []
        assert await store.rename(bare, name="50%", id=new) == 1
        rows = [store.CopyParams(id=n, aid=1, title="it's") for n in range(3)]
        assert await store.copy(bare, rows) == 3
        await store.titles(bare, [store.TitlesParams(title="new", id=0)])
        assert await store.drop(bare, id=0) == "new"
    finally:
        connection.close()


@pytest.mark.parametrize("models", ["dataclass", "pydantic", "attrs", "msgspec"])
def test_the_code_is_strictly_typed_and_formatted(
    mysql_cache, tmp_path, monkeypatch, models
) -> None:
    package = generate(tmp_path, f"typed_{models}", models, mysql_cache, monkeypatch)
    for tool in (["mypy", "--strict", "--no-error-summary"], ["ruff", "format", "--check", "-q"]):
        done = subprocess.run(
            [sys.executable, "-m", *tool, package.name],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
