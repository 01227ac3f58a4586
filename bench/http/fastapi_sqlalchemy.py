"""The same endpoints on FastAPI and SQLAlchemy 2 asyncio, written as their documentation advises.

Declarative mapping, a session per request from a dependency with `yield`, response models, uvicorn
with uvloop and httptools. Run as `python -m bench.http.fastapi_sqlalchemy URL PORT`.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Holds the mapping."""


class DepartmentRow(Base):
    """The table."""

    __tablename__ = "department"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    address: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Department(BaseModel):
    """A department in an answer."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    address: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class One(BaseModel):
    """The envelope of one."""

    success: bool = True
    data: Department


class Meta(BaseModel):
    """Where a page stands."""

    page: int
    page_size: int
    total_count: int
    total_pages: int


class Page(BaseModel):
    """The envelope of a page."""

    success: bool = True
    data: list[Department]
    meta: Meta


def make_app(url: str) -> FastAPI:
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=10, max_overflow=0
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    app = FastAPI()

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session

    # Annotations are text in this module, so what only exists in here goes into the defaults.
    @app.get("/api/v1/departments/{department_id}", response_model=One)
    async def get_one(department_id: UUID, session: AsyncSession = Depends(get_session)):  # noqa: B008 - FastAPI's own way
        row = await session.get(DepartmentRow, department_id)
        if row is None:
            raise HTTPException(status_code=404)
        return One(data=Department.model_validate(row))

    @app.get("/api/v1/departments", response_model=Page)
    async def get_list(
        page: Annotated[int, Query(ge=1)] = 1,
        page_size: Annotated[int, Query(ge=1, le=100)] = 20,
        session: AsyncSession = Depends(get_session),  # noqa: B008 - FastAPI's own way
    ):
        wanted = (
            select(DepartmentRow)
            .order_by(func.lower(DepartmentRow.name))
            .limit(page_size)
            .offset((page - 1) * page_size)
        )
        rows = (await session.scalars(wanted)).all()
        total = await session.scalar(select(func.count()).select_from(DepartmentRow)) or 0
        meta = Meta(
            page=page,
            page_size=page_size,
            total_count=total,
            total_pages=-(-total // page_size),
        )
        return Page(data=[Department.model_validate(row) for row in rows], meta=meta)

    return app


def main() -> None:
    url, port = sys.argv[1:]
    uvicorn.run(
        make_app(url), host="127.0.0.1", port=int(port), log_level="warning", access_log=False
    )


if __name__ == "__main__":
    main()
