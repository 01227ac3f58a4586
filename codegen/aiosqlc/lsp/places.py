"""Positions: offsets of our texts, and lines and units as the editor counts them."""

from __future__ import annotations

import os
from pathlib import Path

from lsprotocol import types
from pygls import uris
from pygls.workspace import PositionCodec

from aiosqlc.source import SourceFile, Span


def position(codec: PositionCodec, file: SourceFile, offset: int) -> types.Position:
    """Return where an offset is."""
    line, column = file.line_col(min(offset, len(file.text)))
    before = file.line_text(line)[: column - 1]
    return types.Position(line - 1, codec.client_num_units(before))


def span_range(codec: PositionCodec, file: SourceFile, span: Span) -> types.Range:
    """Return where a span is."""
    return types.Range(position(codec, file, span.start), position(codec, file, span.end))


def offset(codec: PositionCodec, file: SourceFile, at: types.Position) -> int:
    """Return the offset of a position; one beyond a line or the text is its end."""
    lines = file.text.count("\n") + 1
    if at.line >= lines:
        return len(file.text)
    text = file.line_text(at.line + 1)
    start = file.line_start(at.line + 1)
    for column in range(len(text)):
        if codec.client_num_units(text[:column]) >= at.character:
            return start + column
    return start + len(text)


def path_of(uri: str) -> Path | None:
    """Return the absolute path of a file's URI; None for what is no file."""
    found = uris.to_fs_path(uri)
    return Path(os.path.abspath(found)) if found else None  # noqa: PTH100  # `..` goes, links stay


def uri_of(path: Path) -> str:
    """Return the URI of a file."""
    return uris.from_fs_path(os.path.abspath(path)) or ""  # noqa: PTH100  # `..` goes, links stay
