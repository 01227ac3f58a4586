"""Calls of the generated functions on a real server: CALL returns one row of outputs."""

import asyncpg
import pytest


async def run(db, queries):
    assert await queries.open_account(db, id=1, owner="ann") is True
    await queries.open_quietly(db, id=2, owner="bob")
    assert await queries.describe(db, id=1) == queries.DescribeRow("ann", None)
    with pytest.raises(asyncpg.InternalServerError, match="null record"):
        await queries.describe(db, id=9)
    assert await queries.bump(db, counter=1, label="a") == queries.BumpRow(2, "a")
    assert (await queries.bump_any(db, counter=1, label=None)).label is None
    assert (await queries.bump_default(db, counter=4)).counter == 5
    assert await queries.total(db) == 2
    assert await queries.shifted(db) is None
    assert await queries.shifted_to(db, b=7, c=8) == 7
    assert await queries.widened(db) == 1
