"""Find the queries that differ between two versions."""

from __future__ import annotations

from collections.abc import Sequence

from aiosqlc.ir import ParsedQuery
from aiosqlc.production.review.model import Queries


def compared(old: Sequence[ParsedQuery], new: Sequence[ParsedQuery]) -> Queries:
    """Return the queries that only one version has, and those that differ.

    Two queries are the same if they have the same place, or, after a move, the same name and
    content.
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
