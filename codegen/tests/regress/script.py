"""Split a psql script into the parts for the server: statements, and the data of a COPY."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aiosqlc.parse.scanner import split_statements

_FROM_STDIN = re.compile(r"\bfrom\s+stdin\b[^;]*;\s*$", re.IGNORECASE)
_SENT = re.compile(r"\\(?:g|gx|gset|gexec|gdesc|crosstabview|parse)\b.*$")
_RECONNECT = re.compile(r"\\c(?:onnect)?\b")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `data` follows a COPY FROM STDIN, and an empty text is a reconnection."""

    sql: str
    line: int
    data: bytes = b""


def statements(text: str) -> Iterator[Statement]:
    r"""Yield a script's statements in order. Of psql's own commands, only `\c` is used."""
    kept: list[str] = []
    data: list[bytes] = []
    inside: list[str] | None = None
    for line in text.split("\n"):
        if inside is not None:
            if line.rstrip() == "\\.":
                data.append("".join(inside).encode())
                inside = None
            else:
                inside.append(line + "\n")
            kept.append("")
        elif line.startswith("\\"):
            kept.append("select 'reconnect';" if _RECONNECT.match(line) else "")
        else:
            kept.append(_SENT.sub(";", line).replace("\\;", ";"))
            if _FROM_STDIN.search(line):
                inside = []
    whole = "\n".join(kept)
    copies = iter(data)
    for span in split_statements(whole):
        sql = whole[span.start : span.end]
        if sql == "select 'reconnect'":
            sql = ""
        is_copy = _FROM_STDIN.search(f"{sql};") is not None
        yield Statement(
            sql, whole.count("\n", 0, span.start) + 1, next(copies, b"") if is_copy else b""
        )
