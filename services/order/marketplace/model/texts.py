"""Text types of jobs. Only a comment may be blank."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from lib.texts import BLANK, NOT_BLANK

Currency = Annotated[str, Meta(min_length=1, max_length=100, pattern=NOT_BLANK, extra=BLANK)]
Symbol = Annotated[str, Meta(min_length=1, max_length=10, pattern=NOT_BLANK, extra=BLANK)]
PlaceName = Annotated[str, Meta(min_length=1, max_length=120, pattern=NOT_BLANK, extra=BLANK)]
Address = Annotated[str, Meta(min_length=1, max_length=255, pattern=NOT_BLANK, extra=BLANK)]
Description = Annotated[str, Meta(min_length=1, max_length=2000, pattern=NOT_BLANK, extra=BLANK)]
Comment = Annotated[str, Meta(max_length=2000)]
