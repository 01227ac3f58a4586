"""List, create, get, update and delete catalog entries of one kind. Writes need a permission."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from aiohttp import web
from msgspec import Struct

from lib.auth import require
from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Created, Done, Item
from lib.http.routes import CHANGE_ERRORS, PUBLIC, Id, IfMatch, Routes, signed_in
from services.catalog.model import tags
from services.catalog.model.lists import ListLevel
from services.catalog.routes import answers
from services.catalog.routes.access import WRITE
from services.catalog.routes.answers import TaggedPage
from services.catalog.service import levels
from services.catalog.service.levels import Level

_WRITERS: Final = signed_in(require(WRITE))


@dataclass(frozen=True)
class Entries:
    """One kind of catalog entry, with its API path, its request types and its response type."""

    level: Level[Any]
    path: str
    row: type[Struct]
    new: type[Struct]
    change: type[Struct]
    listing: type[ListLevel]

    def declare(self, route: Routes) -> None:
        """Declare the routes of this kind of entry."""
        level, plural = self.level, self.path.replace("-", "_")
        tag, noun, listed = level.tag, level.noun, plural.replace("_", " ")
        many, one = f"/api/v1/{self.path}", f"/api/v1/{self.path}/{{id}}"
        row: Any = self.row

        @route(
            f"GET {many}", f"List {listed}",
            access=PUBLIC, name=f"list_{plural}", tag=self.path,
            types={"wanted": self.listing, "return": TaggedPage[row]},
        )  # fmt: skip
        async def list_(request: web.Request, db: Db, wanted: ListLevel) -> web.Response:
            return await list_entries(request, db, level, wanted)

        @route(
            f"POST {many}", f"Create a {noun}", *CHANGE_ERRORS,
            access=_WRITERS, name=f"add_{tag}", tag=self.path,
            types={"new": self.new, "return": Created[row]},
        )  # fmt: skip
        async def add(request: web.Request, db: Db, new: Struct) -> web.Response:
            added = await levels.add(level, db, new)
            await answers.changed(request, tags.of_change(tag, added.id))
            return respond.created(added, f"{self.path}/{added.id}")

        @route(
            f"GET {one}", f"Get a {noun}", Code.NOT_FOUND,
            access=PUBLIC, name=f"get_{tag}", tag=self.path, types={"return": Item[row]},
        )  # fmt: skip
        async def get(request: web.Request, db: Db, entry_id: Id) -> web.Response:
            key = tags.of_entry(tag, entry_id)
            return await answers.item(request, key, (key,), lambda: levels.get(level, db, entry_id))

        @route(
            f"PATCH {one}", f"Update a {noun}", *CHANGE_ERRORS,
            access=_WRITERS, name=f"change_{tag}", tag=self.path,
            types={"changes": self.change, "return": Item[row]},
        )  # fmt: skip
        async def change(
            request: web.Request, db: Db, entry_id: Id, changes: Struct, version: IfMatch
        ) -> web.Response:
            changed = await levels.change(level, db, entry_id, changes, version=version)
            await answers.changed(request, tags.of_change(tag, entry_id))
            return respond.changed(changed)

        @route(
            f"DELETE {one}", f"Delete a {noun}", *CHANGE_ERRORS,
            access=_WRITERS, name=f"remove_{tag}", tag=self.path,
        )  # fmt: skip
        async def remove(request: web.Request, db: Db, entry_id: Id, version: IfMatch) -> Done:
            await levels.remove(level, db, entry_id, version=version)
            await answers.changed(request, tags.of_change(tag, entry_id))
            return respond.no_content()


async def list_entries(
    request: web.Request,
    db: Db,
    level: Level[Any],
    wanted: ListLevel,
    *,
    parent: tuple[Level[Any], UUID] | None = None,
) -> web.Response:
    """Return one page of the entries of a kind: all entries, or the entries below `parent`."""
    key, made_of = level.tag, [tags.of_list(tag) for tag in (level.tag, *level.reads)]
    load = partial(levels.list_page, level, db, wanted)
    if parent is not None:
        above, parent_id = parent
        key = f"{above.tag}/{level.tag}"
        made_of.append(tags.of_entry(above.tag, parent_id))
        load = partial(levels.list_below, above, parent_id, level, db, wanted)
    if wanted.search is not None:
        # There are as many of these as there are words: hardly one is asked for twice.
        made_of = []
    return await answers.page(request, key, made_of, wanted, load)
