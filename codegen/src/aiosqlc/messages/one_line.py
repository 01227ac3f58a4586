"""Show text from other sources, such as names, without breaking a line of the output."""

from __future__ import annotations

import re

# Characters at which Python or a terminal ends a line or moves the cursor.
_BREAKING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """Return the text with escapes in place of line feeds and other control characters."""
    return _BREAKING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
