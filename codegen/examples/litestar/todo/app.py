"""Tasks over HTTP. Rows and requests are msgspec structs, which Litestar reads and writes itself.

Run it on a new database: aiosqlc serve -- uvicorn --factory todo.app:create_app
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Litestar, get, patch, post
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation
from msgspec import UNSET, UnsetType

from todo.store import tasks
from todo.store.models import State as TaskState
from todo.store.models import Task

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Database = SkipValidation[Any]


class NewTask(msgspec.Struct):
    """A task to be added."""

    title: Title
    due: date | None = None


class TaskPatch(msgspec.Struct):
    """The changes to a task. A field that is not sent stays unchanged."""

    title: Title | UnsetType = UNSET
    state: TaskState | UnsetType = UNSET
    due: date | UnsetType | None = UNSET


@post("/tasks")
async def add(db: Database, data: JSONBody[NewTask]) -> Task:
    """Add a task."""
    return await tasks.add_task(db, title=data.title, due=data.due)


@get("/tasks")
async def search(db: Database, only: FromQuery[TaskState | None] = None) -> list[Task]:
    """List tasks, those of one state where it is given."""
    return await tasks.list_tasks(db, state=only)


@get("/counts")
async def counts(db: Database) -> dict[str, int]:
    """Say how many tasks there are of each state."""
    return {row.state: row.tasks for row in await tasks.count_tasks(db)}


@patch("/tasks/{id:int}")
async def change(db: Database, id: FromPath[int], data: JSONBody[TaskPatch]) -> Task:
    """Change the fields that were sent: `UNSET` means the same to the request and the query."""
    task = await tasks.patch_task(db, id=id, title=data.title, state=data.state, due=data.due)
    if task is None:
        raise NotFoundException("no such task")
    return task


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    """Keep a pool of connections for as long as the application runs."""
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1) as pool:
        app.state.pool = pool
        yield


async def pool_of(state: State) -> Any:
    """Return the pool: each query takes a connection of it and gives it back."""
    return state.pool


def create_app() -> Litestar:
    """Return the application."""
    return Litestar(
        [add, search, counts, change], lifespan=[lifespan], dependencies={"db": Provide(pool_of)}
    )
