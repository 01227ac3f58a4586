"""Write a review as one short comment in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from aiosqlc.diagnostics import Severity
from aiosqlc.messages.one_line import one_line
from aiosqlc.messages.render import Style, render
from aiosqlc.production.migrations.findings import count
from aiosqlc.production.review.escape import code, fenced, prose
from aiosqlc.production.review.model import EntryReview, Review
from aiosqlc.production.review.privileges import privileges
from aiosqlc.production.review.rows import Row, rows
from aiosqlc.production.review.tables import folded, plan_blocks, table
from aiosqlc.production.review.verdict import NOTHING, extent, findings, headline

_MARKS = {"error": "❌ ", "warning": "⚠️ ", "order": "⏳ ", "": ""}
_LONGEST = 60_000  # a comment on GitHub has at most 65,536 characters
_CUT = "\n\nThe rest is too long for a comment: run `aiosqlc review`.\n"


def comment(review: Review, style: Style) -> str:
    """Return a review as the Markdown text of a pull-request comment.

    The paths in the comment are relative to the folder of `style`.
    """
    if not review.touched:
        return f"{NOTHING} since {code(review.base)}.\n"
    worst = {item.severity for item in findings(review)}
    mark = "❌" if Severity.ERROR in worst else "⚠️" if worst else "✅"
    parts = [
        f"### {mark} SQL review: {prose(headline(review))}\n",
        f"Compared with {code(review.base)}: {extent(review)}.\n",
    ]
    parts.append(table(_row(entry, row) for entry in review.touched for row in rows(entry)))
    parts += [block for block in _details(review, style) if block]
    skipped = dict.fromkeys(why for entry in review.touched for why in entry.skipped)
    parts += [f"Note: {prose(why)}.\n" for why in skipped]
    parts = [part for part in parts if part]
    text = "\n".join(parts)
    return text if len(text) <= _LONGEST else _cut(parts)


def _cut(parts: list[str]) -> str:
    """Return a comment with the sections that fit; leave out each section that does not fit."""
    kept, length = [], len(_CUT)
    for part in parts:
        length += len(part) + 1
        if length <= _LONGEST:
            kept.append(part)
    return "\n".join(kept) + _CUT


def _row(entry: EntryReview, row: Row) -> tuple[str, str]:
    where = f"{prose(entry.name)}: " if entry.name else ""
    what = code(row.what) if row.is_name else prose(row.what)
    effects = "<br>".join(prose(effect) for effect in row.effects)
    return f"{where}{what}{row.more}", f"{_MARKS[row.mark]}{effects}"


def _details(review: Review, style: Style) -> Iterator[str]:
    found = findings(review)
    if found:
        text = "\n".join(render(item, style) for item in found)
        yield folded(f"What to do about {count(len(found), 'finding')}", fenced(text))
    entries = review.touched
    for what, new in (("Changed plans", False), ("New plans", True)):
        changes = [
            change
            for entry in entries
            for change in entry.plans.changes
            if change.after and (change.before is None) is new
        ]
        if changes:
            bases = "; ".join(dict.fromkeys(e.plans.basis for e in entries if e.plans.changes))
            number = count(len({change.query for change in changes}), "query")
            yield folded(f"{what} of {number}", plan_blocks(changes, bases))
    rights = [
        f"{sign} {one_line(text)}"
        for entry in entries
        for sign, some in (("+", entry.grants.granted), ("-", entry.grants.revoked))
        for text in privileges(some, entry.grants)
    ]
    if rights:
        title = f"Privileges on {count(len(rights), 'object')}"
        yield folded(title, fenced("\n".join(rights), "diff"))
    names = [
        f"{sign} {one_line(query.place)}"
        for entry in entries
        for sign, queries in (
            ("+", entry.queries.added),
            ("!", [new for _, new in entry.queries.changed]),
            ("-", entry.queries.removed),
        )
        for query in queries
    ]
    if names:
        yield folded(count(len(names), "query"), fenced("\n".join(names), "diff"))
