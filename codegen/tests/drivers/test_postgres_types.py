"""Written values are read back equal: every PostgreSQL type and driver, with NULL and edges."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from aiosqlc.drivers import DRIVERS
from aiosqlc.plan.naming import camel
from aiosqlc.source import Dialect
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import Full
from tests.drivers.connecting import PLAIN
from tests.drivers.running import HERE, Engine, Subject, trying
from tests.drivers.values_postgres import TYPES, values_of


def column(name: str) -> str:
    """Return the column of a type."""
    return "c_" + name.replace("[]", "_list")


DEFINED = """
CREATE TYPE lasting AS (span interval);
CREATE DOMAIN lapse AS interval;
"""
SCHEMA = (
    (HERE / "postgres.sql").read_text()
    + DEFINED
    + "CREATE TABLE kinds (id int, {});".format(
        ", ".join(f"{column(name)} {name}" for name in TYPES)
    )
)
QUERIES = "\n".join(
    f"-- name: Put_{column(name)} :one\n"
    f"INSERT INTO kinds ({column(name)}) VALUES (@value) RETURNING {column(name)};\n"
    for name in TYPES
)
# Every other command: five write, and two read all.
WAYS = """
-- name: Exec_{0} :exec
INSERT INTO kinds (id, {0}) VALUES (@id, @value);
-- name: Copy_{0} :{1}
INSERT INTO kinds (id, {0}) VALUES (@id, @value);
-- name: Each_{0} :batchexec
INSERT INTO kinds (id, {0}) VALUES (@id, @value);
-- name: One_{0} :batchone
INSERT INTO kinds (id, {0}) VALUES (@id, @value) RETURNING {0};
-- name: Some_{0} :batchmany
INSERT INTO kinds (id, {0}) VALUES (@id, @value) RETURNING {0};
-- name: All_{0} :many
SELECT id, {0} AS value FROM kinds ORDER BY id;
-- name: Stream_{0} :stream
SELECT id, {0} AS value FROM kinds ORDER BY id;
"""
_LAST, _FIRST = datetime.max, datetime.min  # noqa: DTZ901 - infinity has no zone
# What no driver may read differently from the others; None is what Python has no value for.
HARD: dict[str, object] = {
    "'infinity'::date": date.max,
    "'-infinity'::date": date.min,
    "'10000-01-01'::date": None,
    "'0044-03-15 BC'::date": None,
    "'infinity'::timestamp": _LAST,
    "'-infinity'::timestamp": _FIRST,
    "'infinity'::timestamptz": _LAST,
    "'-infinity'::timestamptz": _FIRST,
    "'10000-01-01'::timestamptz": None,
    "'{infinity,NULL}'::timestamptz[]": [_LAST, None],
    "'24:00'::time": None,
    "'24:00+00'::timetz": None,
    "'infinity'::interval": None,
    "'-infinity'::interval": None,
    "'{infinity,1 day}'::interval[]": None,
    "ROW('infinity')::lasting": None,
    "'infinity'::lapse": None,
    "'1000000000 days'::interval": None,
    "'999999999 days'::interval": timedelta(days=999999999),
    "'-14 mons 3 days'::interval": timedelta(days=-(365 + 60) + 3),
    "'[0:1]={1,2}'::int4[]": [1, 2],
    "'0.01'::float4": 0.009999999776482582,
    "'{0.01}'::float4[]": [0.009999999776482582],
    "'NaN'::numeric": Decimal("NaN"),
    "'-Infinity'::numeric": Decimal("-Infinity"),
    "'1e400'::numeric": Decimal("1e400"),
}


def queries_of(driver: str) -> str:
    """Return the queries; a batch replaces COPY if the driver cannot copy a type."""
    refused = DRIVERS[Dialect.POSTGRESQL][driver].not_copied
    ways = (
        WAYS.format(column(name), "batchexec" if name in refused else "copyfrom") for name in TYPES
    )
    hard = (f"-- name: Hard{at} :one\nSELECT {text} AS v;\n" for at, text in enumerate(HARD))
    return "\n".join((QUERIES, *ways, *hard))


@pytest.fixture(scope="module", params=(*PLAIN, "sqlalchemy"))
def subject(
    request: pytest.FixtureRequest, postgres: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    driver, folder = request.param, tmp_path_factory.mktemp("types")
    with (
        postgres.compiled(
            folder, driver, texts=(SCHEMA, queries_of(driver)), options=""
        ) as package,
        postgres.database(SCHEMA) as url,
        postgres.connected(driver, package, url) as found,
    ):
        yield found


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal, or both are NaN."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other or (one != one and other != other))


def as_read(subject: Subject, name: str, value: Any) -> Any:
    """Return the value that is read after a write; SQLAlchemy has already decoded JSON."""
    if subject.driver != "sqlalchemy" or "json" not in name or value is None:
        return value
    return [json.loads(item) for item in value] if "[]" in name else json.loads(value)


@pytest.mark.parametrize("name", TYPES)
def test_what_is_written_comes_back_equal_and_of_the_class_it_had(
    subject: Subject, name: str, full: Full
) -> None:
    put = f"put_{column(name)}"

    @trying(full(200, sample=8))
    @given(values_of(name, subject))
    def comes_back(value: Any) -> None:
        found = subject.call(put, value=value)
        value = as_read(subject, name, value)
        assert same(found, value), f"{value!r} came back as {found!r}"
        assert isinstance(found, type(value))

    comes_back()
    assert subject.call(put, value=None) is None


@pytest.mark.parametrize("name", TYPES)
def test_every_command_writes_and_reads_it_alike(subject: Subject, name: str, full: Full) -> None:
    c, queries = column(name), subject.module()

    def batch(way: str, at: int, value: Any) -> Any:
        params = getattr(queries, f"{camel(f'{way}_{c}')}Params")
        return subject.call(f"{way}_{c}", [params(at, value)])

    @trying(full(40, sample=2))
    @example([None] * 5)
    @given(st.lists(values_of(name, subject), min_size=5, max_size=5))
    def comes_back(values: list[Any]) -> None:
        subject.wait(subject.db.execute("DELETE FROM kinds"))
        expected = [as_read(subject, name, value) for value in values]
        subject.call(f"exec_{c}", id=0, value=values[0])
        batch("copy", 1, values[1])
        batch("each", 2, values[2])
        assert same(batch("one", 3, values[3]), [expected[3]])
        assert same(batch("some", 4, values[4]), [[expected[4]]])
        with subject.streaming():
            streamed = subject.call(f"stream_{c}", chunk=2)
        for rows in (subject.call(f"all_{c}"), streamed):
            assert [row.id for row in rows] == list(range(5))
            found = [row.value for row in rows]
            assert same(found, expected), f"{values!r} came back as {found!r}"

    comes_back()


@pytest.mark.parametrize("text", HARD)
def test_what_python_can_hardly_say_is_the_same_of_all_drivers(subject: Subject, text: str) -> None:
    name = f"hard{list(HARD).index(text)}"
    for _ in range(2):  # psycopg reads some types in binary from the second time on
        if HARD[text] is None:
            with pytest.raises((ValueError, OverflowError, psycopg.DataError)):
                subject.call(name)
        else:
            assert same(subject.call(name), HARD[text])
    assert subject.call("hard0") == date.max  # the connection is as it was
