"""The steps of a release: check old and new code on the old schema and after each migration."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.bulk import is_bulk
from aiosqlc.analysis.checks import concerns
from aiosqlc.analysis.hints import apply_hints
from aiosqlc.analysis.port import Analyze
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile, TypedQuery
from aiosqlc.pipeline.analysed import options_of
from aiosqlc.pipeline.analyzing import analyzer
from aiosqlc.pipeline.deployed import old_inputs
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.verify.claims import broken, sent

SAFE = ("both orders are safe", "migrate first", "deploy the code first", "no migration is pending")


class Release(Struct, frozen=True):
    """The deployed and the new version: the schema files, pending migrations, and all queries."""

    applied: tuple[SchemaFile, ...]
    pending: tuple[SchemaFile, ...]
    old: tuple[ParsedQuery, ...]
    new: tuple[ParsedQuery, ...]

    def state(self, number: int) -> tuple[SchemaFile, ...]:
        """Return the schema after a number of pending migrations."""
        return (*self.applied, *self.pending[:number])


class Step(Struct, frozen=True):
    """The results for the schema after `migration`, or for the old schema if `migration` is ''.

    `old_code` and `new_code` are the failures and false assumptions of each version's code. `tried`
    is the number of times that queries were run; it is 0 if only assumptions were compared.
    `on_rows` are the reasons why the migration fails on rows that the previous schema allows.
    """

    migration: str
    old_code: tuple[Diagnostic, ...]
    new_code: tuple[Diagnostic, ...]
    tried: int = 0
    on_rows: tuple[Diagnostic, ...] = ()


class Code(Struct, frozen=True):
    """The generated queries of one version; `own` is the schema state for which they were made."""

    queries: tuple[TypedQuery, ...]
    own: int


Try = Callable[[Release, Code, Code, AnalyzeOptions], Sequence[Step]]
"""A function that runs the queries of both versions on rows, in each schema state of a release."""


def read_release(project: Project, entry: QuerySet, reference: str) -> Release:
    """Read the deployed version from git, and the new version from disk.

    Raises `GitError` if the reference or the repository cannot be read.
    """
    inputs, _ = read_inputs(project, entry)
    old = old_inputs(project, entry, reference, inputs)
    before = {file.file.path for file in old.schema}
    pending = tuple(file for file in inputs.schema if file.file.path not in before)
    return Release(old.schema, pending, old.queries, inputs.queries)


def verify_release(
    release: Release,
    entry: QuerySet,
    shims: tuple[SchemaFile, ...] = (),
    *,
    analyze: Analyze | None = None,
    attempt: Try | None = None,
    known: Sequence[tuple[int, Analysis]] = (),
) -> list[Step]:
    """Check the old and the new code on each schema state: compare assumptions, and run queries.

    `known` has earlier analyses to reuse, each with its number of applied migrations.
    """
    options = options_of(entry, shims)
    asked = _Asked(release, analyze or analyzer(entry.engine), options)
    last = len(release.pending)
    for state, analysis in known:
        asked.add(state, analysis)
    codes, failing = [], []
    for queries, own in ((release.old, 0), (release.new, last)):
        analysis, problems = asked.of(own, queries)
        codes.append(Code(apply_hints(analysis)[0].queries, own))
        failing.append(problems)
    steps = []
    for number in range(last + 1):
        name = release.pending[number - 1].file.path.name if number else ""
        old, new = (
            failing[index] if code.own == number else (*failing[index], *_lost(asked, code, number))
            for index, code in enumerate(codes)
        )
        steps.append(Step(name, old, new))
    if attempt is None or any(step.on_rows for step in steps):
        return steps
    tried = attempt(release, codes[0], codes[1], options)
    return [_with(step, other) for step, other in zip(steps, tried, strict=True)]


def _with(step: Step, tried: Step) -> Step:
    """Add the results `tried` of running queries to `step`, except for queries with a finding."""
    return replace(
        step,
        old_code=(*step.old_code, *_unsaid(step.old_code, tried.old_code)),
        new_code=(*step.new_code, *_unsaid(step.new_code, tried.new_code)),
        tried=tried.tried,
        on_rows=tried.on_rows,
    )


def _unsaid(said: Sequence[Diagnostic], more: Sequence[Diagnostic]) -> list[Diagnostic]:
    places = {(str(label.file.path), label.span) for item in said for label in item.labels[:1]}
    return [
        item
        for item in more
        if not any((str(label.file.path), label.span) in places for label in item.labels[:1])
    ]


class _Asked:
    """Analyses the queries on each schema state of a release, each query only once.

    Most queries are the same in both versions, and the generated code sends them unchanged.
    """

    def __init__(self, release: Release, analyze: Analyze, options: AnalyzeOptions) -> None:
        self._release, self._analyze, self._options = release, analyze, options
        self._known: dict[tuple[int, str], TypedQuery] = {}
        self._state: dict[int, tuple[Analysis, tuple[Diagnostic, ...]]] = {}

    def add(self, state: int, analysis: Analysis) -> None:
        """Add results of an earlier analysis, unless they depend on hints or on rewritten SQL."""
        for query in analysis.queries:
            if not query.parsed.hints and not is_bulk(query.parsed):
                self._known.setdefault((state, query.parsed.question), query)

    def of(
        self, state: int, queries: Sequence[ParsedQuery]
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        """Return the analysis of queries on a schema state, with the errors of failed queries."""
        rest = [query for query in queries if (state, query.question) not in self._known]
        typed, found = self._asked(state, rest) if rest or state not in self._state else ({}, ())
        analysis, of_schema = self._state[state]
        known = [
            typed.get(query.question) or self._known.get((state, query.question))
            for query in queries
        ]
        placed = [one.placed(query) for one, query in zip(known, queries, strict=True) if one]
        return replace(analysis, queries=tuple(placed)), (*of_schema, *found)

    def _asked(
        self, state: int, queries: Sequence[ParsedQuery]
    ) -> tuple[dict[str, TypedQuery], tuple[Diagnostic, ...]]:
        """Analyse queries and store the results; return the results and the errors."""
        fresh, found = self._analyze(self._release.state(state), queries, self._options)
        errors = [item for item in found if item.severity is Severity.ERROR]
        failing = [query for query in queries if any(concerns(item, query) for item in errors)]
        of_queries = [item for item in errors if any(concerns(item, query) for query in failing)]
        of_schema = tuple(item for item in errors if item not in of_queries)
        self._state.setdefault(state, (fresh, of_schema))
        typed = {query.parsed.question: query for query in fresh.queries}
        lost = {query.question for query in failing}
        self._known |= {(state, key): query for key, query in typed.items() if key not in lost}
        return typed, tuple(of_queries)


def _lost(asked: _Asked, code: Code, state: int) -> tuple[Diagnostic, ...]:
    """Return the assumptions of a version's generated code that are false in a schema state."""
    texts = [sent(query) for query in code.queries]
    here, _ = asked.of(code.own, texts)
    there, problems = asked.of(state, texts)
    home = {query.parsed.name: query for query in here.queries}
    found = {query.parsed.name: query for query in there.queries}
    lost = [_in_source(item, code) for item in problems]
    for promised in code.queries:
        name = promised.parsed.name
        if name in home and name in found:
            claims = broken(promised, home[name], found[name], here.catalog, there.catalog)
            lost += [relies(promised, why) for why in claims]
    return tuple(dict.fromkeys(lost))


