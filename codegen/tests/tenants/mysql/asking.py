"""Asks what is not proved of MySQL's queries about tenants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from aiosqlc.ir import AnalyzeOptions, Tenant, TypedQuery
from aiosqlc.mysql import analyze
from aiosqlc.parse.queries import parse_file
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile

_PARAMETER = re.compile(r"@(\w+)")
TENANT = Tenant("tenant_id", "tenant_id", ("country", "counting", "twice"))


def typed(
    schema: str, text: str, cache: Path, tenant: Tenant = TENANT, *, server: str = "mariadb"
) -> dict[str, TypedQuery]:
    """Return the typed queries of a text by name."""
    files = [schema_file(SourceFile(Path("schema.sql"), schema), Dialect.MYSQL)]
    queries, found = parse_file(SourceFile(Path("q.sql"), text), Dialect.MYSQL)
    assert not found, found[0]
    options = AnalyzeOptions(cache_dir=cache, tenant=tenant, server=server)
    analysis, _ = analyze(files, queries, options)
    return {query.parsed.name: query for query in analysis.queries}


def named(texts: Sequence[str]) -> str:
    """Return statements as a file of queries, named by their positions; `@p` is a parameter."""
    made = [_PARAMETER.sub(r"sqlc.arg(\1)", text) for text in texts]
    return "".join(f"-- name: Q{n} :exec\n{text};\n\n" for n, text in enumerate(made))


def split(text: str) -> list[str]:
    """Return the statements of a text, which blank lines separate."""
    return [one.strip().removesuffix(";") for one in text.split("\n\n")]
