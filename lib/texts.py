r"""Normalize text from users: refuse blank text and remove surrounding space.

Regular expression engines differ about white space and the end of a text (in Python, `\s` matches
U+001F and `$` matches before a line break). Clients use the patterns in the API documents, so the
patterns list their characters: they mean the same in every engine.
"""

from __future__ import annotations

import re
from typing import Final

# White space and what no screen shows, as the inside of a character class.
UNSEEN: Final = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
# For `Meta(pattern=NOT_BLANK, extra=BLANK)`.
NOT_BLANK: Final = f"[^{UNSEEN}]"
BLANK: Final = {"message": "must not be blank"}
# The end of a text, where a line break is not one.
END: Final = r"$(?!\n)"

_UNSEEN_CHARACTERS: Final = "".join(re.findall(f"[{UNSEEN}]", "".join(map(chr, range(0x10000)))))


def one_line(text: str) -> str:
    """Collapse the spaces of a line: `" New York "` → `"New York"`."""
    return re.sub(f"[{UNSEEN}]+", " ", text).strip(" ")


def trimmed(text: str) -> str:
    """Return text of one or more lines without surrounding invisible characters."""
    return text.strip(_UNSEEN_CHARACTERS)
