"""Find the queries that assign no value to a required column, as the analysis of queries does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiosqlc.postgres.catalog.facts import load_facts
from aiosqlc.postgres.describe import Described, describe, prepare_session
from aiosqlc.postgres.infer.required import missing_columns
from aiosqlc.servers.postgres.connection import Connection


def unset(connection: Connection, queries: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return, for each query that omits required columns in its new rows, these columns.

    The server plans such a query, but refuses each row that the query inserts.
    """
    names = [name for name, texts in queries.items() for _ in texts]
    texts = [text for some in queries.values() for text in some]
    found: dict[str, str] = {}
    if not texts:
        return found
    facts = load_facts(connection)
    with connection.another() as asking:
        prepare_session(asking)
        for name, answer in zip(names, describe(asking, texts), strict=True):
            if isinstance(answer, Described):
                nodes = facts.reader.read(answer.tree) if answer.tree else []
                written = [node for node in nodes if node.kind == "QUERY"]
                if missing := missing_columns(facts, written).columns:
                    found.setdefault(name, ", ".join(missing))
    return found
