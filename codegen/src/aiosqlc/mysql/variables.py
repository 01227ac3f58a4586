"""Detect `@name`: a parameter in other databases, but a session variable in MySQL."""

from __future__ import annotations

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import ParsedQuery
from aiosqlc.parse.scanner import Kind, code_tokens
from aiosqlc.source import Dialect, Span


def mistaken(query: ParsedQuery) -> list[Diagnostic]:
    """Warn about a variable that a query reads but never sets: it may be meant as a parameter."""
    tokens = code_tokens(query.sql, Dialect.MYSQL)
    texts = [token.text.lower() for token in tokens]
    around = zip(["", *texts], [*texts[1:], ""], strict=False)
    named = [
        (token, before == "into" or after == ":=")
        for token, (before, after) in zip(tokens, around, strict=False)
        if token.kind is Kind.NAME
        and token.text.startswith("@")
        and token.text[1:2] not in {"", "@"}
    ]
    set_here = {token.text.lower() for token, is_set in named if is_set}
    read = next((token for token, _ in named if token.text.lower() not in set_here), None)
    if read is None:
        return []
    start = query.source_map.to_source(read.start)
    return [
        Diagnostic(
            "E122",
            f"`{read.text}` is a session variable in MySQL, not a parameter",
            (
                Label(
                    query.file,
                    Span(start, start + len(read.text)),
                    "a session variable is NULL unless it was set",
                ),
            ),
            hint=f"write `sqlc.arg({read.text[1:]})`",
            severity=Severity.WARNING,
        )
    ]
