"""The README compares five queries with SQLAlchemy: both return the same rows."""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import DateTime, select, type_coerce
from sqlalchemy.event import listen
from sqlalchemy.exc import CompileError, DBAPIError, MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from tracker.app import Tracker
from tracker.store import comments, issues, teams
from tracker.store.keyset import KeysetCursor

from bench.tracker import in_sqlalchemy as peer
from bench.tracker.__main__ import calls_on

HERE = Path(__file__).parents[1]
FUNCTIONS = ("walk_issues", "get_details", "patch_issue", "get_tree", "get_board")
DUE = date(2030, 1, 1)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(database_url, min_size=1) as pool:
        yield pool


@pytest.fixture
async def ids(pool: Any) -> list[int]:
    """Thirty issues of tenant 1; the first is assigned to the second person."""
    tracker = Tracker(pool, 1)
    ada, bob = await tracker.start("tenant", ["ada", "bob"])
    project = await teams.create_project(pool, tenant_id=1, name="Website", about=None)
    ids = await tracker.load_titles(project.id, ada, [f"Fix page {at}" for at in range(30)])
    await issues.patch_issue(pool, tenant_id=1, id=ids[0], assignee_id=bob, due=DUE)
    await tracker.label(ids[0], ["urgent", "bug"])
    said = await comments.add_comment(
        pool, tenant_id=1, issue_id=ids[0], author_id=ada, body="hello"
    )
    await comments.add_attachment(pool, tenant_id=1, comment_id=said.id, name="a.png", size=1)
    await issues.move_issue(pool, tenant_id=1, id=ids[1], parent_id=ids[0])
    return ids


@pytest.fixture
async def session(database_url: str, ids: list[int]) -> AsyncIterator[AsyncSession]:
    engine = create_async_engine(database_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with AsyncSession(engine) as session:
        yield session
    await engine.dispose()


@pytest.mark.parametrize("sort", peer.SORTS)
async def test_both_walk_the_same_pages(pool: Any, session: AsyncSession, sort: Any) -> None:
    cursor: KeysetCursor | None = None
    after = None
    for _ in range(5):
        ours = await issues.walk_issues(
            pool, tenant_id=1, sort=sort, page_size=7, cursor=cursor, words="page", least_urgent=5
        )
        theirs = await peer.walk_issues(
            session, tenant_id=1, sort=sort, page_size=7, after=after, words="page", least_urgent=5
        )
        assert [row.id for row in ours.rows] == [row.id for row in theirs]
        cursor, last = ours.next, theirs[-1]
        after = (getattr(last, sort.split()[0]), last.id)
    assert cursor is None


async def test_a_time_without_a_time_zone_fails_at_run_time(
    session: AsyncSession, ids: list[int]
) -> None:
    mapped = type_coerce(peer.Issue.created_at, DateTime())  # as Mapped[datetime] is by default
    value = await session.scalar(select(mapped))
    assert value
    with pytest.raises(DBAPIError, match="offset-naive"):
        await session.scalar(select(peer.Issue.id).where(mapped > value))


async def test_both_read_the_same_details(pool: Any, session: AsyncSession, ids: list[int]) -> None:
    ours = await issues.get_details(pool, tenant_id=1, id=ids[0])
    statements: list[str] = []
    listen(session.get_bind(), "before_cursor_execute", lambda *args: statements.append(args[2]))
    theirs = await peer.get_details(session, tenant_id=1, key=ids[0])
    assert len(statements) == 6
    assert ours
    assert theirs
    assert theirs.assignee
    assert (ours.author, ours.assignee) == (theirs.author.name, theirs.assignee.name)
    assert [label.name for label in ours.labels] == [label.name for label in theirs.labels]
    assert [(c.body, [a.name for a in c.attachments]) for c in ours.comments] == [
        (c.body, [a.name for a in c.attachments]) for c in theirs.comments
    ]


async def test_a_relation_that_is_not_loaded_fails_at_run_time(
    session: AsyncSession, ids: list[int]
) -> None:
    issue = await session.get(peer.Issue, ids[0])
    assert issue
    with pytest.raises(MissingGreenlet):
        print(issue.labels)  # type-checks as list[Label]


async def test_a_misspelled_change_fails_at_run_time(session: AsyncSession, ids: list[int]) -> None:
    changed = await peer.patch_issue(session, tenant_id=1, key=ids[0], title="new")
    assert changed
    assert changed.title == "new"
    with pytest.raises(CompileError, match="titel"):
        await peer.patch_issue(session, tenant_id=1, key=ids[0], titel="new")


async def test_both_read_the_same_tree(pool: Any, session: AsyncSession, ids: list[int]) -> None:
    ours = await issues.get_tree(pool, tenant_id=1, id=ids[0])
    theirs = await peer.get_tree(session, tenant_id=1, key=ids[0])
    assert [(row.id, row.parent_id, row.title, row.depth) for row in ours] == [*map(tuple, theirs)]
    assert len(ours) == 2
    with pytest.raises(AttributeError):
        print(theirs[0].dept)  # type-checks: a column of a CTE is Any


async def test_a_card_is_a_dict_whose_dates_are_texts(
    pool: Any, session: AsyncSession, ids: list[int]
) -> None:
    first = await issues.get_issue(pool, tenant_id=1, id=ids[0])
    assert first
    (ours,) = await issues.get_board(pool, tenant_id=1, project_id=first.project_id)
    (theirs,) = await peer.get_board(session, tenant_id=1, project_id=first.project_id)
    assert (ours.issues, ours.cards[0].due) == (theirs[1], DUE)
    assert [card.title for card in ours.cards] == [card["title"] for card in theirs[2]]
    assert theirs[2][0]["due"] == "2030-01-01"
    with pytest.raises(KeyError):
        print(theirs[2][0]["titel"])  # type-checks: a card is Any


async def test_each_call_of_the_benchmark_returns_something(database_url: str) -> None:
    async with calls_on(database_url) as calls:
        assert tuple(snake(call.name) for call in calls) == FUNCTIONS
        for call in calls:
            assert await call.ours()
            assert await call.theirs()


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def lines_of_sql(name: str) -> int:
    """Return the number of lines of a query, without its name and comments."""
    text = (HERE / "queries/issues.sql").read_text()
    body = re.split(rf"^-- name: {name} .*\n", text, flags=re.MULTILINE)[1].split("\n\n")[0]
    return sum(not line.startswith("--") for line in body.splitlines())


def test_the_lines_in_the_readme_are_those_of_the_files() -> None:
    tree = ast.parse(Path(peer.__file__).read_text())
    own = {node.name: node for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}
    readme = (HERE / "README.md").read_text()
    for name in FUNCTIONS:
        query = name.title().replace("_", "")
        theirs = (own[name].end_lineno or 0) - own[name].lineno  # without the docstring's line
        assert f"| `{query}` | {lines_of_sql(query)} | {theirs} |" in readme
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    mapped = sum((node.end_lineno or 0) - node.lineno for node in classes)
    assert f"{mapped} lines" in readme
