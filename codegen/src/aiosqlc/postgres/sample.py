"""Run a query once on generated rows, return the result, and roll back."""

from __future__ import annotations

from aiosqlc.ir import AnalyzeOptions, SchemaFile, TypedQuery
from aiosqlc.messages.rows import describe_count
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.describe import Described, describe
from aiosqlc.postgres.population import Population
from aiosqlc.postgres.refute import relations_in
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.trial import Trial, draw, row_of

_ROWS = 6  # of each table
_TRIALS = 30  # most runs until one returns rows
_MOST_SHOWN = 8


def sample(
    analyzer: Analyzer,
    schema: tuple[SchemaFile, ...],
    query: TypedQuery,
    options: AnalyzeOptions,
) -> list[str]:
    """Run a query once on generated rows, and return its arguments and result rows as lines.

    The generated values are the same in every run.
    """
    opened = analyzer.opened(schema, options)
    if opened is None:
        return ["the schema has errors"]
    connection, facts = opened
    [described] = describe(connection, [query.sql])
    tree = described.tree if isinstance(described, Described) else ""
    population = Population(connection, facts, Sampler(0, [query.sql]), relations_in(facts, tree))
    connection.run("begin")
    try:
        connection.run("set local statement_timeout = '3s'")
        population.fill(_ROWS)
        return _best(query, population)
    finally:
        connection.run("rollback")


def _best(query: TypedQuery, population: Population) -> list[str]:
    lines, trial = ["the server accepted none of the tried arguments"], None
    for _ in range(_TRIALS):
        trial = draw(query, population)
        result = trial.run(population)
        if result is None:
            continue
        rows = [row_of(result, row) for row in range(min(result.ntuples, _MOST_SHOWN))]
        more = [f"… {result.ntuples - len(rows)} more"] if result.ntuples > len(rows) else []
        count = result.ntuples if query.columns else result.command_tuples or 0
        summary = [] if rows else [describe_count(count, written=not query.columns)]
        lines = [_called(trial), *rows, *more, *summary]
        if rows or not query.columns:
            break
    return lines


def _called(trial: Trial) -> str:
    return f"with {trial.arguments}" if trial.params else "without arguments"
