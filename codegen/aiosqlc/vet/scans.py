"""The rule that looks at the server's query plans: conditions that no index serves."""

from __future__ import annotations

from aiosqlc.analysed import Analysed, options_of
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.parse.scanner import Dialect
from aiosqlc.vet.queries import Text
from aiosqlc.vet.rules import RULES


def vet_scans(analysed: Analysed) -> list[Diagnostic]:
    """Return the queries with a WHERE that still read whole tables."""
    if analysed.entry.engine is not Dialect.POSTGRESQL:
        return []
    from aiosqlc.postgres import Analyzer
    from aiosqlc.postgres.explain import full_scans, query_plans

    options = options_of(analysed.entry, analysed.inputs.shims)
    schema = analysed.inputs.schema
    rule = RULES["V012"]
    found = []
    with Analyzer() as analyzer:
        opened = analyzer.opened(schema, options)
        documents = query_plans(analyzer, schema, analysed.analysis.queries, options)
        for query in analysed.analysis.queries:
            text = Text(query, analysed.entry.engine)
            conditions = text.outer("WHERE")
            if opened is None or not conditions or query.parsed.name not in documents:
                continue
            tables = full_scans(documents[query.parsed.name], opened[1])
            if tables:
                label = Label(query.parsed.file, text.span(conditions[0]), f"reads {tables[0]}")
                title = rule.title.removesuffix(" (with --plans)")
                found.append(Diagnostic("V012", title, (label,), rule.fix, Severity.WARNING))
    return found
