"""Hints for syntax of programming languages, templates and other databases."""

from __future__ import annotations

from aiosqlc.analysis.advice.place import Place

_ASSIGNMENTS = ("+=", "-=", "*=", "/=", "||=")
_CASE = "write `CASE WHEN a THEN b WHEN c THEN d ELSE e END`"


def habit_advice(place: Place) -> str:
    """Suggest SQL in place of another language's syntax, such as `a += 1`; or return ''."""
    return next((advice for rule in _RULES if (advice := rule(place))), "")


def _assignments(place: Place) -> str:
    """Detect `stock += 1` and `stock++`."""
    token = place.token()
    if token is None or place.verb not in {"UPDATE", "INSERT"} or not place.is_name(-1):
        return ""
    name, rest = place.said(-1), place.text[token.start :]
    if rest.startswith(_ASSIGNMENTS):
        sign, _, value = rest.partition("=")
        return f"write `{name} = {name} {sign} {value.split()[0].rstrip(';') if value else '1'}`"
    if rest.startswith("++"):
        return f"write `{name} = {name} + 1`"
    return ""


def _branches(place: Place) -> str:
    """Detect `IF a THEN b ELSE c` and ELSEIF."""
    word, before = place.word(), place.word(-1)
    if word in {"ELSEIF", "ELSIF", "ELIF"} or [place.word(-2), before] == ["ELSE", "IF"]:
        return f"{_CASE}: write `WHEN` for each further case"
    recent = place.words[max(place.at - 3, 0) : place.at + 1]
    if "IF" in recent and "THEN" in place.words[place.at :] and place.verb != "CREATE":
        return _CASE
    return ""


def _searches(place: Place) -> str:
    """Detect `title CONTAINS 'a'` and `title STARTS WITH 'a'`."""
    word = place.word()
    patterns = {"CONTAINS": "%a%", "STARTS": "a%", "STARTSWITH": "a%", "ENDS": "%a"}
    if word in patterns and place.is_name(-1):
        return f"write `LIKE '{patterns[word]}'`"
    return ""


def _statements(place: Place) -> str:
    """Detect statements and clauses that neither PostgreSQL nor MySQL has."""
    word, before, words = place.word(), place.word(-1), place.words
    if place.verb == "DELETE" and before == "DELETE" and word == "*":
        table = place.said(2) if place.word(1) == "FROM" else "t"
        return f"a DELETE removes whole rows: write `DELETE FROM {table}`"  # noqa: S608 - advice, not a query
    if words[:2] == ["UPDATE", "TABLE"]:
        table = place.tokens[2].text if len(place.tokens) > 2 else "t"
        return f"write `UPDATE {table} SET …`"  # noqa: S608 - advice, not a query
    if "QUALIFY" in {word, before}:
        return "compute it in a sub-select in FROM, and filter its rows: `WHERE n = 1`"
    if "NOLOCK" in words[place.at : place.at + 3]:
        return (
            "remove `WITH (NOLOCK)`, which is SQL Server syntax: in PostgreSQL readers never "
            "wait for writers"
        )
    if "UNPIVOT" in words[max(place.at - 6, 0) : place.at + 1]:
        return "there is no UNPIVOT: write `UNION ALL` with a SELECT for each column"
    if {"PIVOT"} & set(words[max(place.at - 3, 0) : place.at + 1]):
        return (
            "PostgreSQL does not have PIVOT: write one column per case, such as `sum(CASE WHEN a "
            "= 1 THEN b END)`"
        )
    excluded = {"EXCEPT", "EXCLUDE"} & set(words[max(place.at - 2, 0) : place.at + 1])
    if excluded and "*" in words[max(place.at - 3, 0) : place.at]:
        return "list the columns: `*` always returns all columns"
    if before == "FETCH" and place.is_number():
        return f"write `LIMIT {place.said()}`"
    if place.said().startswith("\\"):
        return "remove the line: a line that begins with a backslash is a command of psql, not SQL"
    return ""


_RULES = (_assignments, _branches, _searches, _statements)
