"""Query parameters of a ledger."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from lib.resource.input import Query
from lib.resource.lists import MAX_PAGE_SIZE


class LedgerQuery(Query, frozen=True, kw_only=True):
    """A page of a ledger, oldest entry first."""

    after: Annotated[
        UUID | None, Meta(description="only the entries after the entry with this ID")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE_SIZE, description="maximum number of entries")] = (
        20
    )
