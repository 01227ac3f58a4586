"""The definition of blank text, and of the end of a text."""

from __future__ import annotations

import re

import pytest

from lib.texts import END, NOT_BLANK, UNSEEN, one_line, trimmed


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\x1f", "\x85", "\u200b", "\u3000", "\ufeff"])
def test_what_no_screen_shows_is_blank_and_is_taken_off_what_is_seen(blank) -> None:
    assert re.search(NOT_BLANK, blank) is None
    assert trimmed(f"{blank}a\n b{blank}") == "a\n b"
    assert one_line(f"{blank}a{blank} b{blank}") == "a b"


def test_every_space_that_some_regular_expression_knows_is_spelled_out() -> None:
    # Python's `\s` and ECMAScript's: the one has U+001C to U+001F and U+0085, the other U+FEFF.
    spaces = [*re.findall(r"\s", "".join(map(chr, range(0x10000)))), "\ufeff"]
    assert [space for space in spaces if not re.search(f"[{UNSEEN}]", space)] == []


def test_a_line_break_is_not_the_end_of_a_text() -> None:
    assert re.search(rf"^a{END}", "a")
    assert not re.search(rf"^a{END}", "a\n")
