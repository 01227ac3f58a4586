"""Derive the source for blocking drivers from the source for asyncio drivers."""

from __future__ import annotations

import re

_WORDS = (
    (r"\basync (with|for|def)\b", r"\1"),
    (r"\bawait asyncio\.sleep\b", "time.sleep"),
    (r"\bawait ", ""),
    (r"\bimport asyncio\nimport random\n", "import random\nimport time\n"),
    (r"\bAwaitable\[((?:[^\[\]]|\[[^\[\]]*\])*)\]", r"\1"),
    (r"\bimport Awaitable, ", "import "),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\bAbstractAsync(?=[A-Z])", "Abstract"),
)


def blocking(text: str) -> str:
    """Return a source without `async` and `await`, for the blocking classes of a driver."""
    for pattern, with_ in _WORDS:
        text = re.sub(pattern, with_, text)
    return text
