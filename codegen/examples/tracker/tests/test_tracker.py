"""The tracker, on a real server: each feature that the README lists."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import pytest
from tracker.app import Tracker
from tracker.store import comments, issues, teams
from tracker.store.keyset import KeysetCursor
from tracker.store.models import Issue, IssueStatus

SORTS = {
    "created_at desc": lambda issue: (-issue.created_at.timestamp(), issue.id),
    "created_at": lambda issue: (issue.created_at, issue.id),
    "priority": lambda issue: (issue.priority, issue.id),
    "priority desc": lambda issue: (-issue.priority, issue.id),
}


@dataclass
class Team:
    """A tenant with two people, a project and 30 issues."""

    tracker: Tracker
    ada: int
    bob: int
    project: int
    ids: list[int]


class Counted:
    """A pool that counts its statements."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.statements = 0

    async def fetch(self, query: str, *args: Any) -> Any:
        self.statements += 1
        return await self.pool.fetch(query, *args)


async def fill(pool: Any, tenant: int) -> Team:
    tracker = Tracker(pool, tenant)
    ada, bob = await tracker.start(f"tenant {tenant}", ["ada", "bob"])
    project = await teams.create_project(pool, tenant_id=tenant, name="Website", about=None)
    ids = await tracker.load_titles(project.id, ada, [f"Fix page {at}" for at in range(30)])
    return Team(tracker, ada, bob, project.id, ids)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        yield pool


@pytest.fixture
async def team(pool: Any) -> Team:
    return await fill(pool, 1)


async def test_a_person_and_a_project_are_changed_in_part(pool: Any, team: Team) -> None:
    changed = await teams.patch_person(pool, tenant_id=1, id=team.bob, name="robert")
    assert changed
    assert (changed.name, changed.email) == ("robert", "bob@example.org")
    assert await teams.get_person(pool, tenant_id=1, id=team.bob) == changed
    assert [p.id for p in await teams.list_people(pool, tenant_id=1, pattern="rob%")] == [team.bob]
    named = await teams.patch_project(pool, tenant_id=1, id=team.project, about="the site")
    assert named == await teams.get_project(pool, tenant_id=1, id=team.project)
    await issues.set_status(pool, tenant_id=1, status=IssueStatus.CLOSED, ids=team.ids[:4])
    (row,) = await teams.list_projects(pool, tenant_id=1, current=True)
    assert (row.unfinished, row.issues) == (26, 30)
    assert await teams.archive_project(pool, tenant_id=1, id=team.project) == 1
    assert await teams.list_projects(pool, tenant_id=1, current=True) == []


async def test_an_issue_is_changed_in_part(pool: Any, team: Team) -> None:
    due = date(2030, 1, 1)
    first = await issues.patch_issue(
        pool, tenant_id=1, id=team.ids[0], due=due, assignee_id=team.bob
    )
    assert first
    assert (first.title, first.due, first.assignee_id) == ("Fix page 0", due, team.bob)
    second = await issues.patch_issue(pool, tenant_id=1, id=team.ids[0], due=None)
    assert second
    assert (second.due, second.assignee_id) == (None, team.bob)
    late = await issues.patch_issue(pool, tenant_id=1, id=team.ids[1], due=date(2020, 1, 1))
    assert late
    (overdue,) = await issues.list_overdue(pool, tenant_id=1, today=date(2020, 1, 2))
    assert (overdue.id, overdue.due) == (late.id, late.due)


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_contain_each_issue_once_in_any_order(pool: Any, team: Team, sort: Any) -> None:
    every = await issues.get_issue_many(pool, tenant_id=1, ids=team.ids)
    expected = [issue.id for issue in sorted(every.values(), key=SORTS[sort])]
    for backward in (False, True):
        cursor = KeysetCursor(f"WalkIssues {sort}", backward=True) if backward else None
        found: list[int] = []
        while True:
            page = await issues.walk_issues(
                pool, tenant_id=1, sort=sort, page_size=7, cursor=cursor
            )
            ids = [row.id for row in page.rows]
            found = [*ids, *found] if backward else [*found, *ids]
            cursor = page.previous if backward else page.next
            if cursor is None:
                break
        assert found == expected