def relies(query: TypedQuery, why: str) -> Diagnostic:
    """Return the finding for a query whose generated code makes a false assumption."""
    return Diagnostic(
        "E380",
        f"{query.parsed.name} {why}",
        (Label(query.parsed.file, query.parsed.name_span),),
    )


def _in_source(item: Diagnostic, code: Code) -> Diagnostic:
    """Move a finding to the query's name, because its own position is in generated SQL."""
    for label in item.labels[:1]:
        for query in code.queries:
            span = query.parsed.span
            if label.file == query.parsed.file and span.start <= label.span.start <= span.end:
                return replace(item, labels=(Label(query.parsed.file, query.parsed.name_span),))
    return item


def advice(steps: Sequence[Step]) -> str:
    """Describe a safe order of deployment, or the reason why every order is unsafe."""
    old_survives = not any(step.old_code for step in steps)
    new_runs_before = not steps[0].new_code
    if len(steps) == 1:
        return "no migration is pending" if new_runs_before else "the queries do not compile"
    if steps[-1].new_code:
        return "not safe: the new code fails on the new schema"
    if old_survives and new_runs_before:
        return "both orders are safe"
    if old_survives:
        return "migrate first, then deploy the code"
    if new_runs_before and not any(step.new_code for step in steps):
        return "deploy the code first, then migrate"
    return (
        "neither order is safe: split the migration into two migrations, one that adds and one "
        "that removes"
    )
