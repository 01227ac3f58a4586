"""`:batchget` reads many keys: the dict has the same results as calls for single keys."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosqlc.config.project import ModelKind
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.connecting import POSTGRES
from tests.drivers.connecting_mysql import MYSQL
from tests.drivers.running import Engine, Subject, complaints, trying

SCHEMA = """
CREATE TABLE shop (id int PRIMARY KEY, name varchar(40) {exact} NOT NULL);
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
SELECT name FROM item WHERE sqlc.arg(id) = id;

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

-- name: Exact :one :batchget(shop, id)
SELECT name, price FROM item WHERE id >= sqlc.arg(least) AND shop_id = sqlc.arg(shop)
    AND item.id = sqlc.arg(id);

-- name: Pairs :many :batchget(code, day)
SELECT sqlc.embed(item), shop.name AS shop FROM item JOIN shop ON shop.id = item.shop_id
WHERE item.code = sqlc.arg(code)
  AND shop.name <> sqlc.arg(other) -- :if other
  AND sqlc.arg(day) = item.day
ORDER BY item.name, item.id;

-- name: Filtered :many :batchget(shop)
SELECT id, name FROM item
WHERE price >= sqlc.arg(least) -- :if least
  AND sqlc.arg(shop) = shop_id
  AND (name = sqlc.arg(one) -- :if one
    OR name = sqlc.arg(another)) -- :if another
ORDER BY id; -- :sort id asc|desc

-- name: InShops :many :batchget(shop, code)
SELECT DISTINCT shop.name FROM item JOIN shop ON shop.id = item.shop_id
WHERE shop.id = sqlc.arg(shop) AND item.code = sqlc.arg(code) AND item.name IN (sqlc.slice(names))
ORDER BY shop.name;

