"""`:page` without OFFSET: pages after a row contain each row once, on every driver."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.config.project import ModelKind

from tests.drivers.connecting import POSTGRES
from tests.drivers.connecting_mysql import MYSQL
from tests.drivers.running import Engine, Subject

SCHEMA = """
CREATE TABLE item (
    id int PRIMARY KEY, shop int NOT NULL, name varchar(40) NOT NULL, price numeric(9, 2) NOT NULL,
    made timestamp NOT NULL, grade int, weight double precision NOT NULL, code varbinary(20)
);
"""
QUERIES = """
-- name: Ids :page
SELECT id FROM item ORDER BY id;

-- name: Names :page
SELECT * FROM item ORDER BY name DESC, id DESC;

-- name: Mixed :page
SELECT item.id, upper(item.name) AS name -- ORDER BY nothing, FROM nowhere
FROM item -- a comment
WHERE item.shop = sqlc.arg(shop) OR sqlc.arg(shop) = 0 -- it has an OR
ORDER BY item.price, name DESC, item.id;

-- name: Sorted :page
SELECT id FROM item
WHERE shop <> sqlc.arg(other) -- :if other
ORDER BY
    price, -- :sort price asc|desc, made asc|desc, weight
    id;

-- name: Graded :page
SELECT id, grade FROM item ORDER BY coalesce(grade, -1) DESC, id;

-- name: Swapped :page
SELECT id FROM item
ORDER BY shop, -- :sort by: shop, name desc
    name, -- :sort then: name, shop
    id;
"""
NULLS = """
-- name: Last :page
SELECT id FROM item ORDER BY grade NULLS LAST, id;
-- name: First :page
SELECT id FROM item ORDER BY shop DESC, grade DESC NULLS FIRST, code NULLS FIRST, id DESC;
-- name: Chosen :page
SELECT id FROM item ORDER BY
    grade DESC NULLS LAST, -- :sort grade desc nulls last|asc nulls first
    id;
