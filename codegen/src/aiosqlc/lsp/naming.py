"""References and rename, as the protocol asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from lsprotocol import types

from aiosqlc.lsp.places import offset, span_range, uri_of
from aiosqlc.lsp.python_uses import Use
from aiosqlc.lsp.rename import RefusedError, Renaming, check_compiled, check_name, edits_of
from aiosqlc.lsp.rename import python_uses as uses_of
from aiosqlc.lsp.session import About, RequestFailedError, Server
from aiosqlc.lsp.things import Sort, Thing, thing_at

_NOTHING = "only queries, their parameters, aliases and WITH queries can be renamed here"


def register(server: Server) -> None:
    """Answer what is asked about names."""

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def referred(ls: Server, params: types.ReferenceParams) -> list[types.Location]:
        found = _thing(ls, params)
        if found is None:
            return []
        about, thing = found
        places = list(_in_file(ls, about, thing, own=params.context.include_declaration))
        return places + [
            types.Location(uri_of(use.path), span_range(ls.codec, use.file, use.span))
            for use in await _uses(ls, about, thing)
            if use.name and use.span.end > use.span.start
        ]

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepared(
        ls: Server, params: types.PrepareRenameParams
    ) -> types.PrepareRenamePlaceholder | None:
        found = _thing(ls, params)
        if found is None:
            return None
        about, thing = found
        return types.PrepareRenamePlaceholder(
            span_range(ls.codec, about.file, thing.here), thing.name
        )

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def renamed(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit:
        await ls.desk.settled()
        found = _thing(ls, params)
        if found is None:
            raise RequestFailedError(_NOTHING)
        try:
            return await _edit(ls, *found, params.new_name)
        except RefusedError as refusal:
            raise RequestFailedError(f"not renamed: {refusal}") from None


def _thing(
    ls: Server, params: types.ReferenceParams | types.PrepareRenameParams | types.RenameParams
) -> tuple[About, Thing] | None:
    about = ls.query_file(params.text_document.uri)
    if about is None:
        return None
    thing = thing_at(about.file, about.entry, offset(ls.codec, about.file, params.position))
    return (about, thing) if thing else None


def _in_file(ls: Server, about: About, thing: Thing, *, own: bool) -> Iterator[types.Location]:
    spans = thing.places[1:] if thing.sort is Sort.QUERY and not own else thing.places
    for span in spans:
        yield types.Location(uri_of(about.path), span_range(ls.codec, about.file, span))


async def _uses(ls: Server, about: About, thing: Thing) -> list[Use]:
    return await asyncio.to_thread(uses_of, about.entry, thing, ls.roots())


async def _edit(ls: Server, about: About, thing: Thing, new: str) -> types.WorkspaceEdit:
    renaming = Renaming(about.path, about.file, about.entry, thing, new)
    if new == thing.name:
        return types.WorkspaceEdit(changes={})
    check_name(renaming)
    after = await ls.desk.as_if(about.config, about.path, renaming.text)
    names = check_compiled(renaming, about.state, after)
    edits = edits_of(renaming, await _uses(ls, about, thing), names, about.root)
    return types.WorkspaceEdit(
        changes={
            uri_of(path): [
                types.TextEdit(span_range(ls.codec, file, span), text) for span, text in parts
            ]
            for path, (file, parts) in edits.items()
        }
    )
