"""Hints for syntax that only PostgreSQL, Oracle or SQL Server accepts."""

from __future__ import annotations

from aiosqlc.analysis.advice import Place
from aiosqlc.analysis.advice.words import ELSEWHERE
from aiosqlc.mysql.elsewhere_types import type_advice
from aiosqlc.source import Dialect

IN_DOCUMENTS = "write `json_value(a, '$.key')`, or `json_unquote(json_extract(a, '$.key'))`"
_UPSERT = "`INSERT … ON DUPLICATE KEY UPDATE a = VALUES(a)`"


def mysql_advice(place: Place) -> str:
    """Return the MySQL form of other databases' syntax, or an empty string if unknown."""
    return next((advice for rule in _RULES if (advice := rule(place))), "")


def _operators(place: Place) -> str:
    """Detect PostgreSQL's operators."""
    word, before = place.word(), place.word(-1)
    if word.startswith("@>") or (word == "@" and place.word(1) == ">"):
        return "write `json_contains(a, b)`"
    if word in {"!~", "!"} and (word == "!~" or place.word(1).startswith("~")):
        return "MySQL matches a regular expression with `REGEXP`, or `NOT REGEXP`"
    if "->" in f"{before}{word}" or "->" in f"{word}{place.word(1)}":
        return IN_DOCUMENTS
    if [word, before] == ["=", "="] or word == "==" or before == "==":
        return "write a single `=` to compare values"
    if word == "DISTINCT" and before in {"IS", "NOT"}:
        return "write `<=>` for IS NOT DISTINCT FROM, and `NOT a <=> b` for IS DISTINCT FROM"
    if word == "TIME" and place.word(1) == "ZONE":
        return "write `convert_tz(a, 'UTC', 'Europe/Berlin')`"
    if word == "EPOCH":
        return "write `unix_timestamp(a)`"
    if place.word(-1) == "@" and place.is_name():
        return f"write the parameter as `sqlc.arg({place.said().lower()})` or `?`"
    if word in {"::", ":"} and (word == "::" or place.word(1) == ":"):
        return "write `CAST(a AS …)`; `::` is PostgreSQL's"
    if word == "ILIKE":
        return "write `LIKE`, which ignores case in most collations"
    if word == "SIMILAR" or word == "~":
        return "MySQL matches a regular expression with `REGEXP`"
    return ""


def _statements(place: Place) -> str:
    """Detect clauses of INSERT that MySQL does not have."""
    word, before, words = place.word(), place.word(-1), place.words
    if "CONFLICT" in {word, before} or (word == "ON" and place.word(1) == "CONFLICT"):
        nothing = "NOTHING" in words
        return "write `INSERT IGNORE INTO …`" if nothing else f"write {_UPSERT}"
    if word == "RETURNING" or before == "RETURNING":
        return (
            "MySQL does not support RETURNING here: select the rows afterwards, or use "
            "`:execlastid`"
        )
    return ""


def _clauses(place: Place) -> str:
    """Detect clauses that MySQL does not have."""
    word, before, words = place.word(), place.word(-1), place.words
    if word == "FILTER" or before == "FILTER" or (word == "(" and "FILTER" in words):
        return "write the condition inside the aggregate: `sum(CASE WHEN … THEN a END)`"
    if word == "NULLS" or before == "NULLS":
        return "write `ORDER BY a IS NULL, a`: MySQL does not support NULLS FIRST or NULLS LAST"
    if "FULL" in {word, before} or (word == "JOIN" and "FULL" in words):
        return (
            "MySQL does not support FULL JOIN: write a LEFT JOIN, UNION ALL and a RIGHT JOIN for "
            "the remaining rows"
        )
    if "OFFSET" in {word, before, place.word(-2)} and "LIMIT" not in words[: place.at]:
        at = words.index("OFFSET") + 1
        count = words[words.index("LIMIT") + 1] if "LIMIT" in words[place.at :] else "10"
        return f"write OFFSET after LIMIT: `LIMIT {count} OFFSET {words[at]}`"
    if word == "ALL" and before == "LIMIT":
        return "remove `LIMIT ALL`: a query without LIMIT returns all rows"
    if before == "GENERATE_SERIES" or (word == "(" and before == "UNNEST"):
        return (
            "MySQL has no such table function: write `WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL"
            " SELECT i + 1 FROM n WHERE i < 9)`"
        )
    if before == "DISTINCT" and word == "ON":
        return (
            "MySQL does not support DISTINCT ON: write `row_number() OVER (PARTITION BY … ORDER "
            "BY …) = 1`"
        )
    return ""


def _lists(place: Place) -> str:
    """Detect intervals, arrays and lists in the syntax of other databases."""
    word, before = place.word(), place.word(-1)
    if before == "INTERVAL" or place.word(-2) == "INTERVAL":
        return "write an interval as a number and a unit, such as `INTERVAL 1 DAY`"
    if "ARRAY" in {word, before}:
        return "MySQL does not have arrays: use JSON, or `IN (sqlc.slice(name))`"
    if place.said() == "sqlc" and "ANY" in {place.word(-1), place.word(-2)}:
        return f"write `IN (sqlc.slice({place.said(4)}))`"
    if before == "IN" and place.said() == "sqlc":
        return f"write `IN (sqlc.slice({place.said(4)}))`"
    if before in {"ANY", "ALL", "SOME"} or place.word(-2) in {"ANY", "SOME"}:
        return "write `IN (sqlc.slice(name))`"
    if before == "IN" and word in {"?", "@", "SQLC"}:
        return "write `IN (sqlc.slice(name))`"
    return ""


def _changes(place: Place) -> str:
    """Detect UPDATE and DELETE in PostgreSQL's syntax."""
    word, before, words = place.word(), place.word(-1), place.words
    if place.verb == "UPDATE" and word == "FROM":
        return "write `UPDATE t JOIN other ON … SET …`"
    if place.verb == "CREATE" and (token := place.token()) and token.text[:1] == '"':
        return f"put the name in backticks: `` `{token.text[1:-1]}` ``"
    if place.verb == "UPSERT":
        return f"write {_UPSERT}"
    if place.verb == "DELETE" and word == "*":
        return ""
    if place.verb == "DELETE" and "FROM" not in words:
        return "write `DELETE FROM` before the table"
    if place.verb == "DELETE" and word == "USING":
        return "write `DELETE t FROM t JOIN other ON …`"
    if place.verb == "MERGE":
        return f"MySQL does not support MERGE: write {_UPSERT}"
    if word == "MATERIALIZED" or before == "MATERIALIZED":
        return "remove `MATERIALIZED`"
    if word.startswith("$") or word == "$":
        return "write the parameter as `sqlc.arg(name)` or `?`"
    return ""


def _functions(place: Place) -> str:
    """Detect functions that MySQL does not have and whose arguments it cannot parse."""
    name = place.call[0]
    own = ELSEWHERE[Dialect.MYSQL].get(name.lower())
    return f"there is no `{name.lower()}`: write `{own}`" if own else ""


_RULES = (type_advice, _operators, _statements, _clauses, _lists, _changes, _functions)
