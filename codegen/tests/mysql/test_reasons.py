"""`explain` names the registered rules on which a claim depends."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from aiosqlc.messages.explained import query_lines
from aiosqlc.mysql import facts, nullness, reader, scope
from aiosqlc.mysql.rules import RULES

from tests.mysql.conftest import SCHEMA, Compile

_RULE = re.compile(r"\[([\w-]+)\]$")
_WRITTEN = re.compile(r' \[([a-z-]+)\]"|\bnever\(\s*"([a-z-]+)"|\bVerdict\(False, .*"([a-z-]+)"')


def _named(reasons: Iterable[str]) -> list[str]:
    return [match[1] for reason in reasons if (match := _RULE.search(reason))]


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("SELECT id FROM a", ["column"]),
        ("SELECT bio FROM a", []),
        ("SELECT bio FROM a WHERE bio = 'x'", ["condition"]),
        ("SELECT a.bio FROM a WHERE a.id = 1 AND a.bio LIKE 'x%'", ["condition"]),
        ("SELECT id + grp FROM a", ["column", "column", "operator"]),
        ("SELECT coalesce(bio, name) FROM a", ["column", "coalesce"]),
        (
            "SELECT CASE WHEN bio IS NULL THEN 'x' ELSE bio END FROM a",
            ["constant", "condition", "case"],
        ),
        ("SELECT bio IS NULL FROM a", ["always"]),
        ("SELECT now()", ["never-null-function"]),
        ("SELECT b.code FROM b JOIN c ON TRUE WHERE code > 'x'", ["condition"]),
        ("SELECT x.code FROM b x JOIN b y USING (code)", ["using"]),
        ("SELECT upper(name) FROM a", ["column", "function"]),
        ("SELECT count(*) FROM a", ["aggregate"]),
        ("SELECT bit_or(grp) FROM a GROUP BY st", ["aggregate"]),
        (
            "SELECT t.n FROM (SELECT max(grp) AS n FROM a GROUP BY st) t",
            ["column", "aggregate", "column"],
        ),
        ("SELECT (SELECT count(*) FROM b) FROM a", ["aggregate", "subquery"]),
        ("SELECT coalesce(bio, nullif(name, 'x')) FROM a", []),
        (
            "SELECT name FROM a UNION SELECT upper(title) FROM b",
            ["column", "column", "function", "set-operation"],
        ),
        ("SELECT id FROM a EXCEPT SELECT length(title) FROM b", ["column", "set-operation"]),
        ("SELECT bio FROM a INTERSECT SELECT title FROM b", ["column", "set-operation"]),
    ],
)
def test_the_rules_that_prove_a_column_are_named(
    sql: str, rules: list[str], compile_text: Compile
) -> None:
    (query,), problems = compile_text(SCHEMA, f"-- name: Q :many\n{sql};\n")
    assert not problems
    named = _named(query.columns[0].reasons)
    assert sorted(named) == sorted(rules)
    assert query.columns[0].not_null == bool(rules)


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("SELECT name FROM a WHERE id = 1", ["unique-key"]),
        ("SELECT grp, count(*) FROM a WHERE grp = 1 GROUP BY grp", ["group-keys"]),
        ("SELECT max(id) FROM a", ["one-row"]),
        ("SELECT id FROM a LIMIT 1", ["limit"]),
        (
            "SELECT id FROM a WHERE id = 1 EXCEPT SELECT id FROM b",
            ["unique-key", "set-operation-rows"],
        ),
        ("SELECT id FROM a", []),
    ],
)
def test_the_rule_that_counts_the_rows_is_named(
    sql: str, rule: list[str], compile_text: Compile
) -> None:
    (query,), _ = compile_text(SCHEMA, f"-- name: Q :many\n{sql};\n")
    assert _named(query.cardinality_reasons) == rule


def test_explain_says_the_rule_in_its_own_sentence(compile_text: Compile) -> None:
    (query,), _ = compile_text(SCHEMA, "-- name: Q :many\nSELECT id + 1 AS n FROM a;\n")
    said = [line.strip() for line in query_lines(query)]
    assert "a.id is declared NOT NULL [column]" in said
    assert "an operator is not NULL if its operands are not NULL [operator]" in said


def test_explain_says_what_may_be_null(compile_text: Compile) -> None:
    (query,), _ = compile_text(SCHEMA, "-- name: Q :many\nSELECT upper(bio) AS n FROM a;\n")
    said = [line.strip() for line in query_lines(query)]
    assert "a.bio may be NULL" in said


def test_every_rule_that_is_named_is_registered() -> None:
    modules = (nullness, facts, reader, scope)
    sources = "".join(Path(m.__file__ or "").read_text() for m in modules)
    written = {name for names in _WRITTEN.findall(sources) for name in names if name}
    registered = {rule.name for rule in RULES}
    assert {"always", "set-operation"} <= written <= registered
