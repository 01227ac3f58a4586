"""What is written comes back equal: every PostgreSQL type, by every driver, with NULL and edges."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from devstack.testing.postgres import TestPostgres
from tests.codegen.drivers.connecting import PLAIN, connected
from tests.codegen.drivers.running import HERE, Subject, compiled
from tests.codegen.drivers.values_postgres import TYPES, values_of
from tests.codegen.golden import analyzer_on
from tests.conftest import Full


def column(name: str) -> str:
    """Return the column that holds a type."""
    return "c_" + name.replace("[]", "_list")


SCHEMA = (HERE / "postgres.sql").read_text() + "CREATE TABLE kinds ({});".format(
    ", ".join(f"{column(name)} {name}" for name in TYPES)
)
QUERIES = "\n".join(
    f"-- name: Put_{column(name)} :one\n"
    f"INSERT INTO kinds ({column(name)}) VALUES (@value) RETURNING {column(name)};\n"
    for name in TYPES
)


@pytest.fixture(scope="module", params=(*PLAIN, "sqlalchemy"))
def subject(
    request: pytest.FixtureRequest,
    postgres_server: TestPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Subject]:
    driver = request.param
    compiling, url = postgres_server.create_empty(), postgres_server.create_empty()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
    folder = tmp_path_factory.mktemp("types")
    texts = {"postgres.sql": SCHEMA, "postgres_queries.sql": QUERIES}
    with (
        compiled(folder, driver, analyzer_on(compiling), texts=texts, options="") as package,
        connected(driver, package, url) as found,
    ):
        yield found
    postgres_server.drop(url)
    postgres_server.drop(compiling)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal; of NaN, whether both are that."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other or (one != one and other != other))


@pytest.mark.parametrize("name", TYPES)
def test_what_is_written_comes_back_equal_and_of_the_class_it_had(
    subject: Subject, name: str, full: Full
) -> None:
    put = f"put_{column(name)}"

    @settings(
        max_examples=full(200, sample=8),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(values_of(name, subject))
    def comes_back(value: Any) -> None:
        found = subject.call(put, value=value)
        if subject.driver == "sqlalchemy" and "json" in name:  # which has decoded it already
            parsed = [json.loads(item) for item in value or ()] if "[]" in name else None
            value = parsed if "[]" in name and value is not None else json.loads(value or "null")
        assert same(found, value), f"{value!r} came back as {found!r}"
        assert isinstance(found, type(value))

    comes_back()
    assert subject.call(put, value=None) is None
