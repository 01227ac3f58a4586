"""Search text inside LIKE patterns."""

from __future__ import annotations

_ESCAPES = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def contains(text: str | None) -> str | None:
    """Return the pattern that matches values containing `text` literally; None and blank mean no filter."""
    if text is None or not (trimmed := text.strip()):
        return None
    return f"%{trimmed.translate(_ESCAPES)}%"
