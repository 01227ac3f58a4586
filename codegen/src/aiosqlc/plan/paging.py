"""Plan the result of a `:page` query's function, and the separate query for the total."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aiosqlc.ir import Paging, TypedQuery
from aiosqlc.plan.model import PyParam


def without_hidden(query: TypedQuery) -> TypedQuery:
    """Return a query without the column for the total of a page."""
    if query.parsed.paging is None:
        return query
    return replace(query, columns=query.columns[: -query.parsed.paging.hidden])


def first_row(paging: Paging, params: Mapping[int, PyParam]) -> tuple[tuple[str, str], ...]:
    """Return the values that replace the arguments of LIMIT and OFFSET to fetch the first row."""
    found = [(params[paging.skip].expression, "0")]
    if paging.limit is not None:
        found.append((params[paging.limit].expression, "1"))
    return tuple(found)
