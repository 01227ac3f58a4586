"""The driver alone, over aiomysql; the other ways to get rows are those of `contenders`."""

from __future__ import annotations

from typing import Any

import aiomysql

from bench.rows.contenders import COLUMNS, Calls

ALL = f"SELECT {COLUMNS} FROM person"
ONE = f"{ALL} WHERE id = %s"


def bare(connection: aiomysql.Connection) -> Calls:
    """The driver's own tuples, nothing made of them."""

    async def fetch_all() -> Any:
        cursor = await connection.cursor()
        await cursor.execute(ALL)
        return await cursor.fetchall()

    async def fetch_one(key: int) -> Any:
        cursor = await connection.cursor()
        await cursor.execute(ONE, (key,))
        return await cursor.fetchone()

    return fetch_all, fetch_one
