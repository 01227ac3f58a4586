"""Handle the protocol's requests for references and renames."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from lsprotocol import types
from msgspec.structs import replace

from aiosqlc.lsp.known import State
from aiosqlc.lsp.literal_uses import argument_uses
from aiosqlc.lsp.places import span_range, uri_of
from aiosqlc.lsp.python_uses import Use
from aiosqlc.lsp.rename import (
    Places,
    RefusedError,
    Renaming,
    check_compiled,
    check_name,
    edits_of,
    written,
)
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
        places = list(_in_file(about, symbol, own=params.context.include_declaration))
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
        here = about.view.range(symbol.here)
        return types.PrepareRenamePlaceholder(here, symbol.name) if here else None

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
    about = ls.queries(params.text_document.uri)
    at = about.view.at(params.position) if about else None
    if about is None or at is None:
        return None
    symbol = symbol_at(about.file, about.entry, at)
    return (about, symbol) if symbol else None


def _in_file(about: About, symbol: Symbol, *, own: bool) -> Iterator[types.Location]:
    spans = symbol.places[1:] if symbol.sort is Sort.QUERY and not own else symbol.places
    for span in spans:
        if place := about.view.range(span):
            yield types.Location(uri_of(about.path), place)


async def _uses(ls: Server, about: About, symbol: Symbol) -> list[Use]:
    python = about.view.python
    if python is None:
        return await asyncio.to_thread(uses_of, about.entry, symbol, ls.roots())
    found = python.queries.code(symbol.here)
    if found is None or symbol.sort is not Sort.PARAMETER:
        return []
    roots = [*ls.roots(), about.root]
    return await asyncio.to_thread(argument_uses, found[0], symbol.name, about.root, roots)


def _places(about: About, symbol: Symbol) -> Places:
    """Return the positions to edit. Raises `RefusedError` if a literal has escapes in a name."""
    python = about.view.python
    if python is None:
        return Places(about.path, about.file, symbol.places)
    spans = [python.queries.plain_code(span) for span in symbol.places]
    plain = tuple(span for span in spans if span)
    if len(plain) < len(spans):
        raise RefusedError(
            f"`{symbol.name}` contains escapes or is split between literals: rename it by hand"
        )
    return Places(about.path, python.file, plain)


def _of_file(about: About, state: State) -> State:
    """Return the project's state. For a Python file, keep only the entry of its SQL literals."""
    document = state.documents.get(str(about.path))
    return replace(state, entries=(document.entry,)) if document else state


async def _edit(ls: Server, about: About, symbol: Symbol, new: str) -> types.WorkspaceEdit:
    renaming = Renaming(about.file, about.entry, symbol, new)
    if new == symbol.name:
        return types.WorkspaceEdit(changes={})
    check_name(renaming)
    places = _places(about, symbol)
    text = written(places.file.text, [(span, new) for span in places.spans])
    after = await ls.analysis.as_if(about.config, about.path, text)
    names = check_compiled(renaming, _of_file(about, about.state), _of_file(about, after))
    edits = edits_of(renaming, places, await _uses(ls, about, symbol), names, about.root)
    return types.WorkspaceEdit(
        changes={
            uri_of(path): [
                types.TextEdit(span_range(ls.codec, file, span), text) for span, text in parts
            ]
            for path, (file, parts) in edits.items()
        }
    )
