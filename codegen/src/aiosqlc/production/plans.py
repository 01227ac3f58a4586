"""Plan every SQL text of every query with the statistics of a production database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.engines.planner import PlannedDatabase, Planner
from aiosqlc.ir import OptionalPart, TypedQuery
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.production.statistics.fitted import fitted, missing


class PlannedText(Struct, frozen=True):
    """An SQL text of a query, with its generic plan.

    `variant` describes the optional parts of the query in this text (`with status, sorted by
    name`), or is '' for a static query. `plan` is None if the server cannot plan the statement.
    `values` describes the values that replace parameters in `sql` (`a common value of status`), or
    is '' for the generic plan. `wide` is true if these values let a range condition select nearly
    all rows.
    """

    query: TypedQuery
    variant: str
    sql: str
    plan: Plan | None
    values: str = ""
    wide: bool = False

    @property
    def place(self) -> str:
        """Return `file.sql:Name` of the query, and the variant if the query has several texts."""
        of = self.query.parsed.place
        return f"{of} ({self.variant})" if self.variant else of


class Plans(Struct, frozen=True):
    """The plans of all queries of a configuration entry, in the order of the query files.

    If `with_statistics` is false, the queries were planned on empty tables without statistics. Rows
    and costs then have no meaning, and a plan only shows whether an index is usable. `notes` are
    sentences about missing statistics and about statistics that were not used.
    """

    texts: tuple[PlannedText, ...]
    with_statistics: bool
    notes: tuple[str, ...] = ()


def plans(
    planner: Planner,
    analysed: Analysed,
    statistics: Statistics | None,
    *,
    more: Callable[[PlannedDatabase, PlannedText, Statistics], Sequence[PlannedText]] | None = None,
) -> Plans:
    """Return the generic plan of each SQL text of each query that compiles.

    `more` returns further plans of an SQL text, which follow its generic plan. `more` is not called
    without statistics. Raises `StatisticsError` if the statistics belong to another schema,
    `SchemaFailsError` if the schema has errors, and `NoServerError` if no server is available.
    """
    schema, catalog = analysed.inputs.schema, analysed.analysis.catalog
    options = options_of(analysed.entry, analysed.inputs.shims)
    if statistics is not None:
        statistics = fitted(statistics, schema, catalog)
    with planner.database(schema, options, statistics) as database:
        texts = list(planned_texts(database, analysed.analysis.queries))
        if more is not None and statistics is not None:
            texts = [one for text in texts for one in (text, *more(database, text, statistics))]
        used = database.statistics
        notes = missing(used, catalog) if used is not None else ()
        return Plans(tuple(texts), used is not None, (*notes, *database.notes))


def planned_texts(
    database: PlannedDatabase, queries: tuple[TypedQuery, ...]
) -> Iterator[PlannedText]:
    """Yield each distinct SQL text of each query with its generic plan."""
    for query in queries:
        texts = {variant.sql: described(query, variant.key) for variant in query.variants}
        for sql, variant in (texts or {query.sql: ""}).items():
            yield PlannedText(query, variant, sql, database.plan(sql))


def described(query: TypedQuery, key: tuple[int, ...]) -> str:
    """Describe a variant by the optional parts that it contains: `with status, sorted by name`."""
    parts = list(zip(query.parsed.dynamic, key, strict=False))
    with_ = [_names(part) for part, chosen in parts if part.kind != "sort" and chosen]
    sorts = [
        f"{part.name} {part.choices[chosen]}"
        for part, chosen in parts
        if part.kind == "sort" and chosen < len(part.choices)
    ]
    words = [f"with {', '.join(dict.fromkeys(with_))}"] if with_ else []
    if not with_ and any(part.kind != "sort" for part, _ in parts):
        words.append("without optional parts")
    return ", ".join((*words, *sorts))


def _names(part: OptionalPart) -> str:
    return "+".join((part.name, *part.also))
