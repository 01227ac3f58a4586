"""Derive the blocking version of a driver from the source with `await`."""

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
    """Return the source without `async` and `await`, for the driver's blocking classes."""
    for pattern, with_ in _WORDS:
        text = re.sub(pattern, with_, text)
    return text
