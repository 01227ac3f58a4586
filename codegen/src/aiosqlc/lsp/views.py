"""The SQL of a document as an editor shows it: a whole file, or the literals of a Python file."""

from __future__ import annotations

from lsprotocol import types
from msgspec import Struct
from pygls.workspace import PositionCodec

from aiosqlc.lsp.places import offset, span_range
from aiosqlc.lsp.python_text import PythonText
from aiosqlc.source import SourceFile, Span


class View(Struct, frozen=True):
    """The SQL of a document. `python` is the Python file around the SQL, or None for an SQL file.

    `file` is the SQL, and all offsets are offsets in it.
    """

    codec: PositionCodec
    file: SourceFile
    python: PythonText | None = None

    def at(self, position: types.Position) -> int | None:
        """Return the offset of a position, or None for a position outside SQL."""
        if self.python is None:
            return offset(self.codec, self.file, position)
        return self.python.queries.offset(offset(self.codec, self.python.file, position))

    def range(self, span: Span) -> types.Range | None:
        """Return the document's range for a span, or None if the document does not contain it."""
        if self.python is None:
            return span_range(self.codec, self.file, span)
        found = self.python.queries.code(span)
        return span_range(self.codec, self.python.file, found[1]) if found else None

    def within(self, shown: types.Range) -> Span:
        """Return a span of the SQL that contains all SQL in a range of the document."""
        if self.python is not None:
            return Span(0, len(self.file.text))
        return Span(
            offset(self.codec, self.file, shown.start), offset(self.codec, self.file, shown.end)
        )
