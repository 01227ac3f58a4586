"""Generated code on the platform's own pool of MySQL connections."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from aiosqlc.cli.main import main
from pydantic import SecretStr

from devstack.testing.mysql_databases import MysqlDatabases
from lib.config import MysqlSettings
from lib.db.errors import UniqueViolationError
from lib.db.mysql import open_database

PACKAGE = "generated_on_mysql"
CONFIG = """\
version: "2"
sql:
  - engine: mysql
    schema: schema.sql
    queries: queries.sql
    strict: true
    database: {{uri: '{url}'}}
    gen:
      python: {{out: {package}, package: {package}, driver: aiomysql, models: msgspec}}
"""
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

-- name: Find :many
SELECT id, ok FROM a
WHERE (name = sqlc.arg(word) OR bio = sqlc.arg(word)) AND id NOT IN (sqlc.slice(but)) ORDER BY id;

-- name: Copy :copyfrom
INSERT INTO b (id, aid, title) VALUES (?, ?, ?);

-- name: Of :batchmany
SELECT id, title FROM b WHERE aid = ? ORDER BY id;

-- name: Drop :one
DELETE FROM b WHERE id = ? RETURNING title;

-- name: AddKinds :exec
INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: AllKinds :one
SELECT * FROM kinds LIMIT 1;
"""


class Store:
    """The generated functions, called on a pool."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.queries = importlib.import_module(f"{PACKAGE}.queries")

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{PACKAGE}.{name}")

    async def call(self, name: str, /, *args: Any, **given: Any) -> Any:
        return await getattr(self.queries, name)(self._pool, *args, **given)


@pytest.fixture(scope="module")
def url(mysql_server: MysqlDatabases) -> Iterator[str]:
    url = mysql_server.create_empty()
    yield url
    mysql_server.drop(url)


@pytest.fixture(scope="module")
def package(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("ours")
    (folder / "schema.sql").write_text(SCHEMA)
    (folder / "queries.sql").write_text(QUERIES)
    (folder / "sqlc.yaml").write_text(CONFIG.format(url=url, package=PACKAGE))
    assert main(["generate", "-f", str(folder)]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
async def store(mysql_server: MysqlDatabases, package: None) -> AsyncIterator[Store]:
    url = mysql_server.create_empty()
    settings = MysqlSettings(_env_file=None, database_url=SecretStr(url))
    async with open_database(settings, application="test") as pool:
        for statement in filter(str.strip, SCHEMA.split(";\n")):
            await pool.execute(statement)
        yield Store(pool)
    mysql_server.drop(url)


async def added(store: Store, name: str = "ann", bio: str | None = None) -> int:
    state = store.module("models").ASt.X
    made: int = await store.call("add", name=name, bio=bio, st=state, d=Decimal("1.50"))
    return made


async def copied(store: Store, *ids: int) -> Any:
    params = store.queries.CopyParams
    return await store.call("copy", [params(id=n, aid=1, title="t") for n in ids])


async def test_an_update_may_make_the_id_itself(store: Store) -> None:
    row = await added(store)
    assert [await store.call("next", id=row), await store.call("next", id=row)] == [1, 2]


async def test_a_repeated_parameter_is_passed_at_each_place(store: Store) -> None:
    first = await added(store, name="x")
    second = await added(store, name="y", bio="x")
    found = await store.call("find", word="x", but=[])
    assert [row.id for row in found] == [first, second]
    found = await store.call("find", word="x", but=[first])
    assert [row.id for row in found] == [second]


async def test_copying_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(UniqueViolationError):
        await copied(store, *range(6), 0)
    assert await store.call("of", [1]) == [[]]


async def test_returning_gives_the_row(store: Store) -> None:
    await copied(store, 1)
    assert await store.call("drop", id=1) == "t"
    assert await store.call("drop", id=1) is None


VALUES = {
    "i": -5, "u": 2**64 - 1, "f": 0.5, "g": 1e300, "d": Decimal("-1.125"), "b1": 257, "y": 2024,
    "t": timedelta(hours=-100, milliseconds=-5), "da": date(2024, 2, 29),
    "dt": datetime.fromisoformat("2024-02-29 01:02:03.000004"),
    "ts": datetime(2024, 1, 2, tzinfo=UTC), "c": "é", "bi": b"\x00'\xff", "bl": b"%s\\",
    "tx": "it's 100% \\ \"ok\"",
    "st": "p,q", "js": '{"a": [1, "é"]}',
    "uu": UUID(int=2**127), "ip": "::1", "ok": True,
}  # fmt: skip


async def test_every_type_returns_as_it_was_written_and_as_annotated(store: Store) -> None:
    await store.call("add_kinds", **VALUES)
    row = await store.call("all_kinds")
    got = {name: getattr(row, name) for name in VALUES}
    assert got == VALUES
    assert {name: type(value) for name, value in got.items()} == {
        name: type(value) for name, value in VALUES.items()
    }
    annotations = type(row).__annotations__
    assert {n: annotations[n].__name__ for n in VALUES} == {
        n: type(v).__name__ for n, v in VALUES.items()
    }
