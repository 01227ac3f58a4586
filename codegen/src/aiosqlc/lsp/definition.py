"""Find the definition of the symbol at the cursor, which is a column, a table or a query."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

from aiosqlc.lsp.fragments import fragment_at
from aiosqlc.lsp.items import items
from aiosqlc.lsp.known import Entry, absolute
from aiosqlc.lsp.migrations import place_of
from aiosqlc.lsp.scope import columns_named, sources
from aiosqlc.lsp.text import Block, block_at, token_at
from aiosqlc.parse.scanner import Kind, unquote
from aiosqlc.source import SourceFile, Span
from aiosqlc.store.disk import signature

Place = tuple[Path, SourceFile, Span]


def definition(file: SourceFile, entry: Entry, root: Path, at: int) -> Place | None:
    """Return the definition of the name at an offset."""
    block = block_at(file, entry.dialect, at)
    if block.name and block.name_span.start <= at <= block.name_span.end:
        return function_of(entry, block.name)
    if included := fragment_at(entry, block, at):
        fragment, _ = included
        path = Path(absolute(root, fragment.file.path))
        return path, fragment.file, fragment.name_span
    made = _made(entry, block, at)
    found = place_of(entry.schema, *made) if made else None
    if found is None:
        return None
    return Path(absolute(root, found[0].path)), *found


def _made(entry: Entry, block: Block, at: int) -> tuple[str, str] | None:
    """Return the table and column that the name at an offset refers to, or None."""
    position = token_at(block.tokens, at)
    if position is None or block.tokens[position].kind not in {Kind.NAME, Kind.QUOTED}:
        return None
    tokens, word = block.tokens, unquote(block.tokens[position])
    scope = sources(tokens, entry.catalog)
    qualified = position > 1 and tokens[position - 1].text == "."
    for source in scope:
        if source.token == tokens[position] or (
            not qualified and source.alias.lower() == word.lower()
        ):
            return source.name, ""
    alias = unquote(tokens[position - 2]) if qualified else ""
    for table, column in columns_named(scope, word, alias):
        return table.name, column.name
    query = entry.queries.get(block.name)
    for item in items(tokens, query) if query else []:
        inside = item.span.start <= at <= item.span.end
        if inside and len(item.columns) == 1 and (origin := item.columns[0].origin):
            return origin.table, origin.column
    return None


def function_of(entry: Entry, query: str) -> Place | None:
    """Return the location of a query's generated function on disk."""
    found = entry.functions.get(query)
    if found is None:
        return None
    function, path = found
    file = _python(path, signature(path))
    place = _defined(file, function.name) if file else None
    return (path, file, place) if file and place else None


@lru_cache(maxsize=64)
def _python(path: Path, _written: object) -> SourceFile | None:
    try:
        return SourceFile(path, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


@lru_cache(maxsize=512)
def _defined(file: SourceFile, name: str) -> Span | None:
    try:
        tree = ast.parse(file.text)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name == name:
            line = file.line_text(node.lineno)
            start = file.line_start(node.lineno) + line.index(f"def {name}") + len("def ")
            return Span(start, start + len(name))
    return None
