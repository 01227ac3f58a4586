"""MySQL: every premise of every rule is needed, as the rows of a MariaDB show."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.analysis.rules import EVERY_PART, ONE_PART
from aiosqlc.ir import TypedQuery
from aiosqlc.mysql import rules
from aiosqlc.mysql.analyzer import AnalysisContext, type_one
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.mysql.executable import Kin
from aiosqlc.mysql.rules import STRICT, Premises
from aiosqlc.parse.placeholders import for_driver
from aiosqlc.parse.queries import parse_file
from aiosqlc.servers.mysql.session import open_session
from aiosqlc.source import Dialect, SourceFile

from tests.mysql.conftest import mysql_cache
from tests.proofs.cases import Case, worlds
from tests.proofs.judge import denied

__all__ = ["mysql_cache"]
WORLD, CASES = worlds("refuters_mysql")["rules"]
ROOT = Path(rules.__file__).parent
CORE = ROOT.parent / "relational"
# What the core asks of an engine, and MySQL's levels cannot but meet, or cannot meet.
ALWAYS_MET = {
    ("unique-key", "no FULL JOIN"),  # the servers have none
    ("unique-key", "the conditions imply the predicate of the index"),  # keys have none
    ("one-row", "the select list has no set-returning function"),
    ("some-row", "the select list has no set-returning function"),
    ("some-row", "no trigger skips the row"),  # a trigger can but fail
    ("some-row", "SET contains no WITH"),
}
NEVER_MET = {
    ("unique-key", "the equality operator belongs to the index"),  # no column is exact by itself
    ("unique-key", "the other operand is not volatile"),  # nothing is calculated from what is known
    # No pin goes through a set operation.
    ("set-operation-rows", "the column of the set operation is not cast"),
    ("unique-key", "the LATERAL subquery has a row for the column"),  # or through LATERAL
    ("some-row", "the set-returning function has constant arguments and returns a row"),
}
# MariaDB does not support LATERAL.
NO_ROWS_HERE = {("unique-key", "a LATERAL subquery refers to a single row")}
MANUAL = Path(__file__).parents[2] / "docs" / "proofs.md"
_DATABASE = "aiosqlc_twins"
_PARTS = {"all_of": EVERY_PART, "any_of": ONE_PART}


@pytest.fixture(scope="module")
def session(mysql_cache: Path) -> Iterator[Any]:
    """A private server with a database of the cases' rows."""
    session = open_session(None, mysql_cache)
    session.run(f"DROP DATABASE IF EXISTS {_DATABASE}")
    session.run(f"CREATE DATABASE {_DATABASE} CHARACTER SET utf8mb4")
    session.connection.select_db(_DATABASE)
    for statement in WORLD.statements:
        session.run(statement)
    yield session
    session.connection.close()


def typed(case: Case, session: Any, premises: Premises = STRICT) -> TypedQuery:
    """Type a case by our own rules alone: of the server only the catalog is asked."""
    schema = replace(read_schema(session, _DATABASE), premises=premises)
    context = AnalysisContext(schema, kin=Kin(is_mariadb=True, version=999999))
    file = SourceFile(Path("q.sql"), f"-- name: Q :many\n{case.sql};\n")
    (query,), _ = parse_file(file, Dialect.MYSQL)
    found, problems = type_one(context, query)
    assert found is not None, problems
    return found


def seen(session: Any, query: TypedQuery, values: tuple[str | None, ...]) -> set[str]:
    """Return what the rows of a query show; nothing that it writes stays."""
    text, numbers = for_driver(query.sql)
    given = [values[number - 1] for number in numbers]
    session.run("START TRANSACTION")
    rows = session.rows(text if given else text.replace("%%", "%"), *given)
    session.run("ROLLBACK")
    names = [column.name for column in query.columns]
    found = {f"NULL in {n}" for i, n in enumerate(names) if any(row[i] is None for row in rows)}
    return found | ({"many"} if len(rows) > 1 else {"empty"} if not rows else set())


@pytest.mark.parametrize("case", CASES, ids=lambda case: " / ".join(case.premise))
def test_rows_refute_a_rule_without_one_of_its_premises_and_none_with_all(
    case: Case, session: Any
) -> None:
    rule = typed(case, session)
    shown = seen(session, rule, case.values)
    assert case.shows in shown
    assert not shown & denied(rule)
    assert case.premise is not None
    weaker = typed(case, session, Premises(frozenset({case.premise})))
    assert case.shows in denied(weaker), "the premise can be taken away unnoticed"


def test_every_premise_has_a_refuter() -> None:
    registered = {(rule.name, premise) for rule in rules.RULES for premise in rule.premises}
    assert {case.premise for case in CASES} == registered


def test_every_premise_asked_for_is_registered() -> None:
    asked = set()
    for file in (*ROOT.glob("*.py"), *CORE.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            func = getattr(node, "func", None)
            name = getattr(func, "attr", getattr(func, "id", ""))
            if name not in {"holds", *_PARTS} or not isinstance(node, ast.Call):
                continue
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            names = {"EVERY_PART": EVERY_PART, "ONE_PART": ONE_PART}
            texts += [names[a.id] for a in node.args if isinstance(a, ast.Name) and a.id in names]
            if name in _PARTS and isinstance(texts[0], str):
                asked.add((texts[0], _PARTS[name]))
            elif name == "holds" and len(texts) > 1:
                asked.add((texts[0], texts[1]))
    registered = {(rule.name, premise) for rule in rules.RULES for premise in rule.premises}
    assert asked - ALWAYS_MET - NEVER_MET - NO_ROWS_HERE == registered
    assert not registered & (ALWAYS_MET | NEVER_MET | NO_ROWS_HERE)


def test_the_function_that_applies_a_rule_exists() -> None:
    for rule in rules.RULES:
        package = "aiosqlc" if rule.applied_by.startswith("relational.") else "aiosqlc.mysql"
        found: Any = importlib.import_module(package)
        for name in rule.applied_by.split("."):
            below = f"{found.__name__}.{name}"
            found = getattr(found, name, None) or importlib.import_module(below)
        assert callable(found)


def test_the_manual_has_the_register() -> None:
    assert rules.table() in MANUAL.read_text(encoding="utf-8")
