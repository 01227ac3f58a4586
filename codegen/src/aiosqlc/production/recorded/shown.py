"""Write changed plans as text, as findings and as JSON."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import ParsedQuery
from aiosqlc.messages.one_line import one_line
from aiosqlc.production.recorded.changes import Change, QueryChange, by_query
from aiosqlc.production.recorded.tree import lines

_HINT = "if the new plan is acceptable, record it with `aiosqlc plans record`"


def difference(change: Change) -> list[str]:
    """Return the steps of both plans; `-` marks the old steps and `+` the new steps."""
    before, after = (list(lines(plan)) if plan else [] for plan in (change.before, change.after))
    return [line.rstrip() for line in difflib.ndiff(before, after) if not line.startswith("?")]


def title(change: Change | QueryChange) -> str:
    """Return the name of the first SQL text with a changed plan, and the number of the others.

    Return '' for a query with one SQL text.
    """
    named = [text for text in change.texts if text]
    if not named:
        return ""
    return named[0] if len(named) == 1 else f"{named[0]} and {len(named) - 1} more texts"


def plain(changes: Sequence[Change]) -> str:
    """Return the changes as text: a line for each query, and the steps that differ."""
    parts = []
    for change in changes:
        which = f" ({title(change)})" if title(change) else ""
        parts.append(f"{change.query}{which}: {', '.join(change.summary)}\n")
        parts += [f"    {line}\n" for line in difference(change)]
    return "".join(parts)


def diagnostics(changes: Sequence[Change], queries: Iterable[ParsedQuery]) -> list[Diagnostic]:
    """Return one P001 diagnostic for each query with changed plans.

    The diagnostic points to the query, unless the query was removed.
    """
    by_place = {one_line(query.place): query for query in queries}
    return [_diagnostic(change, by_place.get(change.query)) for change in by_query(changes)]


def _diagnostic(change: QueryChange, query: ParsedQuery | None) -> Diagnostic:
    if change.worse:
        change = QueryChange(change.query, tuple(one for one in change.changes if one.worse))
    name = change.query.rpartition(":")[2]
    which = f" ({title(change)})" if title(change) else ""
    label = (Label(query.file, query.name_span),) if query else ()
    if change.worse:
        message = f"the new plan of {name}{which} {' and '.join(change.worse)}"
    else:
        message = f"the plan of {name}{which} changed: {', '.join(change.summary)}"
    return Diagnostic("P001", message, label, _HINT, Severity.WARNING)


def document(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Return the changes as values for a JSON document."""
    return [
        {
            "query": change.query,
            "texts": [text for text in change.texts if text],
            "summary": list(change.summary),
            "worse": list(change.worse),
            "before": list(lines(change.before)) if change.before else None,
            "after": list(lines(change.after)) if change.after else None,
        }
        for change in changes
    ]
