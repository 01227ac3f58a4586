"""`:arrow` returns a record batch with the same values as the rows of the query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import inf, isnan, nan
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pyarrow as pa
import pytest

from tests.drivers.connecting import POSTGRES
from tests.drivers.running import Engine, Subject

DAY = datetime(2026, 2, 3, 4, 5, 6, 700_001)  # noqa: DTZ001 - a timestamp has no zone
VALUES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "smallint": [0, -1, -(2**15), 2**15 - 1],
    "integer": [0, 1, -(2**31), 2**31 - 1],
    "bigint": [0, -1, -(2**63), 2**63 - 1],
    "real": [0.0, -0.0, 1.5, 1.1754943508222875e-38, inf, -inf, nan],
    "double precision": [0.0, 0.1, -1e308, 5e-324, inf, -inf, nan],
    "numeric(9, 2)": [Decimal(text) for text in ("0.00", "-0.01", "9999999.99", "-9999999.99")],
    "numeric(38, 10)": [Decimal(f"{sign}{'9' * 28}.{'9' * 10}") for sign in ("", "-")],
    "numeric(38)": [Decimal("9" * 38), Decimal(f"-{'1' * 38}"), Decimal(0)],
    "text": ["", "a", "$1 '\"\\", "é\n\u20ac \U0001f600", "x" * 300],
    "varchar(9)": ["", "NULL", " a "],
    "char(4)": ["", "a", "abcd"],
    "name": ["pg", "n" * 63],
    "mood": ["sad", "it's, {ok}"],
    "label": ["", "long"],
    "bytea": [b"", b"\0\xff\\", bytes(range(256))],
    "date": [date(1970, 1, 1), date(2000, 1, 1), date(1, 1, 2), date(9999, 12, 30)],
    "timestamp": [DAY, datetime(1, 1, 2), datetime(9999, 12, 31)],  # noqa: DTZ001
    "timestamptz": [DAY.replace(tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)],
    "time": [time(0), time(23, 59, 59, 999_999)],
    "uuid": [UUID(int=0), UUID(int=2**128 - 1)],
    "json": ['{"a": [1, null]}', "null"],
    "jsonb": ['{"a": [1, null]}', "null", '"\\n"'],
}
SCALARS = {f"c{number}": kind for number, kind in enumerate(VALUES)}
ARRAYS = {f"a{number}": kind for number, kind in enumerate(VALUES) if kind != "label"}
COLUMNS = SCALARS | {name: f"{kind}[]" for name, kind in ARRAYS.items()}
SCHEMA = f"""
CREATE TYPE mood AS ENUM ('sad', 'it''s, {{ok}}');
CREATE DOMAIN label AS text CHECK (length(VALUE) < 9);
CREATE TABLE every (
    id int PRIMARY KEY, {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())}
);
CREATE TABLE certain (
    id int PRIMARY KEY, {", ".join(f"{name} {kind} NOT NULL" for name, kind in COLUMNS.items())}
);
"""
QUERIES = """
-- name: Every :arrow
SELECT * FROM every WHERE id >= @least AND id < @below ORDER BY id DESC;

-- name: Certain :arrow
SELECT * FROM certain WHERE id >= @least AND id < @below ORDER BY id DESC;

-- name: Joined :arrow
SELECT e.id, c.c2, c.a9, count(*) OVER () AS "a count", @mark::text AS mark
FROM every AS e LEFT JOIN certain AS c ON c.id = e.id + 1
ORDER BY e.id;

