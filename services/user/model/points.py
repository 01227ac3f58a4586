"""Query parameters of the list of points that a user earned and spent."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from lib.resource.input import Query
from lib.resource.lists import MAX_PAGE_SIZE


class LedgerQuery(Query, frozen=True, kw_only=True):
    """Query parameters of a page of a user's points ledger, oldest entry first."""

    after: Annotated[
        UUID | None, Meta(description="only the entries after the entry with this ID")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE_SIZE, description="maximum number of entries")] = (
        20
    )
