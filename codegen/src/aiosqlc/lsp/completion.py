"""Completion at the cursor: names of the schema, and the compiler's own keywords."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol.types import CompletionItemKind as Sort
from msgspec import Struct

from aiosqlc.lsp.known import Entry
from aiosqlc.lsp.scope import TABLES_FOLLOW, Source, sources
from aiosqlc.lsp.text import Block, block_at
from aiosqlc.lsp.words import ANNOTATIONS, COMMANDS, DIRECTIVES, MACROS, OPTIONS
from aiosqlc.messages.explained import type_name
from aiosqlc.parse.macros import find_uses
from aiosqlc.parse.scanner import unquote
from aiosqlc.source import SourceFile

_COMMAND = re.compile(r"(?:--|#|/\*)\s*name:\s*\w+\s+:?\w*$")
_OPTION = re.compile(r"(?:--|#|/\*)\s*name:\s*\w+\s+:\w+\s+:?\w*$")
_HINT = re.compile(r"--\s*(?P<word>column|param):\s*\w*$")
_ABOVE = re.compile(r"^\s*(?:--|#)\s*\w*$")
_OF_DIRECTIVE = re.compile(r"--\s*:(?P<word>if|sort|set)\s[^\n]*$")
# Each search starts at the start of a word and is linear on long lines.
_DIRECTIVE = re.compile(r"--\s*:?\w*$")
_DOTTED = re.compile(r"(?<![\w\"`])(?P<before>[\w\"`]+)\.\w*$")
_PARAM = re.compile(r"@\w*$")
_LAST = re.compile(r"(?P<word>\w+)\s+[\w\"`]*$")


class Offer(Struct, frozen=True):
    """A completion item.

    `insert` is the text to insert if it differs from `label`.
    """

    label: str
    sort: Sort
    detail: str = ""
    insert: str = ""


def complete(file: SourceFile, entry: Entry, at: int) -> list[Offer]:
    """Return the completion items at an offset."""
    before = file.text[file.text.rfind("\n", 0, at) + 1 : at]
    block = block_at(file, entry.dialect, at)
    found = _in_comment(file, entry, block, before, at)
    if found is None:
        found = list(_in_statement(file, entry, block, before, at))
    return list({offer.label: offer for offer in found}.values())


def _in_comment(
    file: SourceFile, entry: Entry, block: Block, before: str, at: int
) -> list[Offer] | None:
    """Return the completion items in a comment, or None if the offset is not in a comment."""
    if _COMMAND.search(before):
        return _words(COMMANDS, before, ":")
    if _OPTION.search(before):
        return _words(OPTIONS, before, ":")
    if hint := _HINT.search(before):
        return list(_hinted(file, entry, block, hint["word"]))
    if directive := _OF_DIRECTIVE.search(before):
        if directive["word"] == "sort":
            return list(_columns(sources(block.tokens, entry.catalog)))
        return list(_params(file, entry, block))
    if _ABOVE.search(before) and at <= block.start:
        return [Offer(word, Sort.Keyword, text, f"{word}: ") for word, text in ANNOTATIONS.items()]
    if (directive := _DIRECTIVE.search(before)) and before[: directive.start()].strip():
        return _words({word[1:]: text for word, text in DIRECTIVES.items()}, before, ":")
    inside = any(comment.start < at <= comment.end for comment in block.comments)
    return [] if inside else None


def _words(words: dict[str, str], before: str, sign: str) -> list[Offer]:
    """Return a completion item for each word, with `sign` before it.

    Insert `sign` only if the user has not typed it.
    """
    written = re.search(rf"{sign}\w*$", before)
    return [
        Offer(f"{sign}{word}", Sort.Keyword, text, word if written else f"{sign}{word}")
        for word, text in words.items()
    ]


def _hinted(file: SourceFile, entry: Entry, block: Block, word: str) -> Iterator[Offer]:
    query = entry.queries.get(block.name)
    if word == "param":
        yield from _params(file, entry, block)
    for column in query.columns if query and word == "column" else ():
        yield Offer(column.name, Sort.Field, type_name(column.type))


def _in_statement(
    file: SourceFile, entry: Entry, block: Block, before: str, at: int
) -> Iterator[Offer]:
    scope = sources(block.tokens, entry.catalog)
    if dotted := _DOTTED.search(before):
        yield from _after_dot(entry, scope, dotted["before"].strip('"`'))
        return
    if _PARAM.search(before):
        yield from _params(file, entry, block)
        yield from _columns(scope)
        return
    last = _LAST.search(file.text[max(0, at - 200) : at])
    if last and last["word"].upper() in TABLES_FOLLOW:
        yield from _tables(entry, block)
        return
    yield from _columns(scope)
    for source in scope:
        yield Offer(source.alias, Sort.Module, source.name)
    yield from _tables(entry, block)
    for macro, text in MACROS.items():
        yield Offer(macro, Sort.Function, text)


def _after_dot(entry: Entry, scope: list[Source], name: str) -> Iterator[Offer]:
    if name.lower() == "sqlc":
        for macro, text in MACROS.items():
            yield Offer(macro, Sort.Function, text, macro.removeprefix("sqlc."))
    yield from _columns([source for source in scope if source.alias.lower() == name.lower()])
    for table in entry.catalog.tables:
        if table.schema.lower() == name.lower():
            yield Offer(table.name, Sort.Struct, table.comment or table.kind)


def _columns(scope: list[Source]) -> Iterator[Offer]:
    for source in scope:
        for column in source.table.columns if source.table else ():
            null = "" if column.not_null else "?"
            detail = f"{type_name(column.type)}{null} of {source.alias}"
            yield Offer(column.name, Sort.Field, detail)


def _tables(entry: Entry, block: Block) -> Iterator[Offer]:
    for table in entry.catalog.tables:
        usual = table.schema in {"", entry.catalog.default_schema}
        name = table.name if usual else f"{table.schema}.{table.name}"
        yield Offer(name, Sort.Struct, table.comment or table.kind)
    words = block.tokens
    for position, token in enumerate(words[:-2]):
        if token.text.upper() in {"WITH", ",", "RECURSIVE"}:
            after = [item.text.upper() for item in words[position + 1 : position + 4]]
            if after[1:2] == ["AS"] and after[2:3] in (["("], ["MATERIALIZED"], ["NOT"]):
                yield Offer(unquote(words[position + 1]), Sort.Struct, "a WITH query")


def _params(file: SourceFile, entry: Entry, block: Block) -> Iterator[Offer]:
    query = entry.queries.get(block.name)
    types = {param.name: type_name(param.type) for param in query.params} if query else {}
    uses, _ = find_uses(file, list(block.tokens), entry.dialect)
    for name in dict.fromkeys([*types, *(use.name for use in uses)]):
        if name:
            yield Offer(name, Sort.Variable, types.get(name, "a parameter"))
