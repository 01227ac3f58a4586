"""Did you mean …: the nearest known word to a mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, or None where none is close enough to be meant."""
    lowered = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.65)
    return lowered[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """Return a hint naming the nearest known word, or `otherwise`."""
    found = nearest(word, known)
    return f"did you mean `{found}`?" if found else otherwise
