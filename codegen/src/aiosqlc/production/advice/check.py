"""Check the plans of all queries of a configuration entry under the statistics of production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines.planner import PlannedDatabase, Planner
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.production.advice import budget, keys, nodes, useless
from aiosqlc.production.advice.candidates import Candidate, candidates, indexed_columns
from aiosqlc.production.advice.found import finding, merged, proposal
from aiosqlc.production.advice.tried import remedy
from aiosqlc.production.plans import PlannedText, planned_texts
from aiosqlc.production.statistics.fitted import fitted


@dataclass(frozen=True, slots=True)
class Advice:
    """The findings of a configuration entry, and sentences about unused statistics."""

    findings: tuple[Diagnostic, ...]
    notes: tuple[str, ...] = ()


def advise(planner: Planner, analysed: Analysed, statistics: Statistics) -> Advice:
    """Plan each SQL text of the queries, and return what makes these plans expensive in production.

    Raises `StatisticsError` if the statistics are of another schema, `SchemaFailsError` if the
    schema has errors, and `NoServerError`.
    """
    schema, options = analysed.inputs.schema, options_of(analysed.entry, analysed.inputs.shims)
    statistics, notes = fitted(statistics, schema, analysed.analysis.catalog)
    rows, distinct = _numbers(statistics)
    with planner.database(schema, options, statistics) as database:
        texts = list(planned_texts(database, analysed.analysis.queries))
        references = keys.unindexed(database, texts, rows)
        notes = (*notes, *database.notes)
    proposed = {
        number: candidates(text.plan, rows, distinct) if text.plan else []
        for number, text in enumerate(texts)
    }
    wanted = [one for some in proposed.values() for one in some]
    wanted += [one.candidate for one in references]
    tried = tuple(dict.fromkeys(one.definition for one in wanted))
    found: list[Diagnostic] = []
    with planner.database(schema, options, statistics, tried=tried) as database:
        indexed = indexed_columns(database.indexes)
        for number, text in enumerate(texts):
            if text.plan is not None:
                missing = list(_missing(database, text, text.plan, proposed[number], indexed))
                found += missing or nodes.hidden(text, text.plan, rows, indexed)
                found += nodes.findings(text, text.plan, rows, statistics)
                found += budget.findings(text, text.plan)
        found += keys.findings(database, references)
        found += useless.findings(database, texts, schema)
    return Advice(tuple(merged(found)), notes)


def _missing(
    database: PlannedDatabase,
    text: PlannedText,
    plan: Plan,
    proposed: Sequence[Candidate],
    indexed: frozenset[tuple[str, str]],
) -> Iterator[Diagnostic]:
    """Yield a finding if some of the proposed indexes make the plan of a text much cheaper."""
    best = remedy(database, text.sql, plan, proposed)
    if best is None:
        return
    hidden = [(one.table, one.hidden) for one in best.indexes if one.hidden]
    code = "V033" if any(pair in indexed for pair in hidden) else "V030"
    message, hint, notes = proposal(database, best, plan)
    yield finding(code, text, message, hint, notes)


def _numbers(
    statistics: Statistics,
) -> tuple[Mapping[str, float], Mapping[tuple[str, str], float]]:
    """Return the number of rows per table, and the number of distinct values per column."""
    rows = {_named(item.schema, item.name): item.rows for item in statistics.relations}
    distinct = {}
    for item in statistics.columns:
        table = _named(item.schema, item.relation)
        share = float(dict(item.values).get("n_distinct", "-1"))
        distinct[table, item.column] = share if share > 0 else -share * max(rows[table], 0.0)
    return rows, distinct


def _named(schema: str, name: str) -> str:
    return name if schema == "public" else f"{schema}.{name}"
