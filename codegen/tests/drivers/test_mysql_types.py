"""What is written comes back equal: every MySQL type, by every driver, with NULL and edges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiosqlc.plan.naming import camel
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import Full
from tests.drivers.connecting_mysql import MYSQL
from tests.drivers.running import Engine, Subject, trying

Values = st.SearchStrategy[Any]
_TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["", "NULL", "'", '"', "\\", "\\'", "%s", "%", "\0", "\x1a", "\n", "😀"]),
)
_BYTES = st.binary(max_size=20)


def _ints(bits: int) -> Values:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _moments(first: int, last: int, micros: int = 1) -> Values:
    bounds = datetime(first, 1, 2), datetime(last, 12, 30)  # noqa: DTZ001 - a datetime has no zone
    return st.datetimes(*bounds).map(
        lambda t: t.replace(microsecond=t.microsecond // micros * micros)
    )


TYPES: dict[str, Values] = {
    "tinyint(1)": st.booleans(),
    "tinyint": _ints(8),
    "smallint": _ints(16),
    "mediumint": _ints(24),
    "int": _ints(32),
    "bigint": _ints(64),
    "bigint unsigned": st.integers(0, 2**64 - 1),
    "year": st.integers(1901, 2155) | st.just(0),
    "bit(16)": st.integers(0, 2**16 - 1),
    "float": st.integers(-(10**6) + 1, 10**6 - 1).map(lambda n: n / 1000),  # sent in six digits
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "decimal(20,5)": st.decimals(-(10**14), 10**14, places=5),
    "char(20)": _TEXTS.map(lambda text: text.rstrip(" ")),
    "varchar(20)": _TEXTS,
    "text": _TEXTS,
    "longtext": _TEXTS,
    "binary(4)": st.binary(min_size=4, max_size=4),
    "varbinary(20)": _BYTES,
    "blob": _BYTES,
    "date": st.dates(date(1, 1, 1)),
    "time": st.integers(-3020399, 3020399).map(lambda n: timedelta(seconds=n)),
    "time(6)": st.timedeltas(timedelta(seconds=-3020399), timedelta(seconds=3020399)),
    "datetime": _moments(1, 9999, 10**6),
    "datetime(6)": _moments(1, 9999),
    "timestamp(6)": _moments(1970, 2037).map(lambda moment: moment.replace(tzinfo=UTC)),
    "json": st.sampled_from(['{"a": [1, null, "é"]}', "[]", "null", '"x"', "1.50"]),
    "set('a','b')": st.sampled_from(["", "a", "b", "a,b"]),
    "uuid": st.uuids(version=4),  # MariaDB refuses those of no version
    "inet6": st.sampled_from(["::", "::1", "2001:db8::ff00:42:8329", "::ffff:10.0.0.1"]),
}
COLUMNS = {name: f"c_{number}" for number, name in enumerate((*TYPES, "enum('a','b c')"))}
SCHEMA = "CREATE TABLE kinds (id int PRIMARY KEY, {});".format(
    ", ".join(f"{column} {name} NULL" for name, column in COLUMNS.items())
)
QUERIES = "\n".join(
    f"-- name: Put_{column} :exec\n"
    f"REPLACE INTO kinds (id, {column}) VALUES (1, sqlc.arg(value));\n"
    f"-- name: Get_{column} :one\n"
    f"SELECT {column} FROM kinds WHERE id = 1;\n"
    f"-- name: Copy_{column} :copyfrom\n"
    f"INSERT INTO kinds (id, {column}) VALUES (?, ?);\n"
    f"-- name: Each_{column} :batchexec\n"
    f"INSERT INTO kinds (id, {column}) VALUES (sqlc.arg(id), sqlc.arg(value));\n"
    f"-- name: One_{column} :batchone\n"
    f"SELECT {column} FROM kinds WHERE id = sqlc.arg(id);\n"
    f"-- name: Some_{column} :batchmany\n"
    f"SELECT {column} FROM kinds WHERE id = sqlc.arg(id);\n"
    f"-- name: All_{column} :many\n"
    f"SELECT {column} FROM kinds ORDER BY id;\n"
    f"-- name: Stream_{column} :stream\n"
    f"SELECT {column} FROM kinds ORDER BY id;\n"
    for column in COLUMNS.values()
)


@pytest.fixture(scope="module")
def package(mysql: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("kinds")
    with mysql.compiled(folder, MYSQL, texts=(SCHEMA, QUERIES), options="") as package:
        yield package


@pytest.fixture(scope="module", params=MYSQL)
def subject(request: pytest.FixtureRequest, mysql: Engine, package: str) -> Iterator[Subject]:
    with mysql.subject(request.param, package, SCHEMA) as found:
        yield found


def values_of(name: str, subject: Subject) -> Values:
    """Return what a column of a type may hold besides NULL."""
    if name in TYPES:
        return TYPES[name]
    return st.sampled_from(getattr(subject.module("models"), camel(f"kinds_{COLUMNS[name]}")))


@pytest.mark.parametrize("name", COLUMNS)
def test_what_is_written_comes_back_equal_and_of_the_class_it_had(
    subject: Subject, name: str, full: Full
) -> None:
    column = COLUMNS[name]
    values = values_of(name, subject)

    @trying(full(200, sample=8))
    @given(values)
    def comes_back(value: Any) -> None:
        subject.call(f"put_{column}", value=value)
        found = subject.call(f"get_{column}")
        assert found == value, f"{value!r} came back as {found!r}"
        assert isinstance(found, type(value))

    comes_back()
    subject.call(f"put_{column}", value=None)
    assert subject.call(f"get_{column}") is None


@pytest.mark.parametrize("name", COLUMNS)
def test_every_command_writes_and_reads_it_alike(subject: Subject, name: str, full: Full) -> None:
    column, queries = COLUMNS[name], subject.module()

    def write(way: str, rows: list[tuple[int, Any]]) -> None:
        params = getattr(queries, f"{camel(f'{way}_{column}')}Params")
        given = [params(**{"id": at, params.__match_args__[1]: value}) for at, value in rows]
        subject.call(f"{way}_{column}", given)

    @trying(full(40, sample=2))
    @example([None] * 4)
    @given(st.lists(st.none() | values_of(name, subject), min_size=4, max_size=4))
    def comes_back(values: list[Any]) -> None:
        subject.wait(subject.db.execute("DELETE FROM kinds"))
        write("copy", list(enumerate(values[:2])))
        write("each", list(enumerate(values[2:], 2)))
        ids = range(len(values))
        for found in (
            subject.call(f"all_{column}"),
            subject.call(f"stream_{column}", chunk=3),
            subject.call(f"one_{column}", ids),
            [value for (value,) in subject.call(f"some_{column}", ids)],
        ):
            assert found == values, f"{values!r} came back as {found!r}"
            assert list(map(type, found)) == list(map(type, values))

    comes_back()
