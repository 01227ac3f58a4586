"""`:batchget` reads many keys: the dict has exactly the results of the calls for single keys."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiosqlc.config.project import ModelKind
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.connecting import POSTGRES
from tests.drivers.connecting_mysql import MYSQL
from tests.drivers.running import Engine, Subject, complaints, trying

SCHEMA = """
CREATE TABLE shop (id int PRIMARY KEY, name varchar(40) NOT NULL);
CREATE TABLE item (
    id bigint PRIMARY KEY, shop_id int NOT NULL REFERENCES shop (id), name varchar(40) NOT NULL,
    price numeric(9, 2), code varchar(9) {exact} NOT NULL, day date, raw {bytes}
);
"""
WORDS = {
    "postgres": {"exact": "", "bytes": "bytea"},
    "mysql": {"exact": "COLLATE utf8mb4_nopad_bin", "bytes": "varbinary(8)"},
}
QUERIES = """
-- name: GetItem :one :batchget
SELECT * FROM item WHERE id = sqlc.arg(id);

-- name: NameOf :one :batchget
SELECT name FROM item WHERE id = sqlc.arg(id);

-- name: InShop :one :batchget(id)
SELECT item.id, item.name, shop.name AS shop FROM item JOIN shop ON shop.id = item.shop_id
WHERE shop.id = sqlc.arg(shop) AND item.id = sqlc.arg(id);

-- name: OfShop :many :batchget
SELECT id, name, price FROM item WHERE price >= sqlc.arg(least) AND shop_id = sqlc.arg(shop)
ORDER BY name DESC, id;

-- name: Names :many :batchget
SELECT DISTINCT name FROM item WHERE shop_id = sqlc.arg(shop) ORDER BY name;

-- name: ByCode :many :batchget
SELECT code FROM item WHERE code = sqlc.arg(code) ORDER BY id;

-- name: ByDay :many :batchget
SELECT sqlc.embed(item), shop.name AS shop FROM item JOIN shop ON shop.id = item.shop_id
WHERE item.day = sqlc.arg(day) ORDER BY item.name, item.id;

-- name: ByRaw :many :batchget
SELECT id, raw FROM item WHERE raw = sqlc.arg(raw) ORDER BY id DESC;

-- name: Nested :many :batchget
SELECT shop.id, sqlc.nest(item) FROM shop LEFT JOIN item ON item.shop_id = shop.id
WHERE shop.id = sqlc.arg(shop) ORDER BY item.name, item.id;

