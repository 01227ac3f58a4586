"""Five queries of examples/tracker in SQLAlchemy 2: the README of the example compares them."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Row, and_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ENUM, aggregate_order_by, array
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload


class Status(enum.StrEnum):
    """The status of an issue."""

    OPEN = "open"
    STARTED = "started"
    CLOSED = "closed"


class Base(DeclarativeBase):
    """The mapped classes. Without the map, a cursor of `timestamptz` fails at run time."""

    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - SQLAlchemy's form


class Person(Base):
    """A person of a tenant."""

    __tablename__ = "person"
    tenant_id: Mapped[int]
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class IssueLabel(Base):
    """A label on an issue."""

    __tablename__ = "issue_label"
    tenant_id: Mapped[int]
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    label_id: Mapped[int] = mapped_column(ForeignKey("label.id"), primary_key=True)


class Label(Base):
    """A label of a tenant."""

    __tablename__ = "label"
    tenant_id: Mapped[int]
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    color: Mapped[str]


class Attachment(Base):
    """A file of a comment."""

    __tablename__ = "attachment"
    tenant_id: Mapped[int]
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"))
    name: Mapped[str]
    size: Mapped[int]


class Comment(Base):
    """A comment on an issue."""

    __tablename__ = "comment"
    tenant_id: Mapped[int]
    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"))
    author_id: Mapped[int]
    body: Mapped[str]
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    attachments: Mapped[list[Attachment]] = relationship(order_by=Attachment.id)


class Issue(Base):
    """An issue of a tenant."""

    __tablename__ = "issue"
    tenant_id: Mapped[int]
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int]
    parent_id: Mapped[int | None]
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    title: Mapped[str]
    body: Mapped[str]
    status: Mapped[Status] = mapped_column(
        ENUM(Status, name="issue_status", values_callable=list, create_type=False)
    )
    priority: Mapped[int]
    due: Mapped[date | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    author: Mapped[Person] = relationship(foreign_keys=author_id)
    assignee: Mapped[Person | None] = relationship(foreign_keys=assignee_id)
    labels: Mapped[list[Label]] = relationship(
        secondary="issue_label", order_by=Label.name, viewonly=True
    )
    comments: Mapped[list[Comment]] = relationship(order_by=(Comment.created_at, Comment.id))


SORTS = {
    "created_at desc": (Issue.created_at, True),
    "created_at": (Issue.created_at, False),
    "priority": (Issue.priority, False),
    "priority desc": (Issue.priority, True),
}


async def walk_issues(
    session: AsyncSession,
    *,
    tenant_id: int,
    page_size: int,
    project_ids: Sequence[int] | None = None,
    status: Status | None = None,
    author_id: int | None = None,
    assignee_id: int | None = None,
    unclaimed: bool = False,
    least_urgent: int | None = None,
    due_before: date | None = None,
    words: str | None = None,
    label_id: int | None = None,
    sort: str = "created_at desc",
    after: tuple[Any, int] | None = None,
) -> Sequence[Row[int, str, Status, int, datetime, int | None]]:
    """Return the page after a row, forward only."""
    found = select(
        Issue.id, Issue.title, Issue.status, Issue.priority, Issue.created_at, Issue.assignee_id
    ).where(Issue.tenant_id == tenant_id, Issue.deleted_at.is_(None))
    if project_ids is not None:
        found = found.where(Issue.project_id.in_(project_ids))
    if status is not None:
        found = found.where(Issue.status == status)
    if author_id is not None:
        found = found.where(Issue.author_id == author_id)
    if assignee_id is not None:
        found = found.where(Issue.assignee_id == assignee_id)
    if unclaimed:
        found = found.where(Issue.assignee_id.is_(None))
    if least_urgent is not None:
        found = found.where(Issue.priority <= least_urgent)
    if due_before is not None:
        found = found.where(Issue.due < due_before)
    if words is not None:
        document = func.to_tsvector("english", Issue.title + " " + Issue.body)
        found = found.where(document.op("@@")(func.websearch_to_tsquery("english", words)))
    if label_id is not None:
        labelled = select(IssueLabel.issue_id).where(
            IssueLabel.tenant_id == tenant_id, IssueLabel.label_id == label_id
        )
        found = found.where(Issue.id.in_(labelled))
    key, descending = SORTS[sort]
    if after is not None:
        value, last = after
        beyond = key < value if descending else key > value
        found = found.where(or_(beyond, and_(key == value, Issue.id > last)))
    found = found.order_by(key.desc() if descending else key, Issue.id).limit(page_size)
    return (await session.execute(found)).all()


async def get_details(session: AsyncSession, *, tenant_id: int, key: int) -> Issue | None:
    """Return an issue with its people, labels, comments and attachments."""
    return await session.scalar(
        select(Issue)
        .where(Issue.tenant_id == tenant_id, Issue.deleted_at.is_(None), Issue.id == key)
        .options(
            selectinload(Issue.author),
            selectinload(Issue.assignee),
            selectinload(Issue.labels),
            selectinload(Issue.comments).selectinload(Comment.attachments),
        )
    )


async def patch_issue(
    session: AsyncSession, *, tenant_id: int, key: int, **changes: Any
) -> Issue | None:
    """Change the passed columns."""
    return await session.scalar(
        update(Issue)
        .where(Issue.tenant_id == tenant_id, Issue.deleted_at.is_(None), Issue.id == key)
        .values(**changes, changed_at=func.now())
        .returning(Issue)
    )


async def get_tree(
    session: AsyncSession, *, tenant_id: int, key: int
) -> Sequence[Row[Any, Any, Any, Any]]:
    """Return an issue and all issues below it, each after its parent."""
    tree = (
        select(
            Issue.id,
            Issue.parent_id,
            Issue.title,
            literal(0).label("depth"),
            array([Issue.id]).label("path"),
        )
        .where(Issue.tenant_id == tenant_id, Issue.deleted_at.is_(None), Issue.id == key)
        .cte("tree", recursive=True)
    )
    below = (
        select(
            Issue.id,
            Issue.parent_id,
            Issue.title,
            tree.c.depth + 1,
            func.array_append(tree.c.path, Issue.id),
        )
        .join(tree, tree.c.id == Issue.parent_id)
        .where(Issue.tenant_id == tenant_id, Issue.deleted_at.is_(None))
        .where(Issue.id != func.all(tree.c.path))
    )
    tree = tree.union_all(below)
    found = select(tree.c.id, tree.c.parent_id, tree.c.title, tree.c.depth)
    return (await session.execute(found.order_by(tree.c.path))).all()


async def get_board(
    session: AsyncSession, *, tenant_id: int, project_id: int
) -> Sequence[Row[Status, int, Any]]:
    """Return the columns of a board; a card is a dict."""
    card = func.jsonb_build_object(
        "id", Issue.id, "title", Issue.title, "due", Issue.due, "assignee", Person.name
    )
    found = (
        select(
            Issue.status,
            func.count(),
            func.jsonb_agg(aggregate_order_by(card, Issue.priority, Issue.id)),
        )
        .outerjoin(Person, Person.id == Issue.assignee_id)
        .where(Issue.tenant_id == tenant_id, Issue.deleted_at.is_(None))
        .where(Issue.project_id == project_id)
        .group_by(Issue.status)
        .order_by(Issue.status)
    )
    return (await session.execute(found)).all()
