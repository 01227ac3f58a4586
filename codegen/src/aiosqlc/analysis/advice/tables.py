"""Hints for refused CREATE and ALTER statements."""

from __future__ import annotations

from aiosqlc.analysis.advice.place import Place
from aiosqlc.messages.suggest import nearest
from aiosqlc.parse.reserved import is_reserved
from aiosqlc.parse.scanner import Kind

_WORDS = (
    *("table", "index", "view", "unique", "primary", "foreign", "references", "constraint"),
    *("default", "check", "column", "exists", "null", "cascade", "type", "trigger", "function"),
)
_SHORTEST = 4  # shorter words such as `NUL` are recognized by the words before them
_ENDS_A_COLUMN = frozenset({"KEY", "NULL", "UNIQUE"})
_LONGEST = 6  # longest condition, in words, that a message repeats


def table_advice(place: Place) -> str:
    """Return a correction for a refused CREATE or ALTER, or an empty string if none is known."""
    if place.verb not in {"CREATE", "ALTER"}:
        return ""
    return next((advice for rule in _RULES if (advice := rule(place))), "")


def _brackets(place: Place) -> str:
    """Detect missing parentheses: `PRIMARY KEY id`, `CHECK a > 0`, `CREATE INDEX i ON t a`."""
    before = place.word(-1)
    key = [place.word(-2), before] == ["PRIMARY", "KEY"] and place.word(-3) in {",", "ADD", "("}
    if key and place.is_name() and place.word(1) in {")", ",", ""}:
        return f"put the columns in parentheses: `PRIMARY KEY ({place.said()})`"
    if before == "CHECK" and place.word() != "(":
        words = place.tokens[place.at : place.at + _LONGEST]
        ends = [n for n, token in enumerate(words) if token.text in {",", ")", ";"}]
        if words and ends and ends[0]:
            condition = place.text[words[0].start : words[ends[0] - 1].end]
            return f"put the condition in parentheses: `CHECK ({condition})`"
    if "INDEX" in place.words[1:3] and place.word(-2) == "ON" and place.is_name():
        return f"put the columns in parentheses: `ON {place.said(-1)} ({place.said()})`"
    return ""


def _words(place: Place) -> str:
    """Detect misspelled or missing words, and two words without a space between them."""
    word, before = place.word(), place.word(-1)
    if word == "NOTNULL":
        return "write `NOT NULL`"
    column = word not in {"NULL", "VALID", "DEFERRABLE"} and place.word(-2) != "IF"
    if before == "NOT" and place.is_name() and column:
        return f"did you mean `NULL` instead of `{place.said()}`?"
    if word == "TABLE" and [place.word(-2), before] == ["OR", "REPLACE"]:
        return "write `CREATE TABLE IF NOT EXISTS …`, or `DROP TABLE …;` before `CREATE TABLE …`"
    token = place.token()
    if token is None or token.kind is not Kind.NAME or is_reserved(word, place.dialect):
        return ""
    if len(word) >= _SHORTEST and word.lower() not in _WORDS:
        known = [name for name in _WORDS if sorted(name[:1]) == sorted(word[:1].lower())]
        if found := nearest(word, known):
            return f"did you mean `{found.upper()}` instead of `{token.text}`?"
    return ""


def _commas(place: Place) -> str:
    """Detect `id int PRIMARY KEY name text`: two columns without a comma."""
    if not place.call[0] or place.words[1:2] != ["TABLE"]:
        return ""
    column = place.is_name() and place.is_name(1) and not is_reserved(place.said(), place.dialect)
    if place.word(-1) in _ENDS_A_COLUMN and column:
        return f"a comma is missing before `{place.said()}`"
    return ""


_RULES = (_brackets, _words, _commas)
