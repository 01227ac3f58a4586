"""An issue tracker for many tenants. Each row class is generated; this module defines none.

Run it on a new database: aiosqlc serve -- python -m tracker.app
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg

from tracker.store import comments, issues, teams
from tracker.store.keyset import KeysetCursor


@dataclass(frozen=True)
class Tracker:
    """The issues of one tenant. Each query gets the tenant from here, so callers cannot omit it."""

    db: Any
    tenant_id: int
    secret: bytes = b"change me"

    async def start(self, name: str, people: Sequence[str]) -> list[int]:
        """Create the tenant and its people; return the ids of the people."""
        await teams.create_tenant(self.db, tenant_id=self.tenant_id, name=name)
        return [
            (
                await teams.add_person(
                    self.db, tenant_id=self.tenant_id, name=person, email=f"{person}@example.org"
                )
            ).id
            for person in people
        ]

    async def load_titles(
        self, project_id: int, author_id: int, titles: Sequence[str]
    ) -> list[int]:
        """Create an issue for each title in one statement; return their ids."""
        rows = [
            issues.ImportIssuesParams(
                tenant_id=self.tenant_id,
                project_id=project_id,
                author_id=author_id,
                title=title,
                priority=1 + at % 5,
            )
            for at, title in enumerate(titles)
        ]
        return await issues.import_issues(self.db, rows)

    async def label(self, issue_id: int, names: Sequence[str]) -> None:
        """Put labels on an issue. Labels that do not exist are created."""
        rows = [teams.PutLabelsParams(self.tenant_id, name, "grey") for name in names]
        labels = await teams.put_labels(self.db, rows)
        await comments.add_labels(
            self.db,
            tenant_id=self.tenant_id,
            issue_id=issue_id,
            label_ids=[label.id for label in labels],
        )

    async def page(
        self,
        cursor: str | None = None,
        *,
        words: str | None = None,
        assignee_id: int | None = None,
        sort: Literal["created_at desc", "priority"] = "created_at desc",
    ) -> tuple[list[issues.WalkIssuesRow], str | None]:
        """Return a page of issues, and the signed cursor of the next page if there is one.

        Raises ValueError if the cursor was changed or belongs to another sort order.
        """
        start = KeysetCursor.read(cursor, self.secret) if cursor else None
        page = await issues.walk_issues(
            self.db,
            tenant_id=self.tenant_id,
            words=words,
            assignee_id=assignee_id,
            sort=sort,
            cursor=start,
            page_size=20,
        )
        return page.rows, page.next.signed(self.secret) if page.next else None

    async def cards(self, ids: Sequence[int]) -> list[str]:
        """Describe issues by title, labels and number of comments, with three statements.

        The statements run at the same time, so `db` must be a pool.
        """
        found = issues.get_issue_loader(self.db, tenant_id=self.tenant_id)
        labels = comments.list_issue_labels_loader(self.db, tenant_id=self.tenant_id)
        counts = comments.count_comments_loader(self.db, tenant_id=self.tenant_id)

        async def card(id: int) -> str:
            issue, tags, count = await asyncio.gather(
                found.load(id), labels.load(id), counts.load(id)
            )
            if issue is None or count is None:
                return f"{id}: no such issue"
            return f"{issue.title} {[tag.name for tag in tags]} {count.comments}"

        return await asyncio.gather(*map(card, ids))

    async def tree(self, id: int) -> str:
        """Return the titles of an issue and of those below it, indented by their depth."""
        rows = await issues.get_tree(self.db, tenant_id=self.tenant_id, id=id)
        return "\n".join("  " * row.depth + row.title for row in rows)

    async def export(self, connection: Any) -> AsyncIterator[str]:
        """Yield a line for each issue; the connection must be in a transaction."""
        async for row in issues.export_issues(connection, tenant_id=self.tenant_id):
            yield f"{row.id},{row.status},{row.title}"


async def main() -> None:
    """Fill a new database and print what the tracker finds in it."""
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1) as pool:
        tracker = Tracker(pool, 1)
        ada, bob = await tracker.start("Example Ltd", ["ada", "bob"])
        project = await teams.create_project(pool, tenant_id=1, name="Website", about=None)
        ids = await tracker.load_titles(project.id, ada, [f"Fix page {n}" for n in range(30)])
        await tracker.label(ids[0], ["bug", "urgent"])
        await issues.patch_issue(pool, tenant_id=1, id=ids[0], assignee_id=bob)
        rows, following = await tracker.page(sort="priority", words="page")
        print(len(rows), "issues and", "more" if following else "no more")
        print(*await tracker.cards(ids[:3]), sep="\n")
        for column in await issues.get_board(pool, tenant_id=1, project_id=project.id):
            print(column.status, column.issues, column.cards[0].title, column.cards[0].assignee)


if __name__ == "__main__":
    asyncio.run(main())
