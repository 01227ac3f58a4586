"""Infer the types and nullability of view columns from the constraints of the tables below."""

from __future__ import annotations

from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.ir import Column
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.describe import Described, describe
from aiosqlc.postgres.population import quoted
from aiosqlc.postgres.typed import QueryTyper
from aiosqlc.servers.postgres.connection import Connection


def view_columns(
    connection: Connection, facts: Facts, typist: QueryTyper
) -> tuple[dict[int, tuple[Column, ...]], tuple[Diagnostic, ...]]:
    """Return the columns of each view by OID, as inferred for `SELECT *` from the view.

    If the proofs fail, a warning is reported, and the view's columns count as nullable.

    A view with a trigger is omitted, because RETURNING returns the trigger's row.
    """
    views = [r for r in facts.relations.values() if r.kind == "v" and r.oid not in facts.triggers]
    names = [f"{quoted(view.schema)}.{quoted(view.name)}" for view in views]
    texts = [f"select * from {name}" for name in names]  # noqa: S608 - quoted names of the catalog
    answers = zip(views, describe(connection, texts), strict=True)
    found: dict[int, tuple[Column, ...]] = {}
    problems = []
    for view, answer in answers:
        if not isinstance(answer, Described):
            continue
        found[view.oid], failure = typist.columns_of(answer)
        if failure:
            problems.append(_unproved(view.name, failure))
    return found, tuple(problems)


def _unproved(view: str, failure: str) -> Diagnostic:
    return Diagnostic(
        "E372",
        f"the compiler cannot prove anything about the view `{view}`: {failure}",
        hint="every column of the row class counts as nullable",
        severity=Severity.WARNING,
    )
