"""The time of a call of five queries of examples/tracker, beside SQLAlchemy: the README's table.

Run: python -m bench.tracker. Both send their statements by asyncpg to one server. Two figures for
each call: the processor time of this process, and the time by the clock with the server's. Both
tools take turns; figures are the least of many turns, since other programs only make one slower.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import asyncpg
from aiosqlc.servers.postgres.connection import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from bench.tracker import in_sqlalchemy as peer
from tests.servers import postgres

EXAMPLE = Path(__file__).parents[2] / "examples" / "tracker"
ISSUES, CALLS = 200, 20
Work = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """One query, as each tool calls it."""

    name: str
    ours: Work
    theirs: Work


@asynccontextmanager
async def calls_on(url: str) -> AsyncIterator[list[Call]]:
    """Yield the calls, on a tenant with issues of which one has labels, comments and a child."""
    from tracker.app import Tracker
    from tracker.store import comments, issues, teams

    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"), pool_size=1)
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        tracker = Tracker(pool, 1)
        ada, bob = await tracker.start("tenant", ["ada", "bob"])
        project = await teams.create_project(pool, tenant_id=1, name="Website", about=None)
        titles = [f"Fix page {number}" for number in range(ISSUES)]
        ids = await tracker.load_titles(project.id, ada, titles)
        await issues.patch_issue(pool, tenant_id=1, id=ids[0], assignee_id=bob)
        await tracker.label(ids[0], ["urgent", "bug"])
        for number in range(5):
            said = await comments.add_comment(
                pool, tenant_id=1, issue_id=ids[0], author_id=ada, body=f"comment {number}"
            )
            await comments.add_attachment(
                pool, tenant_id=1, comment_id=said.id, name="a.png", size=1
            )
        for child in ids[1:6]:
            await issues.move_issue(pool, tenant_id=1, id=child, parent_id=ids[0])
        due, first = date(2030, 1, 1), ids[0]
        theirs = _in_session(engine)
        yield [
            Call(
                "WalkIssues",
                lambda: issues.walk_issues(pool, tenant_id=1, page_size=50, least_urgent=5),
                theirs(peer.walk_issues, page_size=50, least_urgent=5),
            ),
            Call(
                "GetDetails",
                lambda: issues.get_details(pool, tenant_id=1, id=first),
                theirs(peer.get_details, key=first),
            ),
            Call(
                "PatchIssue",
                lambda: issues.patch_issue(pool, tenant_id=1, id=first, due=due),
                theirs(peer.patch_issue, key=first, due=due),
            ),
            Call(
                "GetTree",
                lambda: issues.get_tree(pool, tenant_id=1, id=first),
                theirs(peer.get_tree, key=first),
            ),
            Call(
                "GetBoard",
                lambda: issues.get_board(pool, tenant_id=1, project_id=project.id),
                theirs(peer.get_board, project_id=project.id),
            ),
        ]
    await engine.dispose()


def _in_session(engine: AsyncEngine) -> Callable[..., Work]:
    """Return how a function is called as a request does it: in a session of its own."""

    def bound(function: Callable[..., Awaitable[Any]], **arguments: Any) -> Work:
        async def call() -> Any:
            async with AsyncSession(engine) as session:
                found = await function(session, tenant_id=1, **arguments)
                await session.commit()
                return found

        return call

    return bound


async def least(work: Work, clock: Callable[[], float], turns: int) -> float:
    """Return the seconds of one call: the least average of several turns of calls."""
    taken = []
    for _ in range(turns + 1):  # the first is a warm-up
        started = clock()
        for _ in range(CALLS):
            await work()
        taken.append((clock() - started) / CALLS)
    return min(taken[1:])


async def measure(url: str, turns: int) -> list[str]:
    """Return the lines of the table."""
    lines = [
        "| query | CPU, tracker | CPU, SQLAlchemy | clock, tracker | clock, SQLAlchemy |",
        "|---|---:|---:|---:|---:|",
    ]
    async with calls_on(url) as calls:
        for call in calls:
            figures = [
                await least(work, clock, turns)
                for clock in (process_time, perf_counter)
                for work in (call.ours, call.theirs)
            ]
            cells = []
            for base, other in (figures[:2], figures[2:]):
                cells += [f"{base * 1e3:.2f} ms", f"{other * 1e3:.2f} ms ({other / base:.1f} x)"]
            lines.append(f"| `{call.name}` | {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tracker", description=__doc__)
    parser.add_argument("--turns", type=int, default=25)
    options = parser.parse_args()
    sys.path.insert(0, str(EXAMPLE))
    with postgres.running() as server:
        url = server.create_empty()
        with Connection(url) as connection:
            for path in sorted(EXAMPLE.glob("migrations/*.sql")):
                if problem := connection.run(path.read_text()):
                    sys.exit(problem.message)
        print("\n".join(asyncio.run(measure(url, options.turns))))


if __name__ == "__main__":
    main()
