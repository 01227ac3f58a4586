"""Write a review as plain text, and as a JSON document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiosqlc.ir import ParsedQuery
from aiosqlc.messages.machines import format_diagnostics
from aiosqlc.messages.one_line import one_line
from aiosqlc.messages.render import Style
from aiosqlc.production.recorded.shown import document as plans_document
from aiosqlc.production.review.model import EntryReview, Review
from aiosqlc.production.review.privileges import privileges
from aiosqlc.production.review.rows import named, rows
from aiosqlc.production.review.verdict import NOTHING, extent, findings, headline

_MARKS = {"error": "error: ", "warning": "warning: ", "order": "", "": ""}


def plain(review: Review) -> str:
    """Return the verdict and the rows of the review as text, without the findings."""
    if not review.touched:
        return f"{NOTHING} since {review.base}\n"
    shown = [f"compared with {review.base}: {extent(review)}\n", f"{headline(review)}\n"]
    for entry in review.touched:
        for row in rows(entry):
            first, *more = row.effects
            shown.append(f"  {one_line(f'{row.what}{row.more}: {_MARKS[row.mark]}{first}')}\n")
            shown += [f"      {one_line(effect)}\n" for effect in more]
        shown += [f"  note: {one_line(why)}\n" for why in entry.skipped]
    return "".join(shown)


def document(review: Review, style: Style) -> str:
    """Return the review as JSON."""
    found: dict[str, Any] = {
        "base": review.base,
        "verdict": headline(review) if review.touched else NOTHING,
        "findings": json.loads(format_diagnostics(findings(review), style, "json")),
        "entries": [_entry(entry) for entry in review.touched],
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _entry(entry: EntryReview) -> dict[str, Any]:
    order = entry.order
    return {
        "name": entry.name,
        "migrations": [file.path.as_posix() for file in entry.pending],
        "order": order
        and {
            "advice": order.advice,
            "safe": order.safe,
            "failing_deployed_queries": [
                {
                    "query": one.query,
                    "after": named(one.migration) if one.migration else None,
                    "reason": one.reason,
                }
                for one in order.broken
            ],
            "queries_that_need_the_migration": list(order.waiting),
        },
        "queries": {
            "added": _places(entry.queries.added),
            "changed": _places([new for _, new in entry.queries.changed]),
            "removed": _places(entry.queries.removed),
        },
        "plans": plans_document(entry.plans.changes),
        "grants": {
            "added": privileges(entry.grants.granted, entry.grants),
            "removed": privileges(entry.grants.revoked, entry.grants),
        },
        "skipped": list(entry.skipped),
    }


def _places(queries: Sequence[ParsedQuery]) -> list[str]:
    return [query.place for query in queries]
