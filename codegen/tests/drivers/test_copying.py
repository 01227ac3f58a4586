"""`:copyfrom` is refused exactly for the types that asyncpg cannot copy."""

from __future__ import annotations

import asyncio

import asyncpg
from aiosqlc.drivers.asyncpg import ASYNCPG

from tests.servers.postgres import TestPostgres

# Some of the others, with a value of each.
COPIED = {
    "int4": 1,
    "text": "x",
    "inet": "10.0.0.1",
    "jsonpath": "$",
    "xid": 1,
    "pg_lsn": 1,
    "int4range": asyncpg.Range(1, 2),
    "point": (1, 2),
}


def test_asyncpg_copies_every_type_but_those_that_are_refused(
    postgres_server: TestPostgres,
) -> None:
    url = postgres_server.create_empty()
    try:
        assert asyncio.run(_refused(url)) == ASYNCPG.not_copied
    finally:
        postgres_server.drop(url)


async def _refused(url: str) -> set[str]:
    lists = {"int2vector": [1], "oidvector": [1]}
    values = COPIED | dict.fromkeys(ASYNCPG.not_copied, "1") | lists
    refused = set()
    connection = await asyncpg.connect(url)
    try:
        for name, value in values.items():
            await connection.execute(f"CREATE TABLE t_{name} (v {name})")
            try:
                await connection.copy_records_to_table(f"t_{name}", records=[(value,)])
            except (asyncpg.InternalClientError, asyncpg.InvalidBinaryRepresentationError):
                refused.add(name)
    finally:
        await connection.close()
    return refused
