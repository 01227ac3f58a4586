"""The cost of lists of joined rows, as ratios to a loop that is written by hand.

Run: python -m bench.rows.nested. Two figures for each contender: a whole call in processor time of
this process, without the server's, and the grouping alone over the same rows. All contenders run
in turns; figures are the least of many turns.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import process_time
from typing import Any

import asyncpg
import uvloop
from sqlalchemy import BigInteger, DateTime, ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)

from bench.rows.turns import compile_into
from tests.servers import postgres

PROJECT = Path(__file__).with_name("project_nested")
AUTHORS, BOOKS, AWARDS = 1_000, 10, 3
BAR = 1.2
Work = Callable[[], Awaitable[Any]]


@dataclass(slots=True)
class Book:
    """A row of `book`."""

    id: int
    author_id: int
    title: str
    price: float


@dataclass(slots=True)
class Award:
    """A row of `award`."""

    id: int
    author_id: int
    year: int


@dataclass(slots=True)
class Author:
    """An author with books."""

    id: int
    name: str
    joined_at: datetime
    books: list[Book]


@dataclass(slots=True)
class Decorated:
    """An author with books and awards."""

    id: int
    name: str
    joined_at: datetime
    books: list[Book]
    awards: list[Award]


def one_list(rows: Iterable[Any]) -> list[Author]:
    """The loop by hand for one list."""
    authors: dict[int, Author] = {}
    for id_, name, joined_at, book_id, author_id, title, price in rows:
        author = authors.get(id_)
        if author is None:
            author = authors[id_] = Author(id_, name, joined_at, [])
        if book_id is not None:
            author.books.append(Book(book_id, author_id, title, price))
    return list(authors.values())


def two_lists(rows: Iterable[Any]) -> list[Decorated]:
    """The loop by hand for two lists, whose joined rows multiply."""
    authors: dict[int, Decorated] = {}
    books, awards = set[int](), set[int]()
    for (
        id_, name, joined_at, book_id, book_author, title, price, award_id, award_author, year
    ) in rows:  # fmt: skip
        author = authors.get(id_)
        if author is None:
            author = authors[id_] = Decorated(id_, name, joined_at, [], [])
        if book_id is not None and book_id not in books:
            books.add(book_id)
            author.books.append(Book(book_id, book_author, title, price))
        if award_id is not None and award_id not in awards:
            awards.add(award_id)
            author.awards.append(Award(award_id, award_author, year))
    return list(authors.values())


class Base(DeclarativeBase):
    """SQLAlchemy's declarative base."""


class MappedAuthor(Base):
    """The table as an ORM class."""

    __tablename__ = "author"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str]
    joined_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    books: Mapped[list[MappedBook]] = relationship(order_by="MappedBook.id")
    awards: Mapped[list[MappedAward]] = relationship(order_by="MappedAward.id")


class MappedBook(Base):
    """The table as an ORM class."""

    __tablename__ = "book"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    title: Mapped[str]
    price: Mapped[float]


class MappedAward(Base):
    """The table as an ORM class."""

    __tablename__ = "award"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    year: Mapped[int]


def mapped(engine: AsyncEngine, load: Any, *lists: Any) -> Work:
    """SQLAlchemy's ORM, a session per call."""
    text = select(MappedAuthor).options(*(load(item) for item in lists)).order_by(MappedAuthor.id)

    async def fetch() -> list[Any]:
        async with AsyncSession(engine) as session:
            return list((await session.scalars(text)).unique())

    return fetch


async def measure(url: str, rounds: int) -> None:
    """Print the ratios of both queries."""
    connection = await asyncpg.connect(url)
    await connection.execute((PROJECT / "schema.sql").read_text())
    await connection.execute(
        f"""
        INSERT INTO author SELECT i, 'Author ' || i, now() FROM generate_series(1, {AUTHORS}) i;
        INSERT INTO book SELECT i, 1 + i % {AUTHORS}, 'Book ' || i, i / 7.0
        FROM generate_series(1, {AUTHORS * BOOKS}) i;
        INSERT INTO award SELECT i, 1 + i % {AUTHORS}, 1900 + i % 100
        FROM generate_series(1, {AUTHORS * AWARDS}) i;
        """
    )
    await connection.execute("VACUUM ANALYZE")
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    stores = {kind: importlib.import_module(f"nested_{kind}.queries") for kind in KINDS}
    for name, by_hand, lists in (
        ("list_authors", one_list, (MappedAuthor.books,)),
        ("list_with_awards", two_lists, (MappedAuthor.books, MappedAuthor.awards)),
    ):
        text = getattr(stores["dataclass"], name.upper())

        async def hand(text: str = text, by_hand: Callable[[Iterable[Any]], Any] = by_hand) -> Any:
            return by_hand(await connection.fetch(text))

        calls: dict[str, Work] = {"loop by hand, dataclass": hand}
        groups = {"loop by hand, dataclass": by_hand}
        for kind, store in stores.items():
            calls[f"generated, {kind}"] = lambda store=store, name=name: getattr(store, name)(
                connection
            )
            groups[f"generated, {kind}"] = getattr(store, f"_{name}_nested")
        calls["SQLAlchemy, joinedload"] = mapped(engine, joinedload, *lists)
        calls["SQLAlchemy, selectinload"] = mapped(engine, selectinload, *lists)
        rows = await connection.fetch(text)
        report(f"{name}: {len(rows):,} joined rows", await timed(calls, groups, rows, rounds))
    await engine.dispose()
    await connection.close()


KINDS = ("dataclass", "msgspec")


async def timed(
    calls: dict[str, Work], groups: dict[str, Callable[[Any], Any]], rows: Any, rounds: int
) -> dict[str, tuple[float, float | None]]:
    """Return name → (least seconds of a call, least seconds of the grouping alone)."""
    whole: dict[str, list[float]] = {name: [] for name in calls}
    alone: dict[str, list[float]] = {name: [] for name in groups}
    for number in range(rounds + 1):
        for name, call in calls.items():
            started = process_time()
            await call()
            whole[name] += [process_time() - started] * bool(number)  # the first is a warm-up
        for name, group in groups.items():
            started = process_time()
            group(rows)
            alone[name] += [process_time() - started] * bool(number)
    return {name: (min(whole[name]), min(alone.get(name, []), default=None)) for name in calls}


def report(title: str, figures: dict[str, tuple[float, float | None]]) -> None:
    """Print the figures as ratios to the first."""
    print(title)
    base, base_alone = next(iter(figures.values()))
    for name, (call, alone) in figures.items():
        line = f"  {name:28} {call * 1e3:8.2f} ms {call / base:6.2f} x"
        if alone is not None and base_alone is not None:
            ratio = alone / base_alone
            met = "met" if ratio <= BAR else "MISSED"
            line += f"   grouping {alone * 1e3:7.2f} ms {ratio:5.2f} x   bar {BAR}: {met}"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rows.nested", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compile_into(PROJECT, Path(folder))
        with (
            postgres.running() as server,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(measure(server.create_empty("nested"), options.rounds))


if __name__ == "__main__":
    main()
