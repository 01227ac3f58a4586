"""Types of the texts in marketplace requests. Only comments may be blank."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from lib.texts import BLANK, NOT_BLANK

Currency = Annotated[
    str,
    Meta(examples=["Swiss franc"], min_length=1, max_length=100, pattern=NOT_BLANK, extra=BLANK),
]
Symbol = Annotated[
    str, Meta(examples=["Fr."], min_length=1, max_length=10, pattern=NOT_BLANK, extra=BLANK)
]
PlaceName = Annotated[
    str, Meta(examples=["Potsdam"], min_length=1, max_length=120, pattern=NOT_BLANK, extra=BLANK)
]
Address = Annotated[
    str,
    Meta(examples=["Torstraße 1"], min_length=1, max_length=255, pattern=NOT_BLANK, extra=BLANK),
]
Description = Annotated[
    str,
    Meta(
        examples=["The kitchen tap drips."],
        min_length=1,
        max_length=2000,
        pattern=NOT_BLANK,
        extra=BLANK,
    ),
]
Comment = Annotated[str, Meta(examples=["Quick and clean."], max_length=2000)]
