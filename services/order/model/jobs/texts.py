"""Text as people send it: never blank, with single spaces where it is one line."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

_NOT_BLANK: Final = r"\S"
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
    return " ".join(text.split())