-- name: NestedOf :one :batchget(shop, name)
SELECT shop.id, sqlc.nest(item) FROM shop LEFT JOIN item ON item.shop_id = shop.id
WHERE shop.id = sqlc.arg(shop) AND shop.name = sqlc.arg(name) ORDER BY item.name, item.id;
"""
CODES = ["a", "A", "a ", "ä", "a\u0308", "", "%s", "b"]
RAWS = [b"", b"a", b"a\0", b"A", b"\xff"]
DAYS = [date(2000, 1, 1) + timedelta(days=each) for each in range(3)]
IDS = [*range(1, 13), 2**40]
Keyed = tuple[str | tuple[str, ...], str, list[Any], dict[str, Any]]
"""The parameters of a key, the list of keys, the keys to try, and further arguments."""
KEYS: dict[str, Keyed] = {
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
    "exact": (("shop", "id"), "keys", list(product([1, 2, 3], IDS)), {"least": 2}),
    "pairs": (("code", "day"), "keys", list(product(CODES, DAYS)), {}),
    "in_shops": (
        ("shop", "code"),
        "keys",
        list(product([1, 2, 3, 9], CODES)),
        {"names": ["x", "y"]},
    ),
    "nested_of": (("shop", "name"), "keys", list(product([1, 2, 4], "abd")), {}),
}
DYNAMIC: dict[str, tuple[Keyed, list[dict[str, Any]]]] = {
    "pairs": (KEYS["pairs"], [{"other": "a"}, {"other": None}]),
    "filtered": (
        ("shop", "shops", [1, 2, 3, 4], {}),
        [
            {"least": least, "one": one, "another": another, "sort": sort}
            for least in (None, 2)
            for one in (None, "x")
            for another in (None, "y")
            for sort in ("id", "id desc")
        ],
    ),
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


def singly(subject: Subject, name: str, keyed: Keyed, keys: Sequence[Any]) -> dict[Any, Any]:
    """Return the result of the ordinary function for each key with a result."""
    one, _, _, more = keyed
    names = (one,) if isinstance(one, str) else one
    found = {}
    for key in keys:
        values = (key,) if isinstance(one, str) else key
        found[key] = subject.call(name, **dict(zip(names, values, strict=True)), **more)
    return {key: result for key, result in found.items() if result not in (None, [])}


def together(subject: Subject, name: str, keyed: Keyed, keys: Sequence[Any]) -> Any:
    _, many, _, more = keyed
    return subject.call(f"{name}_many", **{many: keys}, **more)


@pytest.mark.parametrize("name", KEYS)
def test_the_dict_has_the_results_of_the_single_calls(subject: Subject, name: str) -> None:
    every = KEYS[name][2]

    @given(keys=st.lists(st.sampled_from(every), max_size=12), seed=st.integers(0, 9))
    @trying(12)
    def check(keys: list[Any], seed: int) -> None:
        if seed < 3:
            fill(subject, seed)
        assert together(subject, name, KEYS[name], keys) == singly(subject, name, KEYS[name], keys)

    check()
    fill(subject, 1)
    expected = singly(subject, name, KEYS[name], every)
    assert 0 < len(expected) < len(every)
    assert together(subject, name, KEYS[name], every) == expected


@pytest.mark.parametrize("name", DYNAMIC)
def test_each_choice_of_optional_parts_returns_the_results_of_the_single_calls(
    subject: Subject, name: str
) -> None:
    fill(subject, 3)
    (one, many, keys, _), choices = DYNAMIC[name]
    sizes = set()
    for more in choices:
        keyed = (one, many, keys, more)
        expected = singly(subject, name, keyed, keys)
        assert together(subject, name, keyed, keys) == expected
        sizes.add(sum(map(len, expected.values())))
    assert len(sizes) > 1, sizes


def test_a_batch_may_have_more_keys_than_a_server_takes_parameters(subject: Subject) -> None:
    keys = [*range(100_000, 170_000), *IDS]
    assert together(subject, "get_item", KEYS["get_item"], keys) == singly(
        subject, "get_item", KEYS["get_item"], IDS
    )


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
    found = singly(subject, "get_item", KEYS["get_item"], keys)
    assert subject.wait(load("get_item", keys)) == [found.get(key) for key in keys]
    pairs = KEYS["exact"][2][:9]
    rows = singly(subject, "exact", KEYS["exact"], pairs)
    assert subject.wait(load("exact", pairs, least=2)) == [rows.get(key) for key in pairs]
    lists = singly(subject, "of_shop", KEYS["of_shop"], range(1, 6))
    loaded = subject.wait(load("of_shop", range(1, 6), least=2))
    assert loaded == [lists.get(key, []) for key in range(1, 6)]


def test_loaders_of_one_connection_can_be_gathered(subject: Subject) -> None:
    if subject.blocking:
        return
    module = subject.module()

    async def load() -> list[Any]:
        names, rows = module.name_of_loader(subject.db), module.get_item_loader(subject.db)
        days = module.by_day_loader(subject.db)
        calls = [one.load(key) for key in IDS for one in (names, rows)]
        return list(await asyncio.gather(*calls, *(days.load(day) for day in DAYS)))

    found = subject.wait(load())
    expected = [
        singly(subject, name, KEYS[name], IDS).get(key)
        for key in IDS
        for name in ("name_of", "get_item")
    ]
    assert found[: len(expected)] == expected


def test_a_loader_refuses_a_datetime_for_a_date(subject: Subject) -> None:
    if subject.blocking:
        return
    loader = subject.module().by_day_loader(subject.db)
    with pytest.raises(TypeError, match="is not a date without a time, but the key of the rows is"):
        subject.wait(loader.load(datetime(2000, 1, 1, tzinfo=UTC)))


MOMENTS = """
CREATE TABLE event (at timestamptz PRIMARY KEY, name text NOT NULL);
CREATE TABLE guest (id int PRIMARY KEY, at timestamptz NOT NULL REFERENCES event (at));
"""
OF_MOMENTS = """
-- name: Hidden :one :batchget
SELECT name FROM event WHERE at = @at;
-- name: Shown :one :batchget
SELECT at, name FROM event WHERE at = @at;
-- name: Alone :many :batchget
SELECT at FROM event WHERE at = @at;
-- name: Listed :many :batchget
SELECT name FROM event WHERE at = @at;
-- name: Paired :one :batchget(at, name)
SELECT name FROM event WHERE at = @at AND name = @name;
-- name: Guests :one :batchget
SELECT e.name, e.at, sqlc.nest(g) AS guests FROM event e LEFT JOIN guest g ON g.at = e.at
WHERE e.at = @at ORDER BY g.id;
"""
TIMES = [datetime(2024, 10, 27, 0, 30, tzinfo=UTC), datetime(2024, 10, 27, 1, 30, tzinfo=UTC)]
LAST = datetime.max  # noqa: DTZ901 - infinity, as the drivers return it


@pytest.mark.parametrize("driver", POSTGRES)
def test_an_hour_that_a_clock_repeats_has_two_keys(
    postgres: Engine, driver: str, tmp_path: Path
) -> None:
    """Python compares times of one zone by the clock: 02:30 and, an hour later, 02:30 again."""
    texts = (MOMENTS, OF_MOMENTS)
    with (
        postgres.compiled(tmp_path, driver, texts=texts, options="") as package,
        postgres.database(MOMENTS) as url,
        postgres.connected(driver, package, url) as found,
    ):
        assert complaints(tmp_path / package) == ""
        execute(found, "SET TimeZone = 'Europe/Berlin'")
        given = ((TIMES[0], "one"), (TIMES[1], "two"), (LAST, "last"))
        for number, (at, name) in enumerate(given):
            execute(found, "INSERT INTO event VALUES ($1, $2)", at, name)
            execute(found, "INSERT INTO guest VALUES ($1, $2)", number, at)
        zoned = [time.astimezone(ZoneInfo("Europe/Berlin")) for time in TIMES]
        for ats in ([*TIMES, LAST], [*zoned, LAST]):
            assert found.call("hidden_many", ats=ats) == dict(given)
            assert found.call("listed_many", ats=ats) == {at: [name] for at, name in given}
            for name in ("shown_many", "guests_many"):
                rows = found.call(name, ats=ats)
                assert {at: row.name for at, row in rows.items()} == dict(given)
            assert list(found.call("alone_many", ats=ats)) == [*TIMES, LAST]
        pairs = found.call("paired_many", keys=given)
        assert pairs == {pair: pair[1] for pair in given}
        if not found.blocking:
            assert found.wait(_all_loaded(found.module(), found.db, TIMES)) == ["one", "two"] * 2
            assert found.wait(_all_loaded(found.module(), found.db, zoned)) == ["one", "two"] * 2


async def _all_loaded(module: Any, db: Any, keys: Sequence[datetime]) -> list[str]:
    loader = module.hidden_loader(db)
    alone = [await loader.load(key) for key in keys]
    return [*alone, *await asyncio.gather(*map(loader.load, keys))]


@pytest.mark.parametrize("models", list(ModelKind))
@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_the_rows_are_those_of_each_kind_of_class(
    request: pytest.FixtureRequest, engine: str, models: ModelKind, tmp_path: Path
) -> None:
    driver = {"postgres": "asyncpg", "mysql": "aiomysql"}[engine]
    with made(request.getfixturevalue(engine), driver, tmp_path, f"models: {models}") as found:
        fill(found, 2)
        for name, (_, _, keys, _) in KEYS.items():
            assert (
                together(found, name, KEYS[name], keys)
                == singly(found, name, KEYS[name], keys)
                != {}
            )
        row = next(iter(together(found, "get_item", KEYS["get_item"], IDS).values()))
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
