"""`:page` returns the rows of one page and the total of all pages, on every driver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.config.project import ModelKind

from tests.drivers.connecting import POSTGRES
from tests.drivers.connecting_mysql import MYSQL
from tests.drivers.running import Engine, Subject

SCHEMA = """
CREATE TABLE shop (id int PRIMARY KEY, name varchar(40) NOT NULL);
CREATE TABLE item (
    id int PRIMARY KEY, shop_id int NOT NULL REFERENCES shop (id), name varchar(40) NOT NULL,
    price numeric(9, 2)
);
"""
QUERIES = """
-- name: Items :page
SELECT * FROM item ORDER BY name, id LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: Dynamic :page
SELECT id, upper(name) AS name, coalesce(sqlc.arg(mark), name) AS mark -- with a comment, LIMIT
FROM item -- FROM nowhere
WHERE shop_id = sqlc.arg(shop) -- :if shop
  AND name LIKE sqlc.arg(pattern) -- :if pattern
ORDER BY
    name, -- :sort name asc|desc
    id
LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: Repeated :page
SELECT id FROM item
WHERE name >= sqlc.arg(least) AND (sqlc.arg(least) < 'm' OR name <> sqlc.arg(other))
ORDER BY id LIMIT 2 OFFSET sqlc.arg(skip);

-- name: Groups :page
SELECT shop_id, count(*) AS items FROM item WHERE name <> sqlc.arg(other)
GROUP BY shop_id HAVING count(*) > sqlc.arg(more)
ORDER BY shop_id LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: Shops :page
WITH priced AS (SELECT * FROM item WHERE price IS NOT NULL)
SELECT DISTINCT sqlc.embed(shop) FROM shop JOIN priced ON priced.shop_id = shop.id
ORDER BY shop.id LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: Whole :page
SELECT count(*) AS items FROM item ORDER BY items LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);
"""
SHOPS = [(1, "a"), (2, "b"), (3, "c")]
ITEMS = [(n, n % 3 + 1, "xyzw"[n % 4] * (n % 2 + 1), n if n % 5 else None) for n in range(1, 23)]
SIZES = (1, 2, 5, 22, 23, 100)


@contextmanager
def made(
    engine: Engine, driver: str, folder: Path, options: str = "emit_helpers: true"
) -> Iterator[Subject]:
    with (
        engine.compiled(
            folder, driver, texts=(SCHEMA, QUERIES), options=options, warned=True
        ) as package,
        engine.database(SCHEMA) as url,
        engine.connected(driver, package, url) as found,
    ):
        for table, rows in (("shop", SHOPS), ("item", ITEMS)):
            values = ", ".join(str(row).replace("None", "NULL") for row in rows)
            found.wait(found.db.execute(f"INSERT INTO {table} VALUES {values}"))
        yield found


@pytest.fixture(
    scope="module",
    params=[("postgres", one) for one in POSTGRES] + [("mysql", one) for one in MYSQL],
    ids="-".join,
)
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    engine, driver = request.param
    found = request.getfixturevalue(engine)
    with made(found, driver, tmp_path_factory.mktemp("pages")) as subject:
        yield subject


def pages(subject: Subject, name: str, size: int, **given: Any) -> tuple[list[Any], list[int]]:
    """Return the rows of all pages and the total of each, including one page after the end."""
    everything, totals, skip = [], [], 0
    while True:
        rows, total = subject.call(name, **given, size=size, skip=skip)
        everything += rows
        totals.append(total)
        assert len(rows) <= size
        if not rows:
            return everything, totals
        skip += size


def whole(rows: Sequence[tuple[Any, ...]], totals: Sequence[int], expected: Sequence[Any]) -> None:
    assert list(rows) == list(expected)
    assert set(totals) == {len(expected)}


@pytest.mark.parametrize("size", SIZES)
def test_pages_hold_each_row_once_in_order_with_the_total(subject: Subject, size: int) -> None:
    found, totals = pages(subject, "items", size)
    assert type(found[0]) is subject.module("models").Item
    ids = [row[0] for row in sorted(ITEMS, key=lambda row: (row[2], row[0]))]
    whole([row.id for row in found], totals, ids)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shop", [None, 1, 9])
@pytest.mark.parametrize("pattern", [None, "x%"])
@pytest.mark.parametrize("sort", ["name", "name desc"])
def test_the_total_of_a_dynamic_query_counts_what_its_conditions_select(
    subject: Subject, size: int, shop: int | None, pattern: str | None, sort: str
) -> None:
    given = {"shop": shop, "pattern": pattern, "sort": sort, "mark": "100% (x)"}
    found, totals = pages(subject, "dynamic", size, **given)
    chosen = [
        row
        for row in sorted(ITEMS)
        if (shop is None or row[1] == shop) and (pattern is None or row[2].startswith("x"))
    ]
    chosen.sort(key=lambda row: row[2], reverse=sort == "name desc")
    rows = [(row.id, row.name, row.mark) for row in found]
    whole(rows, totals, [(row[0], row[2].upper(), "100% (x)") for row in chosen])


def test_a_parameter_may_be_used_more_than_once(subject: Subject) -> None:
    expected = [row[0] for row in ITEMS if row[2] >= "y" and row[2] != "z"]
    found, total = subject.call("repeated", least="y", other="z", skip=2)
    assert (found, total) == (expected[2:4], len(expected))
    assert subject.call("repeated", least="y", other="z", skip=99) == ([], len(expected))


@pytest.mark.parametrize("size", SIZES)
def test_the_total_of_groups_counts_groups(subject: Subject, size: int) -> None:
    found, totals = pages(subject, "groups", size, other="x", more=5)
    counts = {shop: sum(row[1] == shop and row[2] != "x" for row in ITEMS) for shop, _ in SHOPS}
    expected = [(shop, count) for shop, count in counts.items() if count > 5]
    assert 0 < len(expected) < len(SHOPS)
    whole([(row.shop_id, row.items) for row in found], totals, expected)


@pytest.mark.parametrize("size", SIZES)
def test_the_total_of_a_distinct_list_counts_distinct_rows(subject: Subject, size: int) -> None:
    found, totals = pages(subject, "shops", size)
    whole([(row.shop.id, row.shop.name) for row in found], totals, SHOPS)


def test_the_total_of_an_aggregate_is_one(subject: Subject) -> None:
    assert pages(subject, "whole", 3) == ([len(ITEMS)], [1, 1])


def test_a_page_of_no_rows_still_has_the_total(subject: Subject) -> None:
    assert subject.call("items", size=0, skip=0) == ([], len(ITEMS))
    assert subject.call("dynamic", mark="", shop=9, size=0, skip=0) == ([], 0)


@pytest.mark.parametrize("models", list(ModelKind))
def test_pages_have_rows_of_each_kind_of_class(
    models: ModelKind, postgres: Engine, tmp_path: Path
) -> None:
    with made(postgres, "asyncpg", tmp_path, f"models: {models}") as found:
        rows, total = found.call("items", size=2, skip=4)
        assert ([type(row) for row in rows], total) == ([found.module("models").Item] * 2, 22)
        [row], _ = found.call("shops", size=1, skip=1)
        assert row.shop == found.module("models").Shop(id=2, name="b")
