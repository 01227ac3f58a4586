"""A position in a text and the editor's position map to each other in both directions."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.lsp.places import offset, position
from aiosqlc.source import SourceFile
from lsprotocol import types
from pygls.workspace import PositionCodec

TEXT = "SELECT 'é😀', \t'日本'\n\nFROM ascii\n-- 😀"


@pytest.mark.parametrize(
    ("kind", "encoding", "size"), [("utf-8", "utf-8", 1), ("utf-16", "utf-16-le", 2)]
)
def test_every_offset_is_found_again_by_its_position(kind: str, encoding: str, size: int) -> None:
    codec, file = PositionCodec(kind), SourceFile(Path("q.sql"), TEXT)
    for at in range(len(TEXT) + 1):
        before = TEXT[:at].split("\n")
        units = len(before[-1].encode(encoding)) // size
        found = position(codec, file, at)
        assert found == types.Position(len(before) - 1, units)
        assert offset(codec, file, found) == at


def test_a_position_beyond_a_line_is_its_end_and_one_inside_a_character_the_next() -> None:
    codec, file = PositionCodec("utf-16"), SourceFile(Path("q.sql"), TEXT)
    assert offset(codec, file, types.Position(1, 99)) == TEXT.index("\n\n") + 1
    assert offset(codec, file, types.Position(99, 0)) == len(TEXT)
    inside = len("SELECT 'é") + 1  # between the two halves of a surrogate pair
    assert TEXT[offset(codec, file, types.Position(0, inside))] == "'"
