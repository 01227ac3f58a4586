"""The five operations of a level over HTTP: open to read, written by who may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Struct

from lib.auth import require, require_verified
from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import if_match
from lib.http.middleware.auth import guarded, public
from lib.http.openapi import operation
from services.catalog.model import tags
from services.catalog.model.lists import ListEntries
from services.catalog.routes import answers
from services.catalog.routes.access import WRITE
from services.catalog.service import levels
from services.catalog.service.levels import Level

ID: Final = {"id": UUID}
SEEN: Final = ("If-None-Match",)
_CHANGE_ERRORS: Final = (Code.NOT_FOUND, Code.CONFLICT, Code.PRECONDITION_FAILED)
_writes: Final = guarded(require(WRITE), require_verified)


@dataclass(frozen=True)
class Entries:
    """A level with the types of its requests and answers; `path` is its place under the API."""

    level: Level[Any]
    path: str
    row: type[Struct]
    new: type[Struct]
    change: type[Struct]
    listing: type[ListEntries]

    @property
    def routes(self) -> Sequence[web.RouteDef]:
        """The routes, documented."""
        many, one = f"/api/v1/{self.path}", f"/api/v1/{self.path}/{{id}}"
        return (
            web.get(many, public(self._list())),
            web.post(many, _writes(self._add())),
            web.get(one, public(self._get())),
            web.patch(one, _writes(self._change())),
            web.delete(one, _writes(self._remove())),
        )

    def _list(self) -> Handler:
        level = self.level

        async def handler(request: web.Request) -> web.Response:
            wanted = decode.query(request, self.listing)
            return await list_entries(request, level, wanted)

        return described(
            handler,
            f"list_{self._plural}",
            f"List {self._plural.replace('_', ' ')}",
            self.path,
            query=self.listing,
            headers=SEEN,
            returns=list[self.row],  # type: ignore[name-defined] # known when it runs
            paged=True,
        )

    def _add(self) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            new = await decode.body(request, self.new)
            added = await levels.add(self.level, request.app[DATABASE], new)
            await answers.changed(request, tags.of_change(self.level.tag, added.id))
            return respond.created(added, location=f"{self.path}/{added.id}", version=added.version)

        return described(
            handler,
            f"add_{self.level.tag}",
            f"Add a {self.level.noun}",
            self.path,
            body=self.new,
            returns=self.row,
            status=201,
            errors=(Code.NOT_FOUND, Code.CONFLICT),
        )

    def _get(self) -> Handler:
        level = self.level

        async def handler(request: web.Request) -> web.Response:
            entry_id, db = decode.path_uuid(request), request.app[DATABASE]
            tag = tags.of_entry(level.tag, entry_id)
            return await answers.item(request, tag, (tag,), lambda: levels.get(level, db, entry_id))

        return described(
            handler,
            f"get_{level.tag}",
            f"Get a {level.noun}",
            self.path,
            path=ID,
            headers=SEEN,
            returns=self.row,
            errors=(Code.NOT_FOUND,),
        )

    def _change(self) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            entry_id = decode.path_uuid(request)
            changes = await decode.body(request, self.change)
            changed = await levels.change(
                self.level, request.app[DATABASE], entry_id, changes, version=if_match(request)
            )
            await answers.changed(request, tags.of_change(self.level.tag, entry_id))
            return respond.changed(changed, version=changed.version)

        return described(
            handler,
            f"change_{self.level.tag}",
            f"Change a {self.level.noun}",
            self.path,
            path=ID,
            headers=("If-Match",),
            body=self.change,
            returns=self.row,
            errors=_CHANGE_ERRORS,
        )

    def _remove(self) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            entry_id = decode.path_uuid(request)
            await levels.remove(
                self.level, request.app[DATABASE], entry_id, version=if_match(request)
            )
            await answers.changed(request, tags.of_change(self.level.tag, entry_id))
            return respond.no_content()

        return described(
            handler,
            f"remove_{self.level.tag}",
            f"Remove a {self.level.noun}",
            self.path,
            path=ID,
            headers=("If-Match",),
            status=204,
            errors=_CHANGE_ERRORS,
        )

    @property
    def _plural(self) -> str:
        return self.path.replace("-", "_")


async def list_entries(
    request: web.Request,
    level: Level[Any],
    wanted: ListEntries,
    *,
    parent: Level[Any] | None = None,
) -> web.Response:
    """Answer one page of a level; what belongs to a `parent` is asked for under its path."""
    db = request.app[DATABASE]
    key, made_of = level.tag, [tags.of_list(tag) for tag in (level.tag, *level.reads)]
    load = partial(levels.list_page, level, db, wanted)
    if parent is not None:
        parent_id = decode.path_uuid(request)
        key = f"{parent.tag}/{level.tag}"
        made_of.append(tags.of_entry(parent.tag, parent_id))
        load = partial(levels.list_below, parent, parent_id, level, db, wanted)
    if wanted.search is not None:
        # There are as many of these as there are words: hardly one is asked for twice.
        made_of = []
    return await answers.page(request, key, made_of, wanted, load)


def described(handler: Handler, name: str, summary: str, tag: str, **about: Any) -> Handler:
    """Name a handler and describe it, as `operation` does."""
    handler.__name__ = name
    return operation(summary=summary, tags=(tag,), **about)(handler)