async def test_any_combination_of_filters_is_the_filter_of_all_issues(
    pool: Any, team: Team
) -> None:
    chance = random.Random(1)
    (bug,) = await teams.put_labels(pool, [teams.PutLabelsParams(1, "bug", "red")])
    labelled = set(chance.sample(team.ids, 20))
    for key in team.ids:
        await issues.patch_issue(
            pool,
            tenant_id=1,
            id=key,
            assignee_id=chance.choice((None, team.bob)),
            due=chance.choice((None, date(2030, 1, 1), date(2031, 1, 1))),
            body=chance.choice(("", "crawlers fail")),
        )
        if key in labelled:
            await comments.add_labels(pool, tenant_id=1, issue_id=key, label_ids=[bug.id])
    await issues.set_status(pool, tenant_id=1, status=IssueStatus.STARTED, ids=team.ids[::2])
    every = list((await issues.get_issue_many(pool, tenant_id=1, ids=team.ids)).values())
    filters: dict[str, tuple[Any, Any]] = {
        "project_ids": ([team.project], lambda issue: True),
        "status": (IssueStatus.STARTED, lambda issue: issue.status is IssueStatus.STARTED),
        "author_id": (team.ada, lambda issue: True),
        "assignee_id": (team.bob, lambda issue: issue.assignee_id == team.bob),
        "unclaimed": (True, lambda issue: issue.assignee_id is None),
        "least_urgent": (3, lambda issue: issue.priority <= 3),
        "due_before": (date(2030, 6, 1), lambda issue: issue.due == date(2030, 1, 1)),
        "words": ("crawler", lambda issue: "crawlers" in issue.body),
        "label_id": (bug.id, lambda issue: issue.id in labelled),
    }
    texts = [set(names) for size in range(3) for names in itertools.combinations(filters, size)]
    texts += [set(chance.sample(list(filters), chance.randint(3, 9))) for _ in range(30)]
    for names in texts:
        sort: Any = chance.choice(list(SORTS))
        tests = [filters[name][1] for name in names]
        expected = sorted(
            (issue for issue in every if all(test(issue) for test in tests)), key=SORTS[sort]
        )
        chosen: Any = {name: filters[name][0] for name in names}
        first = await issues.walk_issues(pool, tenant_id=1, sort=sort, page_size=4, **chosen)
        ids = [row.id for row in first.rows]
        if first.next:
            rest = await issues.walk_issues(
                pool, tenant_id=1, sort=sort, page_size=40, cursor=first.next, **chosen
            )
            ids += [row.id for row in rest.rows]
        assert ids == [issue.id for issue in expected], names


async def test_a_cursor_is_signed_and_belongs_to_its_order(team: Team) -> None:
    rows, following = await team.tracker.page(sort="priority")
    assert following
    more, last = await team.tracker.page(following, sort="priority")
    assert ([len(rows), len(more)], last) == ([20, 10], None)
    for cursor, sort in ((f"{following}x", "priority"), (following, "created_at desc")):
        with pytest.raises(ValueError, match="cursor"):
            await team.tracker.page(cursor, sort=sort)  # type: ignore[arg-type]  # a loop's text


async def test_search_ranks_words_and_shows_them(pool: Any, team: Team) -> None:
    await issues.patch_issue(
        pool, tenant_id=1, id=team.ids[3], title="Crashes", body="it crashed with a crash"
    )
    await issues.patch_issue(pool, tenant_id=1, id=team.ids[4], body="a crash after ten pages")
    best, second = await issues.search_issues(pool, tenant_id=1, words="crash", most=5)
    assert (best.id, second.id) == (team.ids[3], team.ids[4])
    assert best.rank > second.rank
    assert "<b>crashed</b>" in best.excerpt


