"""Compute keys from the inputs of an analysis. If two keys are equal, the results are equal."""

from __future__ import annotations

from collections.abc import Sequence

from aiosqlc.config.project import QuerySet
from aiosqlc.ir import AnalyzeOptions, ParsedQuery, SchemaFile
from aiosqlc.lock.head import compiler_digest, embedded_server
from aiosqlc.source import ExpandedFile
from aiosqlc.store.digest import digest_of


def schema_key(entry: QuerySet, schema: Sequence[SchemaFile], options: AnalyzeOptions) -> str:
    """Return a hash of the server and of all inputs of an analysis, except the query itself."""
    parts = [compiler_digest(), entry.engine.value, str(options.strict)]
    parts += options.not_null_functions
    if options.tenant:
        parts.append(repr(options.tenant))
    parts.append("given server" if options.database_uri else options.server)
    parts += [f"{file.transactional}{file.sql}" for file in (*schema, *options.shims)]
    return f"{digest_of(*parts)} {'given' if options.database_uri else embedded_server()}"


def complete_key(keys: Sequence[str], queries: Sequence[ParsedQuery]) -> str:
    """Return a hash of an entry's queries and of the positions of the queries and fragments."""
    places = [f"{query.file.path}:{query.span.start}" for query in queries]
    files = {query.file.path: query.file for query in queries}.values()
    for file in files:
        if isinstance(file, ExpandedFile):
            places.append(f"{file.path}:{file.length}")
            places += [f"{one.start}:{one.file.path}:{one.source}" for one in file.inclusions]
    return digest_of(*keys, *places)