"""
_random = random.Random(7)
ITEMS = [
    {
        "id": number,
        "shop": _random.randrange(3),
        "name": _random.choice(["a", "b", "b ", "c_", "d'"]),
        "price": _random.choice(["1.50", "2", "10"]),
        "made": f"2024-02-{_random.randrange(1, 5):02} 03:04:05",
        "grade": _random.choice([None, 1, 2]),
        "weight": _random.choice([0.1, 0.3, 1e10]),
        "code": _random.choice([None, "00ff", ""]),
    }
    for number in range(1, 41)
]
SIZES = (2, 7, 40)


def written(value: object) -> str:
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


@contextmanager
def made(engine: Engine, driver: str, folder: Path, options: str = "") -> Iterator[Subject]:
    on_postgres = engine.name == "postgresql"
    schema = SCHEMA.replace("varbinary(20)", "bytea") if on_postgres else SCHEMA
    texts = (schema, QUERIES + NULLS * on_postgres)
    options = options or "emit_helpers: true"
    with (
        engine.compiled(folder, driver, texts=texts, options=options) as package,
        engine.database(schema) as url,
        engine.connected(driver, package, url) as found,
    ):
        for item in ITEMS:
            values = ", ".join(
                (
                    "NULL"
                    if value is None
                    else f"decode('{value}', 'hex')"
                    if on_postgres
                    else f"x'{value}'"
                )
                if column == "code"
                else written(value)
                for column, value in item.items()
            )
            found.wait(found.db.execute(f"INSERT INTO item VALUES ({values})"))
        yield found


@pytest.fixture(
    scope="module",
    params=[*(("postgres", one) for one in POSTGRES), *(("mysql", one) for one in MYSQL)],
    ids="-".join,
)
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    engine, driver = request.param
    found = request.getfixturevalue(engine)
    with made(found, driver, tmp_path_factory.mktemp("keyset")) as subject:
        yield subject


def walked(subject: Subject, name: str, size: int, **given: Any) -> list[Any]:
    """Return all rows, page by page to the end; each step back leads to the previous page."""
    module = subject.module("keyset")
    rows, cursor, before = [], None, None
    while True:
        page = subject.call(name, **given, page_size=size, cursor=cursor)
        assert 0 < len(page.rows) <= size
        rows += page.rows
        if before is None:
            assert page.previous is None
        else:
            back = subject.call(name, **given, page_size=size, cursor=page.previous)
            assert back.rows == before.rows
            assert (back.previous is None) == (before.previous is None)
            assert back.next is not None
        if page.next is None:
            return rows
        text = page.next.signed(b"secret")
        cursor, before = module.KeysetCursor.read(text, b"secret"), page
        assert cursor == page.next


def beside(subject: Subject, name: str, keys: tuple[object, ...]) -> Any:
    """Return a cursor of a list with other keys, derived from a cursor of the list."""
    return replace(subject.call(name, page_size=1).next, keys=keys)


def backward(subject: Subject, name: str, size: int, label: str, **given: Any) -> list[Any]:
    """Return all rows, from the last page to the first."""
    cursor = subject.module("keyset").KeysetCursor(label, backward=True)
    rows: list[Any] = []
    while cursor is not None:
        page = subject.call(name, **given, page_size=size, cursor=cursor)
        rows = [*page.rows, *rows]
        cursor = page.previous
    return rows


def everything(subject: Subject, name: str, size: int, label: str, **given: Any) -> list[Any]:
    found = walked(subject, name, size, **given)
    assert backward(subject, name, size, label, **given) == found
    return found


def ids(*orders: tuple[Callable[[dict[str, Any]], Any], bool]) -> list[int]:
    """Return the IDs of all items by several sort keys, each with whether it is descending."""
    found = list(ITEMS)
    for key, descending in reversed(orders):
        found.sort(key=key, reverse=descending)
    return [item["id"] for item in found]


def by(column: str) -> Callable[[dict[str, Any]], Any]:
    return lambda item: float(item[column]) if column == "price" else item[column]


@pytest.mark.parametrize("size", SIZES)
def test_pages_by_a_key_hold_each_row_once_in_order(subject: Subject, size: int) -> None:
    assert everything(subject, "ids", size, "Ids") == list(range(1, 41))
    found = everything(subject, "names", size, "Names")
    assert type(found[0]) is subject.module("models").Item
    names = [(row.name, row.id) for row in found]
    assert sorted(row.id for row in found) == list(range(1, 41))
    if subject.on_mysql:  # trailing blanks and case do not count there
        names = [(name.rstrip().lower(), number) for name, number in names]
    assert names == sorted(names, reverse=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shop", [0, 1])
def test_mixed_directions_and_a_condition_with_or_hold(
    subject: Subject, size: int, shop: int
) -> None:
    found = everything(subject, "mixed", size, "Mixed", shop=shop)
    # The name is the output column: in upper case.
    wanted = ids(
        (by("price"), False), (lambda item: item["name"].upper().rstrip(), True), (by("id"), False)
    )
    chosen = {item["id"] for item in ITEMS if shop in (0, item["shop"])}
    if not subject.on_mysql:
        wanted = ids(
            (by("price"), False), (lambda item: item["name"].upper(), True), (by("id"), False)
        )
    assert [row.id for row in found] == [number for number in wanted if number in chosen]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("other", [None, 2])
@pytest.mark.parametrize("sort", ["price", "price desc", "made", "made desc", "weight"])
def test_a_choice_of_order_holds(subject: Subject, size: int, other: int | None, sort: str) -> None:
    found = everything(subject, "sorted", size, f"Sorted {sort}", sort=sort, other=other)
    column, _, direction = sort.partition(" ")
    wanted = ids((by(column), direction == "desc"), (by("id"), False))
    chosen = {item["id"] for item in ITEMS if item["shop"] != other}
    assert found == [number for number in wanted if number in chosen]


@pytest.mark.parametrize("size", SIZES)
def test_keys_in_another_order_hold(subject: Subject, size: int) -> None:
    for first, then in (("shop", "name"), ("shop", "shop"), ("name desc", "shop")):
        label = f"Swapped {first} {then}"
        found = everything(subject, "swapped", size, label, by=first, then=then)
        assert sorted(found) == list(range(1, 41))


@pytest.mark.parametrize("size", SIZES)
def test_an_expression_is_a_sort_key(subject: Subject, size: int) -> None:
    found = everything(subject, "graded", size, "Graded")
    wanted = ids((lambda item: item["grade"] or -1, True), (by("id"), False))
    assert [row.id for row in found] == wanted


@pytest.mark.parametrize("size", SIZES)
def test_keys_that_may_be_null_hold(subject: Subject, size: int) -> None:
    if subject.on_mysql:
        return  # which has no NULLS FIRST

    def nulls(column: str, value: int) -> Callable[[dict[str, Any]], Any]:
        return lambda item: (item[column] is None) * value

    def value(column: str) -> Callable[[dict[str, Any]], Any]:
        return lambda item: item[column] or (0 if column == "grade" else "")

    last = ids((nulls("grade", 1), False), (value("grade"), False), (by("id"), False))
    assert everything(subject, "last", size, "Last") == last
    first = ids(
        (by("shop"), True), (nulls("grade", -1), False), (value("grade"), True),
        (nulls("code", -1), False), (value("code"), False), (by("id"), True),
    )  # fmt: skip
    assert everything(subject, "first", size, "First") == first
    for sort, wanted in (
        (
            "grade desc nulls last",
            ids((nulls("grade", 1), False), (value("grade"), True), (by("id"), False)),
        ),
        (
            "grade nulls first",
            ids((nulls("grade", -1), False), (value("grade"), False), (by("id"), False)),
        ),
    ):
        assert everything(subject, "chosen", size, f"Chosen {sort}", sort=sort) == wanted


def test_a_cursor_of_another_list_order_or_secret_is_refused(subject: Subject) -> None:
    module = subject.module("keyset")
    cursor = subject.call("sorted", sort="made", page_size=2).next
    for name, given in (("sorted", {"sort": "made desc"}), ("sorted", {}), ("ids", {})):
        with pytest.raises(module.KeysetCursorError, match="this cursor is of `Sorted made "):
            subject.call(name, page_size=2, cursor=cursor, **given)
    text = cursor.signed(b"secret")
    bad = [
        text[:-1] + ("A" if text[-1] != "A" else "B"),
        text[:-1],
        "",
        "=",
        "é",
        text + "A",
        " " + text,
        text + "=",
    ]
    for changed in bad:
        with pytest.raises(module.KeysetCursorError, match="this is not a cursor"):
            module.KeysetCursor.read(changed, b"secret")
    with pytest.raises(module.KeysetCursorError, match="this is not a cursor"):
        module.KeysetCursor.read(text, b"other")
    with pytest.raises(ValueError, match="page_size must be at least 1"):
        subject.call("ids", page_size=0)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("ids", ("a",)),
        ("ids", (datetime(2024, 2, 1),)),  # noqa: DTZ001 - as the column, without a zone
        ("ids", (None,)),
        ("ids", (1, 2)),
        ("names", (1, 1)),
        ("names", (b"a", 1)),
        ("mixed", (1, "a", 1)),
        ("sorted", (Decimal(1), date(2024, 2, 1), 0.1, 1)),
    ],
    ids=str,
)
def test_a_key_of_another_type_than_its_column_is_refused(
    subject: Subject, name: str, keys: tuple[object, ...]
) -> None:
    given = {"sorted": {"sort": "made"}, "mixed": {"shop": 0}}.get(name, {})
    cursor = replace(subject.call(name, page_size=1, **given).next, keys=keys)
    with pytest.raises(subject.module("keyset").KeysetCursorError, match="this cursor is of"):
        subject.call(name, page_size=2, cursor=cursor, **given)


@pytest.mark.parametrize("server", ["postgres", "mysql"])
def test_a_change_of_the_sort_keys_makes_older_cursors_invalid(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    engine: Engine = request.getfixturevalue(server)
    driver = (POSTGRES if server == "postgres" else MYSQL)[0]
    schema = SCHEMA.replace("varbinary(20)", "bytea") if server == "postgres" else SCHEMA
    changed = schema.replace("id int", "id bigint")
    releases = [(schema, "id"), (schema, "id DESC"), (schema, "shop, id"), (changed, "id")]
    found = []
    with engine.database(schema) as url:
        for number, (tables, order) in enumerate(releases):
            listed = f"-- name: Listed :page\nSELECT name FROM item ORDER BY {order};"
            folder = tmp_path / str(number)
            folder.mkdir()
            with (
                engine.compiled(folder, driver, texts=(tables, listed)) as package,
                engine.connected(driver, package, url) as release,
            ):
                if not found:
                    for item in ITEMS[:3]:
                        values = ", ".join(
                            "NULL" if name == "code" else written(value)
                            for name, value in item.items()
                        )
                        release.wait(release.db.execute(f"INSERT INTO item VALUES ({values})"))
                own = release.call("listed", page_size=1).next
                assert release.call("listed", page_size=1, cursor=own).rows
                module = release.module("keyset")
                for text in found:
                    older = module.KeysetCursor.read(text, b"secret")
                    with pytest.raises(module.KeysetCursorError, match="not of `Listed "):
                        release.call("listed", page_size=1, cursor=older)
                found.append(own.signed(b"secret"))


def test_a_page_beyond_the_end_leads_back(subject: Subject) -> None:
    beyond = subject.call("ids", page_size=5, cursor=beside(subject, "ids", (99,)))
    assert (beyond.rows, beyond.next) == ([], None)
    last = subject.call("ids", page_size=5, cursor=beyond.previous)
    assert last.rows == [36, 37, 38, 39, 40]
    start = replace(beside(subject, "ids", (0,)), backward=True)
    before = subject.call("ids", page_size=5, cursor=start)
    assert (before.rows, before.previous) == ([], None)
    assert subject.call("ids", page_size=5, cursor=before.next).rows == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("models", list(ModelKind))
def test_keyset_pages_have_rows_of_each_kind_of_class(
    models: ModelKind, postgres: Engine, tmp_path: Path
) -> None:
    with made(postgres, "asyncpg", tmp_path, f"models: {models}") as found:
        page = found.call("names", page_size=2)
        assert [type(row) for row in page.rows] == [found.module("models").Item] * 2