async def test_a_tree_lists_issues_below_their_parents_and_survives_a_cycle(
    pool: Any, team: Team
) -> None:
    a, b, c, *_ = team.ids
    await issues.create_issue(
        pool,
        tenant_id=1,
        project_id=team.project,
        parent_id=a,
        author_id=team.ada,
        title="New page",
        body="",
        priority=1,
        due=None,
    )
    for child, parent in ((b, a), (c, b)):
        await issues.move_issue(pool, tenant_id=1, id=child, parent_id=parent)
    assert await team.tracker.tree(a) == "Fix page 0\n  Fix page 1\n    Fix page 2\n  New page"
    assert [row.id for row in await issues.list_ancestors(pool, tenant_id=1, id=c)] == [b, a]
    await issues.move_issue(pool, tenant_id=1, id=a, parent_id=c)
    assert len(await issues.get_tree(pool, tenant_id=1, id=a)) == 4


async def test_details_nest_labels_and_comments_with_attachments(pool: Any, team: Team) -> None:
    key = team.ids[0]
    await team.tracker.label(key, ["urgent", "bug"])
    first, second = [
        await comments.add_comment(pool, tenant_id=1, issue_id=key, author_id=team.ada, body=body)
        for body in ("one", "two")
    ]
    for name in ("a.png", "b.png"):
        await comments.add_attachment(pool, tenant_id=1, comment_id=second.id, name=name, size=10)
    details = await issues.get_details(pool, tenant_id=1, id=key)
    assert details
    assert (details.i.id, details.author, details.assignee) == (key, "ada", None)
    assert [label.name for label in details.labels] == ["bug", "urgent"]
    assert [comment.id for comment in details.comments] == [first.id, second.id]
    assert [[a.name for a in c.attachments] for c in details.comments] == [[], ["a.png", "b.png"]]
    plain = await issues.get_details(pool, tenant_id=1, id=team.ids[1])
    assert plain
    assert (plain.labels, plain.comments) == ([], [])
    edited = await comments.edit_comment(
        pool, tenant_id=1, id=first.id, author_id=team.ada, body="1"
    )
    assert edited
    assert edited.edited_at
    args = {"tenant_id": 1, "id": first.id}
    assert await comments.delete_comment(pool, author_id=team.bob, **args) == 0
    assert await comments.delete_comment(pool, author_id=team.ada, **args) == 1
    activity = await comments.walk_activity(pool, tenant_id=1, page_size=5, author_id=team.ada)
    assert [(row.issue, row.author) for row in activity.rows] == [("Fix page 0", "ada")]


async def test_cards_need_three_statements_for_any_number_of_issues(pool: Any, team: Team) -> None:
    await team.tracker.label(team.ids[0], ["bug"])
    await comments.add_comment(
        pool, tenant_id=1, issue_id=team.ids[0], author_id=team.ada, body="hello"
    )
    (said,) = await comments.list_comments(pool, tenant_id=1, issue_id=team.ids[0])
    assert (said.author, said.body) == ("ada", "hello")
    counted = Counted(pool)
    cards = await Tracker(counted, 1).cards([*team.ids, 0])
    assert cards[:2] == ["Fix page 0 ['bug'] 1", "Fix page 1 [] 0"]
    assert (len(cards), cards[-1]) == (31, "0: no such issue")
    assert counted.statements == 3


