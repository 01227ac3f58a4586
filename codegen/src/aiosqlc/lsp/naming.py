"""Find references and rename symbols, for the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from lsprotocol import types

from aiosqlc.lsp.places import offset, span_range, uri_of
from aiosqlc.lsp.python_uses import Use
from aiosqlc.lsp.rename import RefusedError, Renaming, check_compiled, check_name, edits_of
from aiosqlc.lsp.rename import python_uses as uses_of
from aiosqlc.lsp.session import About, RequestFailedError, Server
from aiosqlc.lsp.symbols import Sort, Symbol, symbol_at

_NOTHING = "only queries, their parameters, aliases and WITH queries can be renamed here"


def register(server: Server) -> None:
    """Register the handlers for references and renames."""

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def referred(ls: Server, params: types.ReferenceParams) -> list[types.Location]:
        found = _thing(ls, params)
        if found is None:
            return []
        about, symbol = found
        places = list(_in_file(ls, about, symbol, own=params.context.include_declaration))
        return places + [
            types.Location(uri_of(use.path), span_range(ls.codec, use.file, use.span))
            for use in await _uses(ls, about, symbol)
            if use.name and use.span.end > use.span.start
        ]

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepared(
        ls: Server, params: types.PrepareRenameParams
    ) -> types.PrepareRenamePlaceholder | None:
        found = _thing(ls, params)
        if found is None:
            return None
        about, symbol = found
        return types.PrepareRenamePlaceholder(
            span_range(ls.codec, about.file, symbol.here), symbol.name
        )

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def renamed(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit:
        await ls.analysis.settled()
        found = _thing(ls, params)
        if found is None:
            raise RequestFailedError(_NOTHING)
        try:
            return await _edit(ls, *found, params.new_name)
        except RefusedError as refusal:
            raise RequestFailedError(f"not renamed: {refusal}") from None


def _thing(
    ls: Server, params: types.ReferenceParams | types.PrepareRenameParams | types.RenameParams
) -> tuple[About, Symbol] | None:
    about = ls.query_file(params.text_document.uri)
    if about is None:
        return None
    symbol = symbol_at(about.file, about.entry, offset(ls.codec, about.file, params.position))
    return (about, symbol) if symbol else None


def _in_file(ls: Server, about: About, symbol: Symbol, *, own: bool) -> Iterator[types.Location]:
    spans = symbol.places[1:] if symbol.sort is Sort.QUERY and not own else symbol.places
    for span in spans:
        yield types.Location(uri_of(about.path), span_range(ls.codec, about.file, span))


async def _uses(ls: Server, about: About, symbol: Symbol) -> list[Use]:
    return await asyncio.to_thread(uses_of, about.entry, symbol, ls.roots())


async def _edit(ls: Server, about: About, symbol: Symbol, new: str) -> types.WorkspaceEdit:
    renaming = Renaming(about.path, about.file, about.entry, symbol, new)
    if new == symbol.name:
        return types.WorkspaceEdit(changes={})
    check_name(renaming)
    after = await ls.analysis.as_if(about.config, about.path, renaming.text)
    names = check_compiled(renaming, about.state, after)
    edits = edits_of(renaming, await _uses(ls, about, symbol), names, about.root)
    return types.WorkspaceEdit(
        changes={
            uri_of(path): [
                types.TextEdit(span_range(ls.codec, file, span), text) for span, text in parts
            ]
            for path, (file, parts) in edits.items()
        }
    )
