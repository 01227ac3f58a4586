"""Judges the columns of views: a view has no constraints, but what stands behind it has."""

from __future__ import annotations

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.describe import Described, describe
from aiosqlc.postgres.population import quoted
from aiosqlc.postgres.server.connection import Connection
from aiosqlc.postgres.typed import Typist
from aiosqlc.stages import Column


def view_columns(
    connection: Connection, facts: Facts, typist: Typist
) -> dict[int, tuple[Column, ...]]:
    """Return the columns of each view by its oid, as `SELECT *` from it shows them.

    A view with a trigger is left out: what such a trigger returns is RETURNING's row.
    """
    views = [r for r in facts.relations.values() if r.kind == "v" and r.oid not in facts.triggers]
    names = [f"{quoted(view.schema)}.{quoted(view.name)}" for view in views]
    texts = [f"select * from {name}" for name in names]  # noqa: S608 - names of the catalog, quoted
    answers = zip(views, describe(connection, texts), strict=True)
    return {
        view.oid: typist.columns_of(answer)
        for view, answer in answers
        if isinstance(answer, Described)
    }
