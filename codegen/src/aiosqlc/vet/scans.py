"""The rule about query plans: conditions for which no index is usable."""

from __future__ import annotations

import contextlib

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.engines import Engine, engine_for
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.vet.queries import Text
from aiosqlc.vet.rules import RULES


def vet_scans(analysed: Analysed, opened: Engine | None = None) -> list[Diagnostic]:
    """Return a finding for each query that has a WHERE, but scans a whole table.

    `opened` is an engine that is already open. Without it, an engine is opened for this call.
    """
    entry, inputs, queries = analysed.entry, analysed.inputs, analysed.analysis.queries
    with contextlib.nullcontext(opened) if opened else engine_for(entry.engine) as engine:
        read = engine.full_scans(inputs.schema, queries, options_of(entry, inputs.shims))
    rule = RULES["V012"]
    title = rule.title.removesuffix(" (checked with --plans)")
    found = []
    for query in queries:
        text = Text(query, entry.engine)
        conditions, tables = text.outer("WHERE"), read.get(query.parsed.name)
        if conditions and tables:
            label = Label(query.parsed.file, text.span(conditions[0]), f"reads {tables[0]}")
            found.append(Diagnostic("V012", title, (label,), rule.fix, Severity.WARNING))
    return found
