"""Books over HTTP. Rows are pydantic models, so they are responses as they are.

Run it on a new database: aiosqlc serve -- uvicorn bookshop.app:app
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, Field

from bookshop.store import books
from bookshop.store.models import Book

Title = Annotated[str, Field(min_length=1, max_length=200)]
Price = Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=2)]


class NewBook(BaseModel):
    """A book to be added."""

    title: Title
    author: Title
    price: Price
    note: str | None = None


class BookPatch(BaseModel):
    """The changes to a book. A field that is not sent stays unchanged, and null clears the note."""

    title: Title = ""
    author: Title = ""
    price: Price = Decimal(0)
    note: str | None = None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep a pool of connections for as long as the application runs."""
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1) as pool:
        app.state.pool = pool
        yield


app = FastAPI(title="Bookshop", lifespan=lifespan)


def database(request: Request) -> Any:
    """Return the pool: each query takes a connection of it and gives it back."""
    return request.app.state.pool


Database = Annotated[Any, Depends(database)]


def found(book: Book | None) -> Book:
    """Return the book, or answer 404; the type of the query says that there may be none."""
    if book is None:
        raise HTTPException(404, "no such book")
    return book


@app.post("/books", status_code=201)
async def add(db: Database, new: NewBook) -> Book:
    """Add a book."""
    return await books.add_book(
        db, title=new.title, author=new.author, price=new.price, note=new.note
    )


@app.get("/books")
async def search(
    db: Database,
    author: str | None = None,
    at_most: Decimal | None = None,
    sort: Literal["title", "price", "price desc"] = "title",
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[Book]:
    """List books; the text for each combination of filters was prepared when it was generated."""
    return await books.search_books(
        db, author=author, at_most=at_most, sort=sort, page_size=page_size
    )


@app.get("/books/{id}")
async def get(db: Database, id: int) -> Book:
    """Return one book."""
    return found(await books.get_book(db, id=id))


@app.patch("/books/{id}")
async def patch(db: Database, id: int, change: BookPatch) -> Book:
    """Change the fields that were sent."""
    return found(await books.patch_book(db, id=id, **change.model_dump(exclude_unset=True)))
