"""Name the plan of each SQL text, so that the plans of two versions can be compared."""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.messages.one_line import one_line
from aiosqlc.production.plans import Plans
from aiosqlc.production.recorded.tree import Step, simplified

WITH_STATISTICS = "the statistics of production"
WITHOUT_STATISTICS = "empty tables, which only shows whether an index is usable"


class TextName(Struct, frozen=True, order=True):
    """The name of an SQL text: its query as `file.sql:Name`, and the optional parts in the text.

    `parts` is empty for a query with only one SQL text.
    """

    query: str
    parts: str = ""


def plans_by_text(plans: Plans) -> dict[TextName, Step]:
    """Return the simplified plan of each SQL text that has a plan."""
    found: dict[TextName, Step] = {}
    for text in plans.texts:
        if text.plan is None:
            continue
        step = simplified(text.plan, estimated=plans.with_statistics)
        place, variant = one_line(text.query.parsed.place), one_line(text.variant)
        name, number = TextName(place, variant), 1
        while found.get(name, step) != step:  # the same query in two entries, or equal parts
            number += 1
            name = TextName(place, f"{variant} #{number}".strip())
        found[name] = step
    return found


def basis_of(plans: Plans) -> str:
    """Describe the statistics with which the plans were made."""
    return WITH_STATISTICS if plans.with_statistics else WITHOUT_STATISTICS
