# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers know: an ignored line is one that they must refuse."""

import msgspec
from msgspec import UNSET, UnsetType

from a_request_updates_the_fields_that_it_sets import queries
from a_request_updates_the_fields_that_it_sets.executor import Executor


class AuthorPatch(msgspec.Struct):
    name: str | UnsetType = UNSET
    bio: str | None | UnsetType = UNSET


async def patch(db: Executor, request: AuthorPatch) -> None:
    await queries.patch_author(db, id=1, name=request.name, bio=request.bio)
    await queries.patch_author(db, id=1, name=request.bio)  # type: ignore[arg-type]
