"""Check the plans of all queries of a configuration entry with production statistics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from msgspec import Struct

from aiosqlc.analysis.planned.facts import Index
from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines.planner import PlannedDatabase, Planner
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.production.advice import budget, keys, nodes, redundant, useless
from aiosqlc.production.advice.candidates import Candidate, candidates, indexed_columns
from aiosqlc.production.advice.classes import with_values
from aiosqlc.production.advice.facts import Facts, facts_of
from aiosqlc.production.advice.found import finding, merged, proposal
from aiosqlc.production.advice.tried import LEAST, LEAST_WITH_VALUES, Remedy, remedy
from aiosqlc.production.plans import PlannedText, planned_texts
from aiosqlc.production.statistics.fitted import fitted, missing


class Advice(Struct, frozen=True):
    """The findings about a configuration entry, and notes about statistics that were not used."""

    findings: tuple[Diagnostic, ...]
    notes: tuple[str, ...] = ()


def advise(planner: Planner, analysed: Analysed, statistics: Statistics) -> Advice:
    """Plan each SQL text of the queries, and return findings about plans that are expensive.

    Each SQL text gets a generic plan, and plans for common and rare values of its parameters.
    Raises `StatisticsError` if the statistics belong to another schema, `SchemaFailsError` if the
    schema has errors, and `NoServerError` if no server is available.
    """
    schema, options = analysed.inputs.schema, options_of(analysed.entry, analysed.inputs.shims)
    catalog = analysed.analysis.catalog
    with planner.database(schema, options, fitted(statistics, schema, catalog)) as database:
        statistics = database.statistics or statistics
        facts = facts_of(statistics)
        texts = list(planned_texts(database, analysed.analysis.queries))
        references = keys.unindexed(database, texts, facts.rows)
        for text in tuple(texts):
            texts += with_values(database, text, facts)
        existing = database.indexes
        proposed = [_candidates(text, facts, existing) for text in texts]
        wanted = [one for some in proposed for one in some]
        wanted += [one.candidate for one in references]
        with _trying(database, [one.definition for one in wanted]) as second:
            checking = _Checking(second, statistics, facts, indexed_columns(existing), texts)
            found = list(checking.all(_remedies(second, texts, proposed)))
            found += keys.findings(second, references)
            found += useless.findings(second, texts, schema)
        return Advice(tuple(merged(found)), (*missing(statistics, catalog), *database.notes))


def _trying(
    database: PlannedDatabase, wanted: Sequence[str]
) -> AbstractContextManager[PlannedDatabase]:
    """Return a database that also has the indexes `wanted`, or `database` if none are wanted."""
    return database.trying(wanted) if wanted else nullcontext(database)


def _candidates(text: PlannedText, facts: Facts, existing: Sequence[Index]) -> list[Candidate]:
    if text.plan is None or text.plan.cost < _least(text):
        return []
    found = candidates(
        text.plan, facts.rows, facts.distinct, facts.ordered, constants=not text.values
    )
    return [one for one in found if not redundant.is_known(one, existing)]


def _remedies(
    database: PlannedDatabase,
    texts: Sequence[PlannedText],
    proposed: Sequence[Sequence[Candidate]],
) -> dict[int, Remedy]:
    """Map an SQL text's position in `texts` to the indexes that make its plan much cheaper.

    Texts with parameter values are tried only if no index improves the generic plan.
    """
    found: dict[int, Remedy] = {}
    helped: set[tuple[str, str]] = set()
    for number, (text, some) in enumerate(zip(texts, proposed, strict=True)):
        name = (text.query.parsed.place, text.variant)
        if text.plan is None or (text.values and name in helped):
            continue
        best = remedy(database, text.sql, text.plan, some, _least(text))
        if best is not None:
            found[number] = best
            helped.add(name)
    return redundant.merged(database, found, texts)


def _least(text: PlannedText) -> float:
    """Return the minimum cost that an index must save to be proposed for an SQL text."""
    return LEAST_WITH_VALUES if text.values else LEAST


class _Checking(Struct, frozen=True):
    """Checks SQL texts, one at a time, on a database that has the proposed indexes."""

    database: PlannedDatabase
    statistics: Statistics
    facts: Facts
    indexed: frozenset[tuple[str, str]]
    texts: Sequence[PlannedText]

    def all(self, best: Mapping[int, Remedy]) -> Iterator[Diagnostic]:
        """Yield the findings about all SQL texts, with and without parameter values.

        A finding about a plan with values is left out if the generic plan has the same finding.
        """
        known: set[tuple[str, str]] = set()
        for number, text in enumerate(self.texts):
            for item in self.findings(text, best.get(number)):
                name = (item.code, str(item.labels))
                if not text.values:
                    known.add(name)
                if not text.values or name not in known:
                    yield item

    def findings(self, text: PlannedText, best: Remedy | None) -> Iterator[Diagnostic]:
        """Yield the findings about an SQL text; `best` are the indexes that make its plan cheaper.

        If the parameter values select nearly all rows, only a missing index is reported.
        """
        if text.plan is None:
            return
        if best is not None:
            yield self._missing(text, text.plan, best)
        elif not text.values:
            rows = self.facts.rows
            yield from nodes.hidden(text, text.plan, rows, self.indexed)
            yield from nodes.null_safe(self.database, text, text.plan, rows, self.indexed)
        if not text.wide:
            yield from nodes.findings(text, text.plan, self.facts.rows, self.statistics)
            yield from budget.findings(text, text.plan)

    def _missing(self, text: PlannedText, plan: Plan, best: Remedy) -> Diagnostic:
        """Return the finding that proposes the indexes that make an SQL text's plan cheaper."""
        hidden = [(one.table, column) for one in best.indexes for column in one.hidden]
        code = "V033" if any(pair in self.indexed for pair in hidden) else "V030"
        message, hint, notes = proposal(self.database, best, plan)
        useless_then = [
            f"DROP INDEX CONCURRENTLY {index.name}; -- the new index contains it"
            for one in best.indexes
            for index in redundant.replaced(self.database, one, self.texts)
        ]
        return finding(code, text, message, "\n".join((hint, *useless_then)), notes)
