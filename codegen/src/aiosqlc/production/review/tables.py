"""Sections of a Markdown comment: tables, collapsed details, and changed plans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aiosqlc.production.migrations.findings import count
from aiosqlc.production.recorded.changes import Change, by_query
from aiosqlc.production.recorded.shown import difference, title
from aiosqlc.production.recorded.tree import lines
from aiosqlc.production.review.escape import code, fenced, prose


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return a Markdown table of changes and effects, whose cells are already Markdown."""
    lines = "".join(f"| {what} | {effect} |\n" for what, effect in rows)
    return f"| Change | Effect |\n|---|---|\n{lines}" if lines else ""


def folded(summary: str, body: str) -> str:
    """Return a Markdown section that is collapsed until a person opens it."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n</details>\n"


def plan_blocks(changes: Sequence[Change], basis: str) -> str:
    """Return the steps of changed plans, each below a line with the query."""
    new = [change for change in changes if change.before is None]
    blocks = [fenced("\n".join(line for change in new for line in _new(change)))] if new else []
    for change in changes:
        if change.before is None:
            continue
        which = f" ({prose(title(change))})" if title(change) else ""
        steps = fenced("\n".join(difference(change)), "diff")
        blocks.append(f"{code(change.query)}{which}: {prose(', '.join(change.summary))}\n\n{steps}")
    return f"Planned on {basis}.\n\n" + "\n".join(blocks)


def _new(change: Change) -> Iterator[str]:
    which = f" ({title(change)})" if title(change) else ""
    yield f"{change.query}{which}"
    if change.after:
        yield from (f"    {line}" for line in lines(change.after))


def plans_comment(changes: Sequence[Change], basis: str, against: str) -> str:
    """Return the pull-request comment of `plans diff`: the plans that changed since `against`."""
    if not changes:
        return f"No plan changed since {code(against)}.\n"
    joined = by_query(changes)
    number = count(len(joined), "query")
    worse = any(change.worse for change in joined)
    head = f"### {'⚠️' if worse else 'ℹ️'} Plans of {number} changed since {code(against)}\n"
    rows = [
        (
            code(change.query),
            f"⚠️ {prose(' and '.join(change.worse))}"
            if change.worse
            else prose(", ".join(change.summary)),
        )
        for change in joined
    ]
    return "\n".join((head, table(rows), folded("Steps of the plans", plan_blocks(changes, basis))))