async def test_a_board_is_typed_json(pool: Any, team: Team) -> None:
    due = date(2030, 1, 1)
    await issues.patch_issue(pool, tenant_id=1, id=team.ids[0], due=due, assignee_id=team.bob)
    await issues.set_status(pool, tenant_id=1, status=IssueStatus.STARTED, ids=team.ids[:2])
    columns = await issues.get_board(pool, tenant_id=1, project_id=team.project)
    assert [(column.status, column.issues) for column in columns] == [
        (IssueStatus.OPEN, 28),
        (IssueStatus.STARTED, 2),
    ]
    assert columns[1].cards == [
        issues.GetBoardCard(id=team.ids[0], title="Fix page 0", due=due, assignee="bob"),
        issues.GetBoardCard(id=team.ids[1], title="Fix page 1", due=None, assignee=None),
    ]
    mine, total = await issues.list_assigned(
        pool, tenant_id=1, assignee_id=team.bob, page_size=1, skip=0
    )
    assert ([row.project for row in mine], total) == (["Website"], 1)


async def test_statistics_of_no_closed_issue_have_no_average(pool: Any, team: Team) -> None:
    none = await issues.get_statistics(pool, tenant_id=1, project_id=team.project)
    assert (none.issues, none.closed, none.seconds_to_close) == (30, 0, None)
    await issues.set_status(pool, tenant_id=1, status=IssueStatus.CLOSED, ids=team.ids)
    some = await issues.get_statistics(pool, tenant_id=1)
    assert (some.closed, type(some.seconds_to_close)) == (30, float)


async def test_a_deleted_issue_is_gone_until_it_is_restored(pool: Any, team: Team) -> None:
    key = team.ids[0]
    assert await issues.delete_issue(pool, tenant_id=1, id=key) == 1
    assert await issues.get_issue(pool, tenant_id=1, id=key) is None
    assert await issues.restore_issue(pool, tenant_id=1, id=key) == 1
    assert isinstance(await issues.get_issue(pool, tenant_id=1, id=key), Issue)
    await issues.delete_issue(pool, tenant_id=1, id=key)
    later = datetime(2100, 1, 1, tzinfo=UTC)
    assert await issues.purge_issues(pool, tenant_id=1, before=later) == 1


async def test_labels_are_created_once_and_counted(pool: Any, team: Team) -> None:
    await team.tracker.label(team.ids[0], ["bug", "urgent"])
    await team.tracker.label(team.ids[1], ["bug"])
    assert [(row.name, row.issues) for row in await comments.count_labels(pool, tenant_id=1)] == [
        ("bug", 2),
        ("urgent", 1),
    ]
    bug, urgent = await teams.list_labels(pool, tenant_id=1)
    removed = await comments.remove_labels(
        pool, tenant_id=1, issue_id=team.ids[0], label_ids=[urgent.id]
    )
    assert removed == 1
    assert await teams.delete_label(pool, tenant_id=1, id=bug.id) == 1
    assert [(row.name, row.issues) for row in await comments.count_labels(pool, tenant_id=1)] == [
        ("urgent", 0)
    ]


async def test_an_export_streams_every_issue(pool: Any, team: Team) -> None:
    async with pool.acquire() as connection, connection.transaction():
        lines = [line async for line in team.tracker.export(connection)]
    assert len(lines) == 30
    assert lines[0] == f"{team.ids[0]},open,Fix page 0"


async def test_a_tenant_cannot_reach_the_rows_of_another(pool: Any, team: Team) -> None:
    other = await fill(pool, 2)
    assert await issues.get_issue(pool, tenant_id=2, id=team.ids[0]) is None
    assert await issues.delete_issue(pool, tenant_id=2, id=team.ids[0]) == 0
    assert await issues.get_issue_many(pool, tenant_id=2, ids=team.ids) == {}
    rows, _ = await other.tracker.page()
    assert {row.id for row in rows} <= set(other.ids)
    with pytest.raises(asyncpg.ForeignKeyViolationError):  # the key contains the tenant
        await comments.add_comment(
            pool, tenant_id=2, issue_id=team.ids[0], author_id=other.ada, body="hello"
        )
    found = await teams.count_tenants(pool)
    assert [(row.tenant_id, row.people) for row in found] == [(1, 2), (2, 2)]
