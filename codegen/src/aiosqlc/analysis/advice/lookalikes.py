"""Hints for characters that look like others: full-width signs, dashes, spaces, other alphabets."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from aiosqlc.analysis.advice.place import Place
from aiosqlc.parse.scanner import Kind

TYPOGRAPHIC: Final = "‘’‚‛“”„‟"
QUOTES: Final = "replace the typographic quotes: write a text as `'…'` and a name as `\"…\"`"
_SIGNS: Final = {"≥": ">=", "≤": "<=", "≠": "<>", "×": "*", "÷": "/", "−": "-", "∗": "*"}
_OTHER_ALPHABETS = ("CYRILLIC", "GREEK")
_BEFORE = 2  # tokens before the reported one, which may contain the character


def lookalike_advice(place: Place) -> str:
    """Return a hint if a character near a position is a lookalike of another one, or ''."""
    return next((said for char, word in _near(place) if (said := _said(char, word))), "")


def _near(place: Place) -> Iterator[tuple[str, str]]:
    """Yield each non-ASCII character outside strings near a token, and the token that contains it.

    For a character between two tokens, the second item is an empty string.
    """
    tokens = place.tokens[max(place.at - _BEFORE, 0) : place.at + 2]
    ahead = tokens[0].start if tokens else 0
    for token in tokens:
        gap = place.text[ahead : token.start]
        if "--" not in gap and "/*" not in gap:
            yield from ((char, "") for char in gap if not char.isascii())
        if token.kind not in {Kind.STRING, Kind.QUOTED} or token.text[:1] in TYPOGRAPHIC:
            yield from ((char, token.text) for char in token.text if not char.isascii())
        ahead = token.end


def _said(char: str, word: str) -> str:
    code = f"U+{ord(char):04X}"
    if char in TYPOGRAPHIC:
        return QUOTES
    if sign := _SIGNS.get(char):
        return f"`{char}` ({code}) is not an operator: write `{sign}`"
    category = unicodedata.category(char)
    if category == "Zs":
        return (
            f"a blank here is {code}, which PostgreSQL reads as part of a name: write an ordinary "
            "space"
        )
    if category == "Cf":
        return f"an invisible character, {code}, is part of the name: remove the character"
    if category == "Pd":
        return f"this dash is {code}: write `-`, or `--` before a comment"
    plain = unicodedata.normalize("NFKC", char)
    if plain != char and plain.isascii():
        return f"`{char}` is {code}, a full-width character: write `{plain}`"
    mixed = any(letter.isascii() and letter.isalpha() for letter in word)
    if mixed and unicodedata.name(char, "").startswith(_OTHER_ALPHABETS):
        return (
            f"`{char}` is {code}, a letter of another alphabet: type the name again on your "
            "keyboard"
        )
    return ""
