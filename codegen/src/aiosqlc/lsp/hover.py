"""Describe the symbol at the cursor, with the results that `aiosqlc explain` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiosqlc.ir import Column, Table, TypedParam, TypedQuery
from aiosqlc.lsp.fragments import fragment_at, fragment_text
from aiosqlc.lsp.items import items
from aiosqlc.lsp.known import Entry
from aiosqlc.lsp.scope import columns_named, sources, table_named
from aiosqlc.lsp.text import Block, block_at, token_at
from aiosqlc.lsp.words import DIRECTIVES, MACROS
from aiosqlc.messages.explained import column_lines, param_line, result_lines, type_name
from aiosqlc.parse.macros import ROWS, find_uses
from aiosqlc.parse.scanner import Kind, unquote
from aiosqlc.source import SourceFile, Span

Said = tuple[str, Span]


def hover(file: SourceFile, entry: Entry, at: int, plan: Sequence[str] = ()) -> Said | None:
    """Return Markdown about the symbol at an offset, and its location.

    `plan` is the query's plan; it is shown if the symbol is the query's name or first keyword.
    """
    block = block_at(file, entry.dialect, at)
    query = entry.queries.get(block.name)
    whole = whole_at(block, at)
    if query and whole:
        lines = [*result_lines(query)]
        lines += [*plan[:1], *(f"    {line}" for line in plan[1:])]
        return _fenced(lines), whole
    if included := fragment_at(entry, block, at):
        return fragment_text(included[0]), included[1]
    found = _directive(block, at) or _macro_or_param(file, entry, block, query, at)
    return found or _name(entry, block, query, at)


def whole_at(block: Block, at: int) -> Span | None:
    """Return the word at an offset that stands for the query: its name, or its first keyword."""
    first = [token.span for token in block.tokens[:1]]
    return next((span for span in (block.name_span, *first) if span.start <= at <= span.end), None)


def _fenced(lines: Iterator[str] | list[str], language: str = "") -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _directive(block: Block, at: int) -> Said | None:
    for comment in block.comments:
        if comment.start <= at <= comment.end:
            for word, meaning in DIRECTIVES.items():
                start = comment.text.find(word)
                first = comment.start + start
                if start >= 0 and first <= at <= first + len(word):
                    return meaning, Span(first, first + len(word))
    return None


def _macro_or_param(
    file: SourceFile, entry: Entry, block: Block, query: TypedQuery | None, at: int
) -> Said | None:
    uses, _ = find_uses(file, list(block.tokens), entry.dialect)
    for use in uses:
        if not use.span.start <= at <= use.span.end or use.macro in ROWS:
            continue
        for param in query.params if query else ():
            same = param.name == use.name if use.name else param.number == use.number
            if same:
                return _param(param), use.span
        return MACROS.get(f"sqlc.{use.macro}", ""), use.span
    return None


def _param(param: TypedParam) -> str:
    return "\n\n".join([_fenced([param_line(param)]), *_chain(param.reasons)])


def _chain(reasons: tuple[str, ...]) -> list[str]:
    return ["\n".join(f"- {reason}" for reason in reasons)] if reasons else []


def _column(column: Column) -> str:
    return "\n\n".join([_fenced(column_lines(column)), *_chain(column.reasons)])


def _name(entry: Entry, block: Block, query: TypedQuery | None, at: int) -> Said | None:
    position = token_at(block.tokens, at)
    if position is None:
        return None
    token, tokens = block.tokens[position], block.tokens
    scope = sources(tokens, entry.catalog)
    if token.kind in {Kind.NAME, Kind.QUOTED}:
        word = unquote(token)
        named = [source for source in scope if source.token == token and source.table]
        qualified = position > 1 and tokens[position - 1].text == "."
        alias = unquote(tokens[position - 2]) if qualified else ""
        if not named and not qualified:
            named = [source for source in scope if source.alias.lower() == word.lower()]
        listed = items(tokens, query) if query else []
        if not named:
            for item in listed:
                if item.span.start <= at <= item.span.end and len(item.columns) == 1:
                    return _column(item.columns[0]), token.span
        if named and named[0].table:
            return _fenced(ddl(named[0].table), "sql"), token.span
        for table, column in columns_named(scope, word, alias):
            null = " NOT NULL" if column.not_null else " NULL"
            name = f"{table.name}.{column.name}: {type_name(column.type)}{null}"
            said = [_fenced([name]), *([column.comment] if column.comment else [])]
            return "\n\n".join(said), token.span
        if other := table_named(entry.catalog, word):
            return _fenced(ddl(other), "sql"), token.span
    for item in items(tokens, query) if query else []:
        if item.span.start <= at <= item.span.end:
            return "\n\n".join(_column(column) for column in item.columns), item.span
    return None


def ddl(table: Table) -> list[str]:
    """Return a table as the lines of a CREATE statement with the table's comments."""
    lines = [f"-- {line}" for line in table.comment.splitlines()]
    kind = "TABLE" if table.kind in {"table", "partitioned"} else table.kind.upper()
    lines.append(f"CREATE {kind} {table.name} (")
    parts: list[tuple[str, str]] = []
    for column in table.columns:
        null = " NOT NULL" if column.not_null else ""
        default = " DEFAULT …" if column.has_default else ""
        comment = " ".join(column.comment.split())
        parts.append((f"{column.name} {type_name(column.type)}{null}{default}", comment))
    words = {"primary": "PRIMARY KEY", "unique": "UNIQUE", "foreign": "FOREIGN KEY"}
    for item in table.constraints:
        if item.kind in words:
            parts.append((f"{words[item.kind]} ({', '.join(item.columns)})", ""))
        elif item.kind != "not_null":
            parts.append((f"CONSTRAINT {item.name} {item.kind.upper()}", ""))
    for number, (text, comment) in enumerate(parts):
        comma = "," if number < len(parts) - 1 else ""
        lines.append(f"    {text}{comma}" + (f" -- {comment}" if comment else ""))
    return [*lines, ");"]
