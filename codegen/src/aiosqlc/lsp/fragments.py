"""Find the fragment that a `sqlc.include` at the cursor names."""

from __future__ import annotations

from aiosqlc.lsp.known import Entry
from aiosqlc.lsp.text import Block, token_at
from aiosqlc.parse.fragments import Fragment
from aiosqlc.source import Span


def fragment_at(entry: Entry, block: Block, at: int) -> tuple[Fragment, Span] | None:
    """Return the fragment named at an offset, and the span of this name in the query."""
    position = token_at(block.tokens, at)
    if position is None or position < 4:
        return None
    head = [token.text.lower() for token in block.tokens[position - 4 : position]]
    name = block.tokens[position]
    fragment = entry.fragments.get(name.text)
    return (fragment, name.span) if fragment and head == ["sqlc", ".", "include", "("] else None


def fragment_text(fragment: Fragment) -> str:
    """Return a fragment as the user wrote it, in Markdown."""
    span = fragment.span
    return f"```sql\n{fragment.file.text[span.start : span.end]}\n```"
