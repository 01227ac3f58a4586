"""`:page` without OFFSET: pages after a row contain each row once, on every driver."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import product
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

-- name: Locals :page
SELECT id FROM item
WHERE shop = sqlc.arg(page_of) AND id > sqlc.arg(following) AND id <= sqlc.arg(previous)
    AND id > sqlc.arg(rows) AND id > sqlc.arg(found)
ORDER BY id;
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
# Orders that a `:page` query must have as the same query without cursors.
ORDERS = {
    "Negated": "SELECT id FROM item ORDER BY NOT grade > 1 IS TRUE, id",
    "AndDescending": "SELECT id FROM item ORDER BY shop > 0 AND price > 2 DESC, id",
    "Either": "SELECT id FROM item ORDER BY shop = 1 OR price < 2, id",
    "Compared": "SELECT id FROM item ORDER BY name = 'a', weight > 1 DESC, id",
    "Summed": "SELECT id FROM item ORDER BY shop + id % 3 DESC, -shop, id DESC",
    "NoAlias": "SELECT id, shop + id FROM item ORDER BY shop, id",
    "Alias": "SELECT id, -shop AS shop FROM item ORDER BY shop, id",
    "BareAlias": "SELECT item.id k, upper(name) name FROM item ORDER BY name DESC, k",
    "InExpression": "SELECT id, -shop AS shop FROM item ORDER BY shop + 0, id",
    "Qualified": "SELECT id, -shop AS shop FROM item ORDER BY item.shop, id",
    "Starred": "SELECT *, -shop AS other FROM item ORDER BY other, name, id",
    "Counted": (
        "SELECT id, rank_of FROM (SELECT id, shop, count(*) OVER () AS rank_of FROM item) AS q "
        "ORDER BY shop, id"
    ),
}
ORDERS_OF_MYSQL = {
    "Exclusive": "SELECT id FROM item ORDER BY shop = 1 XOR price > 2, id",
    "Start": "SELECT id FROM item ORDER BY LEFT(name, 255) DESC, id",
}
ORDERS_OF_POSTGRES = {
    "Nulls": "SELECT id FROM item ORDER BY grade + shop NULLS FIRST, id",
    "Distinct": "SELECT id FROM item ORDER BY grade IS NOT DISTINCT FROM shop, id",
    "Cast": "SELECT id, price::int, name::varchar(1) FROM item ORDER BY price, name DESC, id",
    "CastLong": "SELECT id, CAST(weight AS int) FROM item WHERE weight < 9 ORDER BY weight, id",
    "Called": "SELECT id, (lower(name)), date(made) FROM item ORDER BY lower, date DESC, id",
    "Cased": 'SELECT id, name AS "Shop", 1 AS n FROM item ORDER BY "Shop", SHOP, id',
    "Named": "SELECT id, coalesce(name, 'x') FROM item ORDER BY coalesce, name, id",
}
ENDLESS = """
-- name: ByDay :page
SELECT id FROM endless ORDER BY day, at DESC, id;
-- name: ByMoment :page
SELECT id, day AS at, at AS day FROM endless ORDER BY day DESC NULLS LAST, zoned NULLS FIRST, id;
-- name: ByDomain :page
SELECT id, day::int_day FROM endless ORDER BY day DESC, id;
"""
ENDLESS_SCHEMA = """
CREATE DOMAIN int_day AS date;
CREATE TABLE endless (id int PRIMARY KEY, day date NOT NULL, at timestamp, zoned timestamptz);
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
def made(
    engine: Engine, driver: str, folder: Path, options: str = "", queries: str = ""
) -> Iterator[Subject]:
    on_postgres = engine.name == "postgresql"
    schema = SCHEMA.replace("varbinary(20)", "bytea") if on_postgres else SCHEMA
    texts = (schema, queries or QUERIES + NULLS * on_postgres)
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


def listed(engine: Engine) -> dict[str, str]:
    own = ORDERS_OF_POSTGRES if engine.name == "postgresql" else ORDERS_OF_MYSQL
    return {**ORDERS, **own}


