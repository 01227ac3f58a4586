"""Suggest the known word that is closest to a misspelled word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word closest to `word`, or None if no known word is similar."""
    lowered = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.65)
    return lowered[found[0]] if found else None


def nearest_function(word: str, known: Iterable[str]) -> str | None:
    """Return the function whose name is at most two edits from a word or contains the word.

    Many functions have similar names, such as `array_fill` and `array_min`, so `nearest` would
    suggest unrelated functions.
    """
    word = word.lower()
    named = {name.rpartition(".")[2].lower(): name for name in reversed(list(known))}
    inside = [name for name in named if len(name) > _MOST_EDITS + 1 and name in word]
    around = [name for name in named if name.removeprefix("pg_") == word]
    allowed = min(_MOST_EDITS, max(len(word) // 3, 1))
    close = difflib.get_close_matches(word, named, n=3, cutoff=0.65)
    edited = [name for name in close if _edits(word, name) <= allowed]
    found = [*around, *edited, *sorted(inside, key=len, reverse=True)]
    return named[found[0]] if found else None


_MOST_EDITS = 2


def _edits(one: str, other: str) -> int:
    """Return the number of inserted, deleted, changed and swapped letters between two words."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        above, before, row = before, row, [i]
        for j, letter in enumerate(other, 1):
            least = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (char != letter))
            swapped = i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == letter
            row.append(min(least, above[j - 2] + 1) if swapped else least)
    return row[-1]


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """Return a hint with the nearest known word, or else `otherwise`."""
    found = nearest(word, known)
    return f"did you mean `{found}`?" if found else otherwise
