"""What the generated functions must do on a real server."""

import asyncpg
import pytest


async def run(db, queries):
    assert await queries.add_titles(db, ["Emma", "Dune"]) == 2
    assert await queries.set_tags(db, tags=("old", "slow"), ids=[1]) == 1
    assert await queries.books_of_tags(db, tags=["slow", "new"]) == ["Emma"]
    assert await queries.books_of_titles(db, titles=("Dune",)) == [2]
    assert await queries.search_books(db, titles=["Dune"]) == ["Dune"]
    assert await queries.search_books(db) == ["Emma", "Dune"]
    with pytest.raises(asyncpg.DataError):  # for those who use no type checker
        await queries.books_of_titles(db, titles="Dune")
