"""Handle the protocol's requests for formatting, signatures, semantic tokens and code lenses."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from lsprotocol import types

from aiosqlc.ir import TypedQuery
from aiosqlc.layout.proved import format_file
from aiosqlc.layout.statement import LayoutStyle
from aiosqlc.lsp.calls import arguments, call_at, macro
from aiosqlc.lsp.definition import function_of
from aiosqlc.lsp.places import offset, position, span_range, uri_of
from aiosqlc.lsp.semantic import LEGEND, semantic_tokens
from aiosqlc.lsp.session import About, RequestFailedError, Server
from aiosqlc.lsp.text import blocks
from aiosqlc.source import Span

SHOW, RUN = "aiosqlc.showGenerated", "aiosqlc.runOnSampleRows"


def register(server: Server) -> None:
    """Register the handlers for formatting, signatures, semantic tokens and code lenses."""

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def formatted(ls: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        about = ls.query_file(params.text_document.uri)
        return await _formatted(ls, about, None) if about else []

    @server.feature(types.TEXT_DOCUMENT_RANGE_FORMATTING)
    async def part_formatted(
        ls: Server, params: types.DocumentRangeFormattingParams
    ) -> list[types.TextEdit]:
        about = ls.query_file(params.text_document.uri)
        if about is None:
            return []
        start = offset(ls.codec, about.file, params.range.start)
        end = offset(ls.codec, about.file, params.range.end)
        return await _formatted(ls, about, Span(start, end))

    @server.feature(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.SignatureHelpOptions(trigger_characters=["(", ","]),
    )
    async def signed(ls: Server, params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        about = ls.queries(params.text_document.uri)
        at = about.view.at(params.position) if about else None
        call = call_at(about.file, about.entry, at) if about and at is not None else None
        if about is None or call is None:
            return None
        entry, name = about.entry, call.name
        known = macro(name) or await ls.analysis.run(
            lambda worker: worker.functions(entry, name.rpartition(".")[2])
        )
        found = [_signature(text, said) for text, said in known]
        fitting = (
            number
            for number, item in enumerate(found)
            if len(item.parameters or ()) > call.argument
        )
        return types.SignatureHelp(found, next(fitting, 0), call.argument) if found else None

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
    def coloured(ls: Server, params: types.SemanticTokensParams) -> types.SemanticTokens | None:
        about = ls.query_file(params.text_document.uri)
        if about is None:  # the colours of a Python file are those of its own server
            return None
        return types.SemanticTokens(semantic_tokens(ls.codec, about.file, about.entry))

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    def lenses(ls: Server, params: types.CodeLensParams) -> list[types.CodeLens]:
        about = ls.query_file(params.text_document.uri)
        return list(_lenses(ls, about)) if about else []

    @server.command(SHOW)
    async def shown(ls: Server, uri: str, name: str) -> str:
        about, _ = _query(ls, uri, name)
        place = function_of(about.entry, name)
        if place is None:
            raise RequestFailedError(
                "the generated code for this query does not exist yet: run `aiosqlc generate`"
            )
        where = span_range(ls.codec, place[1], place[2])
        await ls.window_show_document_async(
            types.ShowDocumentParams(uri_of(place[0]), take_focus=True, selection=where)
        )
        return str(place[0])

    @server.command(RUN)
    async def run(ls: Server, uri: str, name: str) -> str:
        about, query = _query(ls, uri, name)
        lines = await ls.analysis.run(lambda worker: worker.sample(about.entry, query))
        # Some editors display a message on one line.
        text = ";\n".join([f"{name} on sample rows, {lines[0]}", *lines[1:]])
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Info, text))
        return text


def _query(ls: Server, uri: str, name: str) -> tuple[About, TypedQuery]:
    about = ls.query_file(uri)
    query = about.entry.queries.get(name) if about else None
    if about is None or query is None:
        raise RequestFailedError(f"`{name}` has an error: fix it first")
    return about, query


async def _formatted(ls: Server, about: About, within: Span | None) -> list[types.TextEdit]:
    """Return the edits that format the queries whose formatted text is proved equivalent."""
    entry, file = about.entry, about.file
    found = await ls.analysis.run(
        lambda worker: format_file(
            file,
            entry.dialect,
            LayoutStyle.HOUSE,
            lambda pairs: worker.prove(entry, pairs),
            within,
            library={fragment.file for fragment in entry.fragments.values()},
        )
    )
    if found is None:
        raise RequestFailedError("not formatted: the file has errors")
    for name, why in found.left.items():
        text = f"`{name}` is not formatted: {why}"
        ls.window_log_message(types.LogMessageParams(types.MessageType.Info, text))
    source = ls.workspace.get_text_document(uri_of(about.path)).source
    ending = "\r\n" if "\r\n" in source else "\n"
    return list(_edits(ls, about, found.tidied.after.text, ending))


def _edits(ls: Server, about: About, after: str, ending: str) -> Iterator[types.TextEdit]:
    """Yield one edit per group of changed lines, so that the cursor keeps its position.

    `ending` is the line ending in the editor; the texts here have line feeds.
    """
    old = about.file.text.splitlines(keepends=True)
    new = after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, first, last, begin, end in matcher.get_opcodes():
        if tag != "equal":
            span = Span(starts[first], starts[last])
            lines = "".join(new[begin:end]).replace("\n", ending)
            yield types.TextEdit(span_range(ls.codec, about.file, span), lines)


def _signature(text: str, said: str) -> types.SignatureInformation:
    parts = [types.ParameterInformation(part) for part in arguments(text)]
    return types.SignatureInformation(text, said or None, parts)


def _lenses(ls: Server, about: About) -> Iterator[types.CodeLens]:
    for block in blocks(about.file, about.entry.dialect):
        if block.name not in about.entry.queries:
            continue
        at = position(ls.codec, about.file, block.name_span.start)
        where = types.Range(at, at)
        given = [uri_of(about.path), block.name]
        if block.name in about.entry.functions:
            yield types.CodeLens(
                where, types.Command("show the generated code", SHOW, arguments=given)
            )
        yield types.CodeLens(where, types.Command("run on sample rows", RUN, arguments=given))
