"""Pass a value of the claimed type as an argument: the driver and the server must take it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import psycopg

from bench.soundness.model import Kind
from bench.soundness.values import ASYNCPG, Driver, ServerType, scalar_of

_SAMPLES: dict[str, Any] = {
    "int": 1,
    "float": 1.5,
    "Decimal": Decimal("1.5"),
    "str": "lit",
    "bool": True,
    "date": date(2024, 1, 1),
    "datetime": datetime(2024, 1, 1, tzinfo=UTC),
    "time": time(1),
    "timedelta": timedelta(1),
    "UUID": UUID(int=1),
    "bytes": b"x",
    # The drivers for JavaScript send texts.
    "number": "1",
    "string": "lit",
    "boolean": "true",
    "Date": "2024-01-01T00:00:00.000Z",
}


class Sender:
    """Passes arguments to the queries of one database; what they write is undone."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._known: dict[tuple[str, int, str, bool, bool], str] = {}

    def refusal(
        self, sql: str, params: Sequence[ServerType], number: int, claimed: Kind, driver: Driver
    ) -> str:
        """Return why an argument of the claimed type is refused, or an empty text.

        The other arguments are NULL. A claimed type that is the driver's own type is not tried.
        """
        given = params[number - 1]
        inner, kind = given, claimed
        if given.element and claimed.name == "list":
            inner, kind = given.element, claimed.items[0]
        own = scalar_of(inner, driver)
        document = inner.name in {"json", "jsonb"}
        listed = kind is not claimed
        if (
            kind.name not in _SAMPLES
            or own is None
            or document
            or (kind.name == own and listed == bool(given.element))
        ):
            return ""
        key = (sql, number, kind.name, listed, driver is ASYNCPG)
        if key not in self._known:
            value = [_SAMPLES[kind.name]] if listed else _SAMPLES[kind.name]
            values = [value if n == number else None for n in range(1, len(params) + 1)]
            by = _by_asyncpg if driver is ASYNCPG else _by_psycopg
            self._known[key] = by(self._address, sql, values)
        return self._known[key]


def _by_asyncpg(address: str, sql: str, values: Sequence[Any]) -> str:
    return asyncio.run(_fetched(address, sql, values))


async def _fetched(address: str, sql: str, values: Sequence[Any]) -> str:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute("begin")
        await connection.fetch(sql, *values)
    except (asyncpg.DataError, TypeError) as error:
        return f"{type(error).__name__}: {error}"[:160]
    except asyncpg.PostgresError:
        pass  # NULL for the others, or the value itself, breaks a constraint
    finally:
        await connection.close()
    return ""


def _by_psycopg(address: str, sql: str, values: Sequence[Any]) -> str:
    with psycopg.connect(address) as connection:
        try:
            psycopg.RawCursor(connection).execute(sql, values)
        except (psycopg.DataError, psycopg.errors.UndefinedFunction, TypeError) as error:
            return f"{type(error).__name__}: {error}".split("\n")[0][:160]
        except psycopg.Error:
            pass
        finally:
            connection.rollback()
    return ""
