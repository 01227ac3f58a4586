"""Compare the server's parse trees of two texts that should be the same query."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from aiosqlc.ir import AnalyzeOptions, SchemaFile
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.describe import Described, describe
from aiosqlc.postgres.written import Fingerprint
from aiosqlc.servers.postgres.connection import ConnectionFailedError, ServerError
from aiosqlc.servers.postgres.databases import DatabaseRefusedError
from aiosqlc.servers.private import NoServerError


def unproved(
    analyzer: Analyzer,
    schema: Sequence[SchemaFile],
    options: AnalyzeOptions,
    pairs: Sequence[tuple[str, str, str]],
) -> dict[str, str]:
    """Return, by query name, why two texts are not proved to be the same query.

    Each of the `pairs` has the query's name and the two texts.
    """
    try:
        opened = analyzer.opened(schema, options)
    except (
        NoServerError,
        ConnectionFailedError,
        DatabaseRefusedError,
        psycopg.OperationalError,
    ) as error:
        return {
            name: f"without a server the formatting cannot be checked: {error}"
            for name, _, _ in pairs
        }
    if opened is None:
        return {name: "the schema has errors" for name, _, _ in pairs}
    texts = [text for _, old, new in pairs for text in (old, new)]
    answers = iter(list(describe(opened[0], texts)))
    found: dict[str, str] = {}
    for name, _, _ in pairs:  # a query may have several texts
        if why := _difference(next(answers), next(answers)):
            found[name] = why
    return found


def _difference(one: Described | ServerError, other: Described | ServerError) -> str:
    if not isinstance(one, Described):
        return "the server rejects the formatted query"
    same = isinstance(other, Described) and Fingerprint.of(one) == Fingerprint.of(other)
    return "" if same else "the server would parse the formatted query differently"
