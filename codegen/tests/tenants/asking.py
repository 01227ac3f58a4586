"""Return the unproved parts of queries about tenants."""

from __future__ import annotations

from pathlib import Path

from aiosqlc.ir import AnalyzeOptions, Tenant, TypedQuery
from aiosqlc.parse.queries import parse_file
from aiosqlc.postgres import Analyzer
from aiosqlc.schema import read_schema
from aiosqlc.source import Dialect, SourceFile, Span

TENANT = Tenant("tenant_id", "tenant_id", ("country",))


def typed(
    analyzer: Analyzer,
    schema: str,
    text: str,
    folder: Path,
    tenant: Tenant = TENANT,
    server: str | None = None,
) -> dict[str, TypedQuery]:
    """Return the typed queries of a text by name. `server` is the URL of a server to ask."""
    (folder / "schema.sql").write_text(schema)
    config = SourceFile(Path("sqlc.yaml"), "")
    files, problems = read_schema(folder, ("schema.sql",), Dialect.POSTGRESQL, config, Span(0, 0))
    queries, found = parse_file(SourceFile(Path("q.sql"), text), Dialect.POSTGRESQL)
    assert not problems, problems[0]
    assert not found, found[0]
    analysis, _ = analyzer.analyze(files, queries, AnalyzeOptions(server, tenant=tenant))
    return {query.parsed.name: query for query in analysis.queries}
