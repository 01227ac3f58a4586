"""Advises on syntax that PostgreSQL, Oracle or SQL Server would have taken."""

from __future__ import annotations

from aiosqlc.analysis.advice import Place

_UPSERT = "`INSERT … ON DUPLICATE KEY UPDATE a = VALUES(a)`"


def mysql_advice(place: Place) -> str:
    """Return how MySQL says what is written as others do; empty if it is nobody's."""
    return next((advice for rule in _RULES if (advice := rule(place))), "")


def _operators(place: Place) -> str:
    """PostgreSQL's operators."""
    word = place.word()
    if place.word(-1) == "@" and place.is_name():
        return f"write the parameter as `sqlc.arg({place.said().lower()})` or `?`"
    if word in {"::", ":"} and (word == "::" or place.word(1) == ":"):
        return "write `CAST(a AS …)`; `::` is PostgreSQL's"
    if word == "ILIKE":
        return "write `LIKE`: it does not look at case in most collations"
    if word == "SIMILAR" or word == "~":
        return "MySQL matches a regular expression with `REGEXP`"
    return ""


def _statements(place: Place) -> str:
    """Clauses of INSERT that MySQL has not."""
    word, before, words = place.word(), place.word(-1), place.words
    if "CONFLICT" in {word, before} or (word == "ON" and place.word(1) == "CONFLICT"):
        nothing = "NOTHING" in words
        return "write `INSERT IGNORE INTO …`" if nothing else f"write {_UPSERT}"
    if word == "RETURNING" or before == "RETURNING":
        return "MySQL returns no rows of a change: read them afterwards, or use `:execlastid`"
    return ""


def _clauses(place: Place) -> str:
    """Clauses that MySQL has not."""
    word, before, words = place.word(), place.word(-1), place.words
    if word == "FILTER" or before == "FILTER" or (word == "(" and "FILTER" in words):
        return "write the condition inside: `sum(CASE WHEN … THEN a END)`"
    if word == "NULLS" or before == "NULLS":
        return "write `ORDER BY a IS NULL, a`; MySQL has no NULLS FIRST or LAST"
    if "FULL" in {word, before} or (word == "JOIN" and "FULL" in words):
        return "MySQL has no FULL JOIN: write a LEFT JOIN, UNION ALL, and the rest by RIGHT JOIN"
    if before == "DISTINCT" and word == "ON":
        return "MySQL has no DISTINCT ON: write `row_number() OVER (PARTITION BY … ORDER BY …) = 1`"
    return ""


def _lists(place: Place) -> str:
    """Intervals, arrays and lists."""
    word, before = place.word(), place.word(-1)
    if before == "INTERVAL" or place.word(-2) == "INTERVAL":
        return "write `INTERVAL 1 DAY`: a number, then the unit"
    if "ARRAY" in {word, before}:
        return "MySQL has no arrays: use JSON, or `IN (sqlc.slice(name))`"
    if before in {"ANY", "ALL", "SOME"} or place.word(-2) in {"ANY", "SOME"}:
        return "write `IN (sqlc.slice(name))`"
    if before == "IN" and word in {"?", "@", "SQLC"}:
        return "write `IN (sqlc.slice(name))`"
    return ""


def _changes(place: Place) -> str:
    """UPDATE and DELETE as PostgreSQL writes them."""
    word, before, words = place.word(), place.word(-1), place.words
    if place.verb == "UPDATE" and word == "FROM":
        return "write `UPDATE t JOIN other ON … SET …`"
    if place.verb == "DELETE" and "FROM" not in words:
        return "write `DELETE FROM` before the table"
    if place.verb == "DELETE" and word == "USING":
        return "write `DELETE t FROM t JOIN other ON …`"
    if place.verb == "MERGE":
        return f"MySQL has no MERGE: write {_UPSERT}"
    if word == "MATERIALIZED" or before == "MATERIALIZED":
        return "remove `MATERIALIZED`"
    if word.startswith("$") or word == "$":
        return "write the parameter as `sqlc.arg(name)` or `?`"
    return ""


_RULES = (_operators, _statements, _clauses, _lists, _changes)
