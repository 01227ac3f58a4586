"""Escape search text for LIKE patterns."""

from __future__ import annotations

_ESCAPES = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def contains(text: str | None) -> str | None:
    """Return the LIKE pattern for values that contain `text`, or None for None and blank text."""
    if text is None or not (trimmed := text.strip()):
        return None
    return f"%{trimmed.translate(_ESCAPES)}%"