-- name: Huge :arrow
SELECT repeat('x', 100000000) AS huge FROM generate_series(1, @count::int);
"""
ROWS = 60
ALL = {"least": 0, "below": ROWS}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(one, marks=[] if one == "asyncpg" else [pytest.mark.long]) for one in POSTGRES
    ],
)
def found(
    request: pytest.FixtureRequest, postgres: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Subject, asyncpg.Connection]]:
    folder = tmp_path_factory.mktemp("arrow")
    with (
        postgres.compiled(folder, request.param, texts=(SCHEMA, QUERIES)) as package,
        postgres.database(SCHEMA) as url,
        postgres.connected(request.param, package, url) as subject,
    ):
        connection = subject.runner.run(asyncpg.connect(url))
        subject.runner.run(fill(connection))
        yield subject, connection
        subject.runner.run(connection.close())


async def fill(connection: asyncpg.Connection) -> None:
    random = Random(4)
    marks = ", ".join(f"${number + 2}" for number, _ in enumerate(COLUMNS))
    for table, some in (("every", [None]), ("certain", [])):
        rows = [
            (number, *(value(random, number, name, some) for name in COLUMNS))
            for number in range(ROWS)
        ]
        await connection.executemany(f"INSERT INTO {table} VALUES ($1, {marks})", rows)


def value(random: Random, number: int, name: str, some: list[None]) -> Any:
    """Return each value of a type in turn for the first rows, and any value for the others."""
    values = [*some, *VALUES[SCALARS.get(name) or ARRAYS[name]]]
    if name in SCALARS:
        return values[number] if number < len(values) else random.choice(values)
    values.append(None)
    lists = [*some, [], values, values[::-1]]
    shortened = random.choices(values, k=random.randrange(4))
    return lists[number] if number < len(lists) else random.choice([*some, shortened])


def plain(value: Any) -> Any:
    """Return a value in a form in which NaN and the sign of zero can be compared."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return "NaN" if isnan(value) else repr(value)
    return str(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize("table", ["every", "certain"])
@pytest.mark.parametrize(
    "limits", [ALL, {"least": 0, "below": 0}, *({"least": n, "below": n + 1} for n in range(8))]
)
def test_a_batch_has_the_values_of_the_rows(
    found: tuple[Subject, asyncpg.Connection], table: str, limits: dict[str, int]
) -> None:
    subject, connection = found
    batch = subject.call(table, **limits)
    asked = f"SELECT * FROM {table} WHERE id >= $1 AND id < $2 ORDER BY id DESC"
    rows = subject.runner.run(connection.fetch(asked, *limits.values()))
    assert batch.num_rows == len(rows)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        expected = [plain(row[name]) for row in rows]
        assert [plain(each) for each in column.to_pylist()] == expected, COLUMNS.get(name)


def test_only_proved_columns_have_no_null(found: tuple[Subject, asyncpg.Connection]) -> None:
    every, certain = (
        getattr(found[0].module(), name) for name in ("EVERY_SCHEMA", "CERTAIN_SCHEMA")
    )
    assert [field.name for field in every if not field.nullable] == ["id"]
    assert all(not field.nullable for field in certain)
    lists = [field.type for field in certain if pa.types.is_list(field.type)]
    assert len(lists) == len(ARRAYS)
    assert all(kind.value_field.nullable for kind in lists)


def test_an_outer_join_makes_columns_null(found: tuple[Subject, asyncpg.Connection]) -> None:
    batch = found[0].call("joined", mark="'); DROP TABLE every; --")
    assert [batch.schema.field(name).nullable for name in ("id", "c2", "a9")] == [
        False, True, True,
    ]  # fmt: skip
    assert batch.column("c2").to_pylist()[-1] is None
    assert set(batch.column("a count").to_pylist()) == {ROWS}
    assert set(batch.column("mark").to_pylist()) == {"'); DROP TABLE every; --"}


REFUSED = {
    "date": ["infinity", "-infinity"],
    "timestamp": ["infinity", "-infinity", "294276-12-31 23:59:59"],
    "timestamptz": ["infinity", "-infinity"],
    "time": ["24:00"],
    "numeric(9, 2)": ["NaN"],
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in REFUSED.items() for text in texts]
)
@pytest.mark.parametrize("form", ["{}", "{{NULL, {}}}"])
def test_a_value_that_arrow_lacks_is_an_error(
    found: tuple[Subject, asyncpg.Connection], kind: str, text: str, form: str
) -> None:
    subject, connection = found
    columns = SCALARS if form == "{}" else ARRAYS
    name = next(name for name, known in columns.items() if known == kind)
    value = form.format(text)
    added = f"INSERT INTO every (id, {name}) VALUES (-1, '{value}')"
    subject.runner.run(connection.execute(added))
    try:
        with pytest.raises(subject.module("arrow_batch").ArrowError, match=f"`{name}`"):
            subject.call("every", least=-1, below=9)
    finally:
        subject.runner.run(connection.execute("DELETE FROM every WHERE id < 0"))


