"""The same ways to get rows as objects, over aiomysql."""

from __future__ import annotations

from datetime import datetime
from types import ModuleType
from typing import Any

import aiomysql
from sqlalchemy import BigInteger, Column, MetaData, Table, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tortoise import Tortoise

from bench.rows.contenders import COLUMNS, Calls, TortoisePerson
from lib.db import Executor

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


def generated(db: Executor, store: ModuleType) -> Calls:
    """What this compiler writes, on an executor."""
    return lambda: store.list_people(db), lambda key: store.get_person(db, id=key)


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
    joined_at: Mapped[datetime]
    note: Mapped[str | None]


def sqlalchemy_core(engine: AsyncEngine) -> Calls:
    """SQLAlchemy Core over aiomysql."""
    person = Table("person", MetaData(), *(Column(name) for name in COLUMNS.split(", ")))
    everybody = select(person)

    async def fetch_all() -> list[Any]:
        async with engine.connect() as connection:
            return list(await connection.execute(everybody))

    async def fetch_one(key: int) -> Any:
        async with engine.connect() as connection:
            return (await connection.execute(everybody.where(person.c.id == key))).first()

    return fetch_all, fetch_one


def sqlalchemy_orm(engine: AsyncEngine) -> Calls:
    """SQLAlchemy's ORM over aiomysql, a session per call as its documentation advises."""
    sessions: async_sessionmaker[AsyncSession] = async_sessionmaker(engine, expire_on_commit=False)

    async def fetch_all() -> list[Any]:
        async with sessions() as session:
            return list(await session.scalars(select(MappedPerson)))

    async def fetch_one(key: int) -> Any:
        async with sessions() as session:
            return await session.get(MappedPerson, key)

    return fetch_all, fetch_one


async def tortoise(url: str) -> Calls:
    """Tortoise ORM over aiomysql."""
    await Tortoise.init(db_url=url, modules={"models": ["bench.rows.contenders"]})
    return TortoisePerson.all, lambda key: TortoisePerson.get_or_none(id=key)
