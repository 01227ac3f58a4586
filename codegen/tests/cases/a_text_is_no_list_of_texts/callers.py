# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers know: an ignored line is one that they must refuse."""

from collections.abc import Sequence

from a_text_is_no_list_of_texts import queries
from a_text_is_no_list_of_texts.executor import Executor


async def accepted(db: Executor, given: Sequence[str]) -> None:
    await queries.books_of_tags(db, tags=["a"])
    await queries.books_of_titles(db, titles=["a"])
    await queries.books_of_titles(db, titles=("a", "b"))
    await queries.books_of_titles(db, titles=given)
    await queries.books_of_titles(db, titles=list("ab"))
    await queries.search_books(db, titles=None)
    await queries.add_titles(db, ["a"])


async def refused(db: Executor) -> None:
    await queries.books_of_tags(db, tags="a")  # type: ignore[arg-type]
    await queries.books_of_titles(db, titles="a")  # type: ignore[arg-type]
    await queries.set_tags(db, tags="a", ids=[1])  # type: ignore[arg-type]
    await queries.search_books(db, titles="a")  # type: ignore[arg-type]
    await queries.add_titles(db, "a")  # type: ignore[arg-type]
