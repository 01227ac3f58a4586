"""Weaken MySQL's rules: without each precondition, rows of a MariaDB must disprove the rule."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiosqlc.ir import TypedQuery
from aiosqlc.mysql.analyzer import AnalysisContext, type_one
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.mysql.executable import Kin
from aiosqlc.mysql.rules import STRICT, Premises
from aiosqlc.parse.placeholders import for_driver
from aiosqlc.parse.queries import parse_file
from aiosqlc.servers.mysql.session import open_session
from aiosqlc.source import Dialect, SourceFile
from msgspec.structs import replace

from tests.proofs.cases import Case, worlds
from tests.proofs.judge import EMPTY, MANY, Seen, denied
from tests.proofs.twins import Trial

WORLD, CASES = worlds("refuters_mysql")["rules"]
_DATABASE = "aiosqlc_twins"


@contextlib.contextmanager
def populated(cache: Path | None) -> Iterator[Any]:
    """Open a private MariaDB with a database of the cases' rows while the block runs."""
    session = open_session(None, cache, "mariadb")
    session.run(f"DROP DATABASE IF EXISTS {_DATABASE}")
    session.run(f"CREATE DATABASE {_DATABASE} CHARACTER SET utf8mb4")
    session.connection.select_db(_DATABASE)
    for statement in WORLD.statements:
        session.run(statement)
    try:
        yield session
    finally:
        session.connection.close()


def trial_of(case: Case, session: Any) -> Trial:
    """Try a case, with its rule and with a weaker one."""
    assert case.premise is not None
    rule = _typed(case, session, STRICT)
    mutant = _typed(case, session, Premises(frozenset({case.premise})))
    return Trial(case, Seen(_seen(session, rule, case.values)), denied(rule), denied(mutant))


def refuted(cache: Path | None) -> frozenset[tuple[str, str]]:
    """Try every case, and return the preconditions without which rows disprove the rule."""
    with populated(cache) as session:
        trials = [trial_of(case, session) for case in CASES]
    return frozenset(t.case.premise for t in trials if t.kills and t.case.premise is not None)


def _typed(case: Case, session: Any, premises: Premises) -> TypedQuery:
    """Analyse a case by our own rules alone; only the catalog comes from the server."""
    schema = replace(read_schema(session, _DATABASE), premises=premises)
    context = AnalysisContext(schema, kin=Kin(is_mariadb=True, version=999999))
    file = SourceFile(Path("q.sql"), f"-- name: Q :many\n{case.sql};\n")
    (query,), _ = parse_file(file, Dialect.MYSQL)
    found, problems = type_one(context, query)
    assert found is not None, problems
    return found


def _seen(session: Any, query: TypedQuery, values: tuple[str | None, ...]) -> frozenset[str]:
    """Return the facts of a query's rows; its writes are rolled back."""
    text, numbers = for_driver(query.sql)
    given = [values[number - 1] for number in numbers]
    session.run("START TRANSACTION")
    rows = session.rows(text if given else text.replace("%%", "%"), *given)
    session.run("ROLLBACK")
    names = [column.name for column in query.columns]
    found = {f"NULL in {n}" for i, n in enumerate(names) if any(row[i] is None for row in rows)}
    return frozenset(found | ({MANY} if len(rows) > 1 else {EMPTY} if not rows else set()))
