"""Convert between character offsets and the line and column units of the editor's protocol."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from lsprotocol import types
from pygls import uris
from pygls.workspace import PositionCodec

from aiosqlc.source import SourceFile, Span


def position(codec: PositionCodec, file: SourceFile, offset: int) -> types.Position:
    """Return the editor's position for an offset."""
    line, column = file.line_col(min(offset, len(file.text)))
    return types.Position(line - 1, _units(codec, file, line)[column - 1])


@lru_cache(maxsize=256)
def _units(codec: PositionCodec, file: SourceFile, line: int) -> Sequence[int]:
    """Return the number of protocol units before each character of a line, and in the whole line.

    The counts are cached, because an editor asks for many positions in a long line.
    """
    text = file.line_text(line)
    if text.isascii():
        return range(len(text) + 1)
    return list(accumulate(map(codec.client_num_units, text), initial=0))


def span_range(codec: PositionCodec, file: SourceFile, span: Span) -> types.Range:
    """Return the editor's range for a span."""
    return types.Range(position(codec, file, span.start), position(codec, file, span.end))


def offset(codec: PositionCodec, file: SourceFile, at: types.Position) -> int:
    """Return the offset of a position, or the line's end if the position is after it."""
    if at.line >= file.line_col(len(file.text))[0]:
        return len(file.text)
    units = _units(codec, file, at.line + 1)
    return file.line_start(at.line + 1) + min(bisect_left(units, at.character), len(units) - 1)


def path_of(uri: str) -> Path | None:
    """Return the absolute path of a file URI, or None for other URIs."""
    found = uris.to_fs_path(uri)
    return Path(os.path.abspath(found)) if found else None  # noqa: PTH100  # `..` goes, links stay


def uri_of(path: Path) -> str:
    """Return the URI of a file."""
    return uris.from_fs_path(os.path.abspath(path)) or ""  # noqa: PTH100  # `..` goes, links stay