@pytest.mark.parametrize(
    ("server", "driver"),
    [*(("postgres", one) for one in POSTGRES[:2]), *(("mysql", one) for one in MYSQL[:2])],
)
def test_pages_have_the_order_of_the_query(
    server: str, driver: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    engine: Engine = request.getfixturevalue(server)
    orders = listed(engine)
    queries = "".join(
        f"-- name: {name} :page\n{sql};\n-- name: {name}All :many\n{sql};\n"
        for name, sql in orders.items()
    )
    with made(engine, driver, tmp_path, queries=queries) as found:
        for name in orders:
            function = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
            wanted = [values_of(row) for row in found.call(f"{function}_all")]
            rows = everything(found, function, 7, name)
            assert [values_of(row) for row in rows] == wanted, name
            assert len(wanted) > 7


def values_of(row: Any) -> Any:
    return astuple(row) if is_dataclass(row) and not isinstance(row, type) else row


@pytest.mark.parametrize("driver", POSTGRES)
def test_endless_dates_differ_from_the_last_date_of_python(
    driver: str, postgres: Engine, tmp_path: Path
) -> None:
    days = ["infinity", "-infinity", "9999-12-31", "0001-01-01", "2024-02-29"]
    moments = ["infinity", "-infinity", "9999-12-31 23:59:59.999999", "0001-01-01", None]
    texts = (ENDLESS_SCHEMA, ENDLESS.replace("day, at DESC", "day, at DESC NULLS LAST"))
    with (
        postgres.compiled(tmp_path, driver, texts=texts, options="") as package,
        postgres.database(ENDLESS_SCHEMA) as url,
        postgres.connected(driver, package, url) as found,
    ):
        for number, (day, at) in enumerate(product(days * 2, moments)):
            zoned = "NULL" if at is None else f"'{at}+00'" if "finity" not in at else f"'{at}'"
            values = f"{number}, {written(day)}, {written(at)}, {zoned}"
            found.wait(found.db.execute(f"INSERT INTO endless VALUES ({values})"))
        for name in ("ByDay", "ByDomain", "ByMoment"):
            function = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
            whole = found.call(function, page_size=99).rows
            assert everything(found, function, 1, name) == whole
            assert everything(found, function, 3, name) == whole
            assert len(whole) == len(days) * 2 * len(moments)


def test_the_end_of_a_list_needs_no_order(subject: Subject) -> None:
    assert backward(subject, "sorted", 7, "Sorted") == everything(
        subject, "sorted", 7, "Sorted price"
    )


def test_a_parameter_may_have_the_name_of_a_local_variable(
    subject: Subject,
) -> None:
    given = {"page_of": 1, "following": 7, "previous": 40, "rows": 0, "found": 0}
    found = everything(subject, "locals", 2, "Locals", **given)
    assert found == [item["id"] for item in ITEMS if item["shop"] == 1 and item["id"] > 7]


REFUSED_ON_MYSQL = {
    "SELECT id FROM item ORDER BY shop AND id": "E391",
    "SELECT id FROM item ORDER BY repeat(name, 99), id": "E392",
    "SELECT id, row_number() OVER (ORDER BY id) AS place FROM item ORDER BY id": "E390",
    "SELECT DISTINCTROW shop FROM item ORDER BY shop": "E390",
    "SELECT id FROM item ORDER BY id LIMIT sqlc.arg(skip), sqlc.arg(n)": "E390",
}


@pytest.mark.parametrize("sql", REFUSED_ON_MYSQL)
def test_orders_that_lose_rows_on_mysql_are_refused(
    sql: str, mysql: Engine, tmp_path: Path
) -> None:
    texts = (SCHEMA, f"-- name: Refused :page\n{sql};")
    with (
        pytest.raises(AssertionError, match=rf"error\[{REFUSED_ON_MYSQL[sql]}\]"),
        mysql.compiled(tmp_path, MYSQL[0], texts=texts),
    ):
        pass
