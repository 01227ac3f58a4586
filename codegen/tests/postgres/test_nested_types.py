"""Arrays of arrays and ranges have the Python type that the driver really returns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiosqlc.config.project import PythonTarget
from aiosqlc.ir import TypedQuery
from aiosqlc.plan.types import TypeResolver
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.embedded import Server, embedded_server
from aiosqlc.source import Span
from psycopg.conninfo import conninfo_to_dict

from tests.postgres.asking import answers

SCHEMA = """
create table t (id int primary key, one int[] not null, two int[][] not null);
create type listed as range (subtype = int4[]);
create type pair as (a int, b text);
create type paired as range (subtype = pair);
create type mood as enum ('sad', 'ok');
create type moody as range (subtype = mood);
create domain small as int;
create type smallish as range (subtype = small);
"""
ROW = "insert into t values (1, '{1,2}', '{{1,2},{3,4}}')"
CASES = {
    "select array[1, 2]": "list[int]",
    "select array[array[1, 2]]": "list[list[int]]",
    "select array_agg(array[id, null]) from t group by id": "list[list[int | None]]",
    "select array_agg(one) from t group by id": "list[list[int | None]]",
    "select array_agg(two) from t group by id": "list[list[list[int | None]]]",
    "select array(select one from t)": "list[list[int | None]]",
    "select array(select id from t)": "list[int]",
    "select one from t": "list[int | None]",
    "select two from t": "list[list[int | None]]",
    "select two || two from t": "list[list[int | None]]",
    "select coalesce(two, two) from t": "list[list[int | None]]",
    "select case when id > 0 then two end as c from t": "list[list[int | None]] | None",
    "select two[1:1] from t": "list[list[int | None]] | None",
    "select s.x from (select array_agg(one) x from t group by id) s": "list[list[int | None]]",
    "select '{{1,2},{3,4}}'::int[]": "list[list[int]]",
    "select array_append(one, 3) from t": "list[int | None]",
    "select array_fill(7, array[2, 3])": "list[list[int | None]]",
    "select array_fill(7, '{2}')": "list[int | None] | None",
    "select max(two) from t group by id": "list[list[int | None]]",
    "select min(array[array[id]]) from t group by id": "list[list[int | None]]",
    "select v from (values (array[array[1]])) x (v)": "list[list[int | None]]",
    "select v from (values (array[1]), (array[2])) x (v)": "list[int | None]",
    "select listed('{1}', '{2}')": "Range[list[int | None]] | None",
    "select paired(row(1, 'a')::pair, row(2, 'b')::pair)": "Range[Any] | None",
    "select moody('sad', 'ok')": "Range[str] | None",
    "select smallish(1, 2)": "Range[int] | None",
}


@pytest.fixture(scope="module")
def values() -> Iterator[dict[str, Any]]:
    with embedded_server() as server:
        yield asyncio.run(_fetched(server))


async def _fetched(server: Server) -> dict[str, Any]:
    with Connection(server.admin) as admin:
        admin.run("drop database if exists nested_types with (force)")
        admin.run("create database nested_types template template0")
    host = str(conninfo_to_dict(server.admin)["host"])
    connection = await asyncpg.connect(host=host, user="postgres", database="nested_types")
    try:
        await connection.execute(SCHEMA + ROW)
        return {sql: await connection.fetchval(sql) for sql in CASES}
    finally:
        await connection.close()


def _annotation(query: TypedQuery) -> str:
    column = query.columns[0]
    resolver = TypeResolver(PythonTarget(Path("out"), Span(0, 0)), "models")
    return resolver.column(
        column.type, not_null=column.not_null, element_not_null=column.element_not_null
    ).annotation


def _shape(value: Any) -> str:
    """Return the expected annotation of a value, without NULLs."""
    if isinstance(value, list):
        return f"list[{_shape(value[0])}]"
    if isinstance(value, asyncpg.Range):
        return f"Range[{_shape(value.lower)}]"
    return "Any" if isinstance(value, asyncpg.Record) else type(value).__name__


@pytest.mark.parametrize("sql", CASES)
def test_a_nested_value_has_the_type_the_driver_returns(sql: str, values: dict[str, Any]) -> None:
    typed, _ = answers(SCHEMA, tuple(CASES))
    assert _annotation(typed[sql]) == CASES[sql]
    assert _shape(values[sql]) == CASES[sql].replace(" | None", "")