def test_a_numeric_with_more_digits_is_an_error_with_a_remedy(
    found: tuple[Subject, asyncpg.Connection],
) -> None:
    subject, connection = found
    name = next(name for name, kind in SCALARS.items() if kind == "numeric(9, 2)")
    kept = f"ALTER TABLE every ALTER {name} TYPE numeric(9, 2)"
    for kind, value in (("numeric(20, 4)", "1.2345"), ("numeric(50, 2)", "9" * 40)):
        subject.runner.run(connection.execute(f"ALTER TABLE every ALTER {name} TYPE {kind}"))
        added = f"INSERT INTO every (id, {name}) VALUES (-1, {value})"
        subject.runner.run(connection.execute(added))
        try:
            error = subject.module("arrow_batch").ArrowError
            with pytest.raises(error, match=f"`{name}`.*: run `aiosqlc generate` again"):
                subject.call("every", least=-1, below=9)
        finally:
            subject.runner.run(connection.execute("DELETE FROM every WHERE id < 0"))
            subject.runner.run(connection.execute(kept))


def test_a_type_without_the_conversion_is_refused_by_the_server(
    found: tuple[Subject, asyncpg.Connection],
) -> None:
    """The statement cannot be prepared, so the error is the driver's own."""
    subject, connection = found
    subject.runner.run(connection.execute("ALTER TABLE every ALTER id TYPE bigint"))
    try:
        with pytest.raises(Exception, match=r"function int4send\(bigint\) does not exist"):
            subject.call("every", **ALL)
    finally:
        subject.runner.run(connection.execute("ALTER TABLE every ALTER id TYPE int"))


def test_dates_before_christ_keep_their_distance(
    found: tuple[Subject, asyncpg.Connection],
) -> None:
    subject, connection = found
    days = next(name for name, kind in SCALARS.items() if kind == "date")
    times = next(name for name, kind in SCALARS.items() if kind == "timestamp")
    added = (
        f"INSERT INTO every (id, {days}, {times}) VALUES ($1, $2::text::date, $3::text::timestamp)"
    )
    cases = [(-1, "4713-11-24 BC", "4713-11-24 BC"), (-2, "5874897-12-31", "280000-01-01")]
    try:
        subject.runner.run(connection.executemany(added, cases))
        batch = subject.call("every", least=-2, below=0)
        rows = subject.runner.run(
            connection.fetch(
                f"SELECT {days} - date '1970-01-01' AS days, (extract(epoch FROM {times})"
                " * 1000000)::int8 AS micros FROM every WHERE id < 0 ORDER BY id DESC"
            )
        )
        assert batch.column(days).view(pa.int32()).to_pylist() == [r["days"] for r in rows]
        micros = batch.column(times).view(pa.int64()).to_pylist()
        assert micros == [r["micros"] for r in rows]
    finally:
        subject.runner.run(connection.execute("DELETE FROM every WHERE id < 0"))


def test_a_batch_passes_to_other_libraries_without_a_copy(
    found: tuple[Subject, asyncpg.Connection],
) -> None:
    """Polars, pandas and DuckDB read the C data interface, whose buffers are those of the batch."""
    batch = found[0].call("certain", **ALL)
    again = pa.record_batch(Exported(batch))
    for name in ("c2", "c3", "c5", "c9", "c15"):
        mine, theirs = batch.column(name).buffers(), again.column(name).buffers()
        assert [b and b.address for b in mine] == [b and b.address for b in theirs], name


class Exported:
    """An object that offers only the C data interface."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self._batch.__arrow_c_array__(requested_schema)


def test_the_callers_transaction_is_read(found: tuple[Subject, asyncpg.Connection]) -> None:
    subject, _ = found
    with subject.streaming():
        subject.wait(subject.db.execute("DELETE FROM every WHERE id >= 5"))
        assert subject.call("every", **ALL).num_rows == 5
    assert subject.call("every", **ALL).num_rows == ROWS


def test_mysql_has_no_such_columns(mysql: Engine, tmp_path: Path) -> None:
    texts = ("CREATE TABLE t (id int PRIMARY KEY);", "-- name: All :arrow\nSELECT id FROM t;")
    with (
        pytest.raises(AssertionError, match=r"(?s)E398.*queries.sql:1:10.*only PostgreSQL"),
        mysql.compiled(tmp_path, "aiomysql", texts=texts),
    ):
        pass


@pytest.mark.long
def test_a_result_of_more_than_a_gigabyte_is_the_servers_error(
    found: tuple[Subject, asyncpg.Connection],
) -> None:
    with pytest.raises(Exception, match=r"maximum allowed length|memory"):
        found[0].call("huge", count=11)
    assert found[0].call("huge", count=1).num_rows == 1
