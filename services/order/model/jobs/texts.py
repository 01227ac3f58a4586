"""Text as people send it: never blank, with single spaces where it is one line."""

from __future__ import annotations

import re
from typing import Annotated, Final

from msgspec import Meta

# White space and what no screen shows. Spelled out, because regular expressions differ in what they
# take for a space, and callers read this one.
_UNSEEN: Final = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_UNSEEN_CHARACTERS: Final = "".join(re.findall(f"[{_UNSEEN}]", "".join(map(chr, range(0x10000)))))
_NOT_BLANK: Final = f"[^{_UNSEEN}]"
_PROBLEM: Final = {"message": "must not be blank"}

Currency = Annotated[str, Meta(min_length=1, max_length=100, pattern=_NOT_BLANK, extra=_PROBLEM)]
Symbol = Annotated[str, Meta(min_length=1, max_length=10, pattern=_NOT_BLANK, extra=_PROBLEM)]
PlaceName = Annotated[str, Meta(min_length=1, max_length=120, pattern=_NOT_BLANK, extra=_PROBLEM)]
Address = Annotated[str, Meta(min_length=1, max_length=255, pattern=_NOT_BLANK, extra=_PROBLEM)]
Description = Annotated[
    str, Meta(min_length=1, max_length=2000, pattern=_NOT_BLANK, extra=_PROBLEM)
]
Comment = Annotated[str, Meta(max_length=2000)]


def one_line(text: str) -> str:
    """`"  New   York "` → `"New York"`."""
    return re.sub(f"[{_UNSEEN}]+", " ", text).strip(" ")


def trimmed(text: str) -> str:
    """Return text of several lines without what is unseen around it."""
    return text.strip(_UNSEEN_CHARACTERS)
