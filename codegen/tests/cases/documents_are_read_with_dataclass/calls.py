"""Documents become objects: numbers, moments and bytes as columns have them, endless ones too."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


async def run(db: Any, queries: Any) -> None:
    ann = await queries.add_author(db, name="ann", mood=None)
    bob = await queries.add_author(db, name="bob", mood="so so")
    day = datetime(2024, 2, 29, 12, 30, 15, 250000, tzinfo=UTC)
    given = {"rating": float("inf"), "cover": b"\x00\\x", "price": Decimal("0.10")}
    await queries.add_book(db, author_id=ann, title="first", published=day, **given)
    given = {"rating": None, "cover": None, "price": None}
    await queries.add_book(db, author_id=ann, title="second", published=day, **given)

    author = await queries.get_author(db, id=ann)
    assert [book.title for book in author.books] == ["first", "second"]
    assert [book.price for book in author.books] == [Decimal("0.10"), None]
    assert [book.rating for book in author.books] == [float("inf"), None]
    assert (await queries.get_author(db, id=bob)).books == []

    shelf, empty = await queries.list_shelves(db)
    assert empty.books == []
    assert [book.cover for book in shelf.books] == [b"\x00\\x", None]
    assert shelf.books[0].published == day
    assert str(shelf.books[0].price) == "0.10"
    assert shelf.books[0].list == []

    cards = await queries.list_cards(db)
    assert [card.author.mood for card in cards] == [None, "so so"]
    assert cards[0].pair == (ann, "ann")
    assert cards[0].preferences == {}

    assert await queries.get_titles(db, author_id=ann) == ["first", "second"]
    assert await queries.get_titles(db, author_id=bob) is None
    tagged = await queries.get_tagged(db, id=1)
    assert tagged == {"author-id": ann, "title": "first"}
    assert await queries.get_own(db, id=ann) == {"id": ann}

    sparse = await queries.get_sparse(db, id=ann)
    assert (sparse.name, sparse.mood) == ("ann", None)
    assert (await queries.get_sparse(db, id=bob)).mood == "so so"
    prices = await queries.get_prices(db, author_id=ann)
    assert prices.map == {"first": Decimal("0.10"), "second": None}

    priced = await queries.list_priced(db, author_id=ann)
    assert [book.price for book in priced] == [Decimal("0.10"), None]
    [dear] = await queries.list_priced(db, author_id=ann, more_than=Decimal("0.05"))
    assert dear.title == "first"
