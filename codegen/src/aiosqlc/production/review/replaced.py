"""Recognise a review's report files, so that a report does not overwrite any other file."""

from __future__ import annotations

import json
import re
from typing import Any

from aiosqlc.production.review.verdict import NOTHING

_FIRST_LINES = {
    "text": re.compile(rf"compared with |{re.escape(NOTHING)} since "),
    "markdown": re.compile(rf"### \S+ SQL review: |{re.escape(NOTHING)} since "),
    "github": re.compile(r"::(?:error|warning)[ :]"),
}


def is_report(text: str, how: str) -> bool:
    """Return whether a file may be overwritten: it is empty, or a report in this format."""
    if not text.strip():
        return True
    if how in _FIRST_LINES:
        return _FIRST_LINES[how].match(text) is not None
    try:
        found: Any = json.loads(text)
        if how == "sarif":
            return bool(found["runs"][0]["tool"]["driver"]["name"] == "aiosqlc")
        return {"base", "verdict", "findings", "entries"} <= set(found.keys())
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
