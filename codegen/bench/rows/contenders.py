"""The ways to get rows as objects; each gives two calls: all rows, and one row by its key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

import asyncpg
from sqlalchemy import BigInteger, Column, DateTime, MetaData, Table, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tortoise import Tortoise, fields
from tortoise.models import Model

Calls = tuple[Callable[[], Awaitable[Any]], Callable[[int], Awaitable[Any]]]
COLUMNS = "id, name, email, age, score, active, joined_at, note"
ALL = f"SELECT {COLUMNS} FROM person"
ONE = f"SELECT {COLUMNS} FROM person WHERE id = $1"


def bare(connection: asyncpg.Connection) -> Calls:
    """The driver's own records, nothing made of them."""
    return lambda: connection.fetch(ALL), lambda key: connection.fetchrow(ONE, key)


def generated(connection: Any, store: ModuleType) -> Calls:
    """The functions that this compiler generates."""
    return lambda: store.list_people(connection), lambda key: store.get_person(connection, id=key)


@dataclass
class Person:
    """A row class as keyword-decoding generators write it."""

    id_: int
    name: str
    email: str
    age: int
    score: float
    active: bool
    joined_at: datetime
    note: str | None


class LazyRows:
    """A result that is fetched when awaited and decodes each row by a hook."""

    def __init__(self, connection: Any, sql: str, hook: Callable[[Any], Any]) -> None:
        self._connection, self._sql, self._hook = connection, sql, hook

    def __await__(self) -> Any:
        return self._fetch().__await__()

    async def _fetch(self) -> list[Any]:
        return [self._hook(row) for row in await self._connection.fetch(self._sql)]


def keyword_hooks(connection: asyncpg.Connection) -> Calls:
    """The shape of sqlc-gen-better-python's output: a hook per call, keywords, subscripts."""

    def make(row: Any) -> Person:
        return Person(
            id_=row[0],
            name=row[1],
            email=row[2],
            age=row[3],
            score=row[4],
            active=row[5],
            joined_at=row[6],
            note=row[7],
        )

    async def fetch_all() -> list[Any]:
        return await LazyRows(connection, ALL, make)

    async def one(key: int) -> Person | None:
        row = await connection.fetchrow(ONE, key)
        return None if row is None else make(row)

    return fetch_all, one


class Base(DeclarativeBase):
    """SQLAlchemy's declarative base."""


class MappedPerson(Base):
    """The table as an ORM class."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    age: Mapped[int]
    score: Mapped[float]
    active: Mapped[bool]
    joined_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    note: Mapped[str | None]


def sqlalchemy_core(engine: AsyncEngine) -> Calls:
    """SQLAlchemy Core over the driver."""
    person = Table("person", MetaData(), *(Column(name) for name in COLUMNS.split(", ")))
    people = select(person)

    async def fetch_all() -> list[Any]:
        async with engine.connect() as connection:
            return list(await connection.execute(people))

    async def fetch_one(key: int) -> Any:
        async with engine.connect() as connection:
            return (await connection.execute(people.where(person.c.id == key))).first()

    return fetch_all, fetch_one


def sqlalchemy_orm(engine: AsyncEngine) -> Calls:
    """SQLAlchemy's ORM over the driver, a session per call as its documentation advises."""
    sessions: async_sessionmaker[AsyncSession] = async_sessionmaker(engine, expire_on_commit=False)

    async def fetch_all() -> list[Any]:
        async with sessions() as session:
            return list(await session.scalars(select(MappedPerson)))

    async def fetch_one(key: int) -> Any:
        async with sessions() as session:
            return await session.get(MappedPerson, key)

    return fetch_all, fetch_one


class TortoisePerson(Model):
    """The table as a Tortoise model."""

    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    email = fields.TextField()
    age = fields.IntField()
    score = fields.FloatField()
    active = fields.BooleanField()
    joined_at = fields.DatetimeField()
    note = fields.TextField(null=True)

    class Meta:
        """Tortoise reads the table's name here."""

        table = "person"


async def tortoise(url: str) -> Calls:
    """Tortoise ORM over the driver."""
    await Tortoise.init(db_url=url, modules={"models": ["bench.rows.contenders"]})
    return TortoisePerson.all, lambda key: TortoisePerson.get_or_none(id=key)
