"""Build rewritten SQL, and map offsets in the new SQL to offsets in the user's file."""

from __future__ import annotations

from aiosqlc.source import SourceMap


class Rewriter:
    """Builds a text from copied parts of a file and from replacements, in order."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._at = start
        self._parts: list[str] = []
        self._pieces: list[tuple[int, int, bool]] = []
        self._length = 0

    @property
    def length(self) -> int:
        """Return the current length of the rewritten text."""
        return self._length

    def copy_to(self, end: int) -> None:
        """Copy the user's text up to `end`."""
        if end > self._at:
            self._add(self._text[self._at : end], self._at, copied=True)
            self._at = end

    def replace(self, end: int, text: str) -> None:
        """Write `text` instead of the user's text up to `end`."""
        if text:
            self._add(text, self._at, copied=False)
        self._at = max(self._at, end)

    def _add(self, text: str, source: int, *, copied: bool) -> None:
        self._pieces.append((self._length, source, copied))
        self._parts.append(text)
        self._length += len(text)

    def result(self) -> tuple[str, SourceMap]:
        """Return the rewritten text and its map to the source."""
        pieces = tuple(self._pieces) or ((0, self._at, True),)
        return "".join(self._parts), SourceMap(pieces)
