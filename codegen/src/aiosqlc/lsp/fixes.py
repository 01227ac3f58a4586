"""Derive quick fixes from the hints of diagnostics."""

from __future__ import annotations

import re

_MEANT = re.compile(r"did you mean `(?P<word>[^`]+)`\?")


def meant(hint: str, written: str) -> str | None:
    """Return the text by which `written` should be replaced according to a hint, or None.

    A hint may name a column with its table, although the text contains only the column.
    """
    found = _MEANT.search(hint)
    if found is None or "\n" in written or not written:
        return None
    word = found["word"]
    if "." in word and "." not in written:
        word = word.rpartition(".")[2]
    elif "." not in word and "." in written:
        word = f"{written.rpartition('.')[0]}.{word}"
    if word.startswith(":") and not written.startswith(":"):
        word = f":{written}" if word == f":{written}" else word
    return word if word != written else None