-- name: Items :many :batchget
SELECT shop.id, i.id AS item_id FROM shop LEFT JOIN item AS i ON i.shop_id = shop.id
WHERE shop.id = sqlc.arg(id) ORDER BY i.id;
"""
CODES = ["a", "A", "a ", "ä", "a\u0308", "", "%s", "b"]
RAWS = [b"", b"a", b"a\0", b"A", b"\xff"]
DAYS = [date(2000, 1, 1) + timedelta(days=each) for each in range(3)]
IDS = [*range(1, 13), 2**40]
KEYS: dict[str, tuple[str, str, list[Any], dict[str, Any]]] = {
    "get_item": ("id", "ids", [*IDS, 0, -1], {}),
    "name_of": ("id", "ids", [*IDS, 0, 2**62], {}),
    "in_shop": ("id", "ids", [*IDS, 0], {"shop": 1}),
    "of_shop": ("shop", "shops", [1, 2, 3, 4, 5], {"least": 2}),
    "names": ("shop", "shops", [1, 2, 3, 4], {}),
    "by_code": ("code", "codes", [*CODES, "c"], {}),
    "by_day": ("day", "days", [*DAYS, date(1999, 1, 1)], {}),
    "by_raw": ("raw", "raws", [*RAWS, b"none"], {}),
    "nested": ("shop", "shops", [1, 2, 4, 9], {}),
    "items": ("id", "ids", [1, 2, 3, 4, 9], {}),
}


def rows(seed: int) -> list[tuple[Any, ...]]:
    random = Random(seed)
    chosen = sorted(random.sample(IDS, seed and random.randrange(9, len(IDS))))
    return [
        (
            each,
            random.choice([1, 2, 3]),
            random.choice("xyz"),
            random.choice([None, 1, 2, 3]),
            random.choice(CODES),
            random.choice([None, *DAYS]),
            random.choice([None, *RAWS]),
        )
        for each in chosen
    ]


@contextmanager
def made(
    engine: Engine, driver: str, folder: Path, options: str = "emit_helpers: true"
) -> Iterator[Subject]:
    schema = SCHEMA.format(**WORDS[engine.name if engine.name == "mysql" else "postgres"])
    with (
        engine.compiled(folder, driver, texts=(schema, QUERIES), options=options) as package,
        engine.database(schema) as url,
        engine.connected(driver, package, url) as found,
    ):
        execute(found, "INSERT INTO shop VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')")
        yield found


def execute(subject: Subject, sql: str, *args: Any) -> None:
    subject.wait(subject.db.execute(sql, *args))


def fill(subject: Subject, seed: int) -> None:
    execute(subject, "DELETE FROM item")
    marks = ["%s"] * 7 if subject.on_mysql else [f"${each}" for each in range(1, 8)]
    for row in rows(seed):
        execute(subject, f"INSERT INTO item VALUES ({', '.join(marks)})", *row)


_ALWAYS = ("asyncpg", "pymysql")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((engine, one), marks=[] if one in _ALWAYS else [pytest.mark.long])
        for engine, drivers in (("postgres", POSTGRES), ("mysql", MYSQL))
        for one in drivers
    ],
    ids="-".join,
)
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    engine, driver = request.param
    found = request.getfixturevalue(engine)
    with made(found, driver, tmp_path_factory.mktemp("batchget")) as subject:
        fill(subject, 1)
        yield subject


def singly(subject: Subject, name: str, keys: Sequence[Any]) -> dict[Any, Any]:
    """Return the result of the ordinary function for each key that has one."""
    one, _, _, more = KEYS[name]
    found = {key: subject.call(name, **{one: key}, **more) for key in keys}
    return {key: result for key, result in found.items() if result not in (None, [])}


def together(subject: Subject, name: str, keys: Sequence[Any]) -> Any:
    _, many, _, more = KEYS[name]
    return subject.call(f"{name}_many", **{many: keys}, **more)


@pytest.mark.parametrize("name", KEYS)
def test_the_dict_has_the_results_of_the_single_calls(subject: Subject, name: str) -> None:
    every = KEYS[name][2]

    @given(keys=st.lists(st.sampled_from(every), max_size=12), seed=st.integers(0, 9))
    @trying(12)
    def check(keys: list[Any], seed: int) -> None:
        if seed < 3:
            fill(subject, seed)
        assert together(subject, name, keys) == singly(subject, name, keys)

    check()
    fill(subject, 1)
    expected = singly(subject, name, every)
    assert 0 < len(expected) < len(every)
    assert together(subject, name, every) == expected


def test_a_batch_may_have_more_keys_than_a_server_takes_parameters(subject: Subject) -> None:
    keys = [*range(100_000, 170_000), *IDS]
    assert together(subject, "get_item", keys) == singly(subject, "get_item", IDS)


def test_no_keys_need_no_server(subject: Subject) -> None:
    call = subject.module().get_item_many
    assert subject.wait(call(None, ids=[])) == {}


def test_a_loader_joins_calls_and_gives_each_its_result(subject: Subject) -> None:
    if subject.blocking:
        assert not hasattr(subject.module(), "get_item_loader")
        return

    async def load(name: str, keys: Sequence[Any], **more: Any) -> list[Any]:
        loader = getattr(subject.module(), f"{name}_loader")(subject.db, **more, max_batch=3)
        return list(await asyncio.gather(*(loader.load(key) for key in keys)))

    keys = [*IDS, 0, *IDS[:3]]
    found = singly(subject, "get_item", keys)
    assert subject.wait(load("get_item", keys)) == [found.get(key) for key in keys]
    lists = singly(subject, "of_shop", range(1, 6))
    loaded = subject.wait(load("of_shop", range(1, 6), least=2))
    assert loaded == [lists.get(key, []) for key in range(1, 6)]


@pytest.mark.parametrize("models", list(ModelKind))
@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_the_rows_are_those_of_each_kind_of_class(
    request: pytest.FixtureRequest, engine: str, models: ModelKind, tmp_path: Path
) -> None:
    driver = {"postgres": "asyncpg", "mysql": "aiomysql"}[engine]
    with made(request.getfixturevalue(engine), driver, tmp_path, f"models: {models}") as found:
        fill(found, 2)
        for name, (_, _, keys, _) in KEYS.items():
            assert together(found, name, keys) == singly(found, name, keys) != {}
        row = next(iter(together(found, "get_item", IDS).values()))
        assert type(row) is found.module("models").Item


@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_methods_readers_and_several_drivers_have_it_too(
    request: pytest.FixtureRequest, engine: str, tmp_path: Path
) -> None:
    found = request.getfixturevalue(engine)
    options = "emit_class: true, emit_protocol: true, readers: true"
    schema = SCHEMA.format(**WORDS[engine])
    drivers = list({"postgres": POSTGRES, "mysql": MYSQL}[engine])
    with found.compiled(tmp_path, drivers, texts=(schema, QUERIES), options=options) as package:
        assert complaints(tmp_path / package) == ""
        with found.database(schema) as url, found.connected(drivers[0], package, url) as subject:
            execute(subject, "INSERT INTO shop VALUES (1, 'a'), (2, 'b'), (3, 'c')")
            fill(subject, 2)
            queries = subject.module().Queries(subject.db)
            rows = subject.wait(queries.get_item_many(ids=IDS))
            assert {key: row.id for key, row in rows.items()} == {key: key for key in rows} != {}
            assert subject.wait(_loaded(queries, next(iter(rows)))) == next(iter(rows.values()))


async def _loaded(queries: Any, key: int) -> Any:
    return await queries.get_item_loader().load(key)
