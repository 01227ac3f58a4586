"""Read and analyse a configuration entry, for use by most commands."""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.config.project import QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile
from aiosqlc.lock.document import Locked
from aiosqlc.source import SourceFile


class Inputs(Struct, frozen=True):
    """The files of one configuration entry, read and parsed."""

    schema: tuple[SchemaFile, ...]
    files: tuple[SourceFile, ...]
    queries: tuple[ParsedQuery, ...]
    shims: tuple[SchemaFile, ...] = ()
    readable: bool = True  # without the whole schema, nothing can be inferred about a query


class Analysed(Struct, frozen=True):
    """A configuration entry with the analysis of its queries, after applying the users' hints."""

    entry: QuerySet
    inputs: Inputs
    analysis: Analysis
    locked: Locked | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def failed(self) -> bool:
        """Return whether one of the diagnostics is an error."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)


def options_of(entry: QuerySet, shims: tuple[SchemaFile, ...] = ()) -> AnalyzeOptions:
    """Return the analyser's options from the configuration."""
    return AnalyzeOptions(
        database_uri=entry.database_uri,
        strict=entry.strict,
        not_null_functions=entry.not_null_functions,
        shims=shims,
        server=entry.server,
        tenant=entry.tenant,
        tenant_at=entry.tenant_at,
    )
