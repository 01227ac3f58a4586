"""Find the queries that differ between two versions."""

from __future__ import annotations

from collections.abc import Sequence

from aiosqlc.ir import ParsedQuery
from aiosqlc.production.review.model import Queries


def compared(old: Sequence[ParsedQuery], new: Sequence[ParsedQuery]) -> Queries:
    """Return the queries that were added, removed or changed.

    Two queries are the same query if file and name are equal. A moved query is recognized by an
    equal name and text.
    """
    before = {query.place: query for query in old}
    after = {query.place: query for query in new}
    gone = [query for place, query in before.items() if place not in after]
    come = [query for place, query in after.items() if place not in before]
    moved = {query.question for query in gone} & {query.question for query in come}
    return Queries(
        tuple(query for query in come if query.question not in moved),
        tuple(
            (before[place], query)
            for place, query in after.items()
            if place in before and before[place].question != query.question
        ),
        tuple(query for query in gone if query.question not in moved),
    )
