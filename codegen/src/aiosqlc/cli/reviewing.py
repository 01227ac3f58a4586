"""Build a review from the results of other commands, such as `vet`, `verify` and `grants`."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.checks import concerns, without_ignored
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.engines import Engine, engine_for
from aiosqlc.files import UNREAD
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.pipeline.analyzing import analyze_project, in_source_order
from aiosqlc.pipeline.deployed import analyze_old, old_inputs
from aiosqlc.pipeline.git import base_of, old_schema, removed_files
from aiosqlc.pipeline.printing import without_concerned
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.production.advice.check import advise
from aiosqlc.production.advice.stored import remembered
from aiosqlc.production.migrations.check import check
from aiosqlc.production.migrations.pending import since_reference
from aiosqlc.production.plans import plans
from aiosqlc.production.recorded.changes import changes
from aiosqlc.production.recorded.texts import basis_of, plans_by_text
from aiosqlc.production.review.model import (
    Broken,
    EntryReview,
    Grants,
    Order,
    PlanChanges,
    Queries,
    Review,
)
from aiosqlc.production.review.privileges import grants_between
from aiosqlc.production.review.queries import compared
from aiosqlc.production.review.schema import Edited, edited, problems
from aiosqlc.production.statistics import statistics_of
from aiosqlc.schema.order import forward_files
from aiosqlc.verify.release import SAFE, Release, Step, advice, verify_release
from aiosqlc.vet import vet
from aiosqlc.vet.scans import vet_scans


class _Replaced(Release, frozen=True):
    """A release without migrations: in one step, the new schema replaces the old schema."""

    whole: tuple[SchemaFile, ...] = ()

    def state(self, number: int) -> tuple[SchemaFile, ...]:
        """Return the old schema for number 0, or the new schema for number 1."""
        return self.whole if number else self.applied


class _Versions(Struct, frozen=True):
    """A configuration entry in the deployed version (`old`) and in the working tree (`new`).

    `deployed_schema` also has the migrations that were removed, or got another name.
    """

    project: Project
    entry: QuerySet
    engine: Engine
    old: Analysed
    new: Analysed
    edited: Edited
    deployed_schema: tuple[SchemaFile, ...]

    @property
    def options(self) -> AnalyzeOptions:
        """Return the analyser's options."""
        return options_of(self.entry, self.new.inputs.shims)

    @property
    def pending(self) -> tuple[SchemaFile, ...]:
        """Return the schema files that only the new version has."""
        before = {file.file.path for file in self.old.inputs.schema}
        return tuple(file for file in self.new.inputs.schema if file.file.path not in before)


def review(project: Project, reference: str, *, patient: bool) -> Review:
    """Compare every `sql:` entry of the configuration with its state at a git reference.

    `patient` means that the migration tool sets lock_timeout. Raises `GitError`, and
    `NoServerError` if no server can be started.
    """
    commit = base_of(project.root, reference)
    entries = [_entry(project, entry, commit, patient=patient) for entry in project.sets]
    return Review(reference, tuple(entries))


def _entry(project: Project, entry: QuerySet, commit: str, *, patient: bool) -> EntryReview:
    inputs, mistakes = read_inputs(project, entry)
    name = entry.name or entry.queries[0] if len(project.sets) > 1 else ""
    unreadable = tuple(item for item in mistakes if item.severity is Severity.ERROR)
    if not inputs.readable or any(item.code in UNREAD for item in unreadable):
        return EntryReview(name, errors=unreadable)
    paths = [file.file.path for file in inputs.schema]
    old = old_inputs(project, entry, commit, inputs)
    applied = {file.file.path for file in old.schema}
    pending = tuple(file.file for file in inputs.schema if file.file.path not in applied)
    queries = compared(old.queries, inputs.queries)
    differing = edited(old.schema, inputs.schema, entry.engine)
    gone = forward_files(removed_files(project, commit, paths))
    found = EntryReview(
        name,
        inputs.queries,
        pending,
        queries=queries,
        errors=unreadable,
        advice=tuple(problems(differing, gone)),
    )
    if not (pending or differing or queries):
        return found
    with engine_for(entry.engine) as engine:
        alone = replace(project, sets=(entry,))
        (new,) = analyze_project(alone, analyzer_of=lambda _: engine.analyze)
        deployed = analyze_old(project, entry, commit, old, engine.analyze)
        deployed_paths = forward_files(
            sorted({*applied, *(path.relative_to(project.root) for path in gone)})
        )
        schema = old_schema(project, entry, commit, deployed_paths) if gone else old.schema
        versions = _Versions(project, entry, engine, deployed, new, differing, tuple(schema))
        return _examined(found, versions, patient=patient)


def _examined(found: EntryReview, versions: _Versions, *, patient: bool) -> EntryReview:
    """Add to a review the checks that need a running database server."""
    errors = [item for item in versions.new.diagnostics if item.severity is Severity.ERROR]
    found = replace(found, errors=tuple(in_source_order([*found.errors, *errors])))
    if any(not _is_in_queries(item, versions.new) for item in errors):
        return replace(found, skipped=("nothing else is checked: the new schema has errors",))
    before = versions.old.inputs
    known = [item for item in versions.old.diagnostics if item.severity is Severity.ERROR]
    if any(not _is_in_queries(item, versions.old) for item in known):
        why = "only the new version is checked: the schema of the old version has errors"
        return replace(found, skipped=(why,))
    found = replace(found, advice=(*found.advice, *_advice(versions, found)))
    if before.schema and (versions.pending or versions.edited.described):
        found = replace(found, order=_order(versions))
    engine = versions.engine
    if before.schema and versions.pending:
        chosen = since_reference(versions.project, versions.entry, versions.new.inputs, before)
        checked = check(
            engine.observer,
            versions.entry,
            versions.new.inputs,
            chosen,
            patient=patient,
            statistics=statistics_of(versions.entry),
        )
        found = replace(found, migrations=tuple(checked))
    if engine.planner is None:
        of = f" of {found.name}" if found.name else ""
        why = f"the plans and privileges{of} are not checked, because the check needs PostgreSQL"
        return replace(found, skipped=(*found.skipped, why))
    return replace(found, grants=_grants(versions), plans=_plans(versions, found.queries))


def _is_in_queries(item: Diagnostic, version: Analysed) -> bool:
    files = {query.file.path for query in version.inputs.queries}
    files |= {file.path for file in version.inputs.files}
    return any(label.file.path in files for label in item.labels[:1])


def _order(versions: _Versions) -> Order:
    """Return a safe order to deploy code and migrations, and the queries that migrations break."""
    release = _release(versions)
    attempt = None
    scratch = versions.engine.scratch
    # A shim replaces the result of a migration, and only the real result can be migrated.
    if scratch and not versions.new.inputs.shims and not isinstance(release, _Replaced):
        from aiosqlc.verify.rollout import try_release

        attempt = functools.partial(try_release, scratch)
    steps = verify_release(
        release,
        versions.entry,
        versions.new.inputs.shims,
        analyze=versions.engine.analyze,
        attempt=attempt,
        known=[(0, _sound(versions.old)), (len(release.pending), _sound(versions.new))],
    )
    steps = _without_known(steps)
    broken: dict[str, Broken] = {}
    for number, step in enumerate(steps[1:]):
        file = versions.pending[number].file if versions.pending else None
        for item in step.old_code:
            name, reason = _failing(item, versions.old.inputs.queries)
            broken.setdefault(name, Broken(name, file, reason))
    waiting = [_failing(item, versions.new.inputs.queries)[0] for item in steps[0].new_code]
    verdict = advice(steps)
    return Order(
        verdict,
        verdict.startswith(SAFE),
        tuple(broken.values()),
        tuple(dict.fromkeys(waiting)),
        tuple(dict.fromkeys(steps[-1].new_code)),
    )


def _release(versions: _Versions) -> Release:
    old, new = versions.old.inputs, versions.new.inputs
    if versions.edited.described:
        return _Replaced(old.schema, new.schema[-1:], old.queries, new.queries, new.schema)
    return Release(old.schema, versions.pending, old.queries, new.queries)


def _sound(analysed: Analysed) -> Analysis:
    return without_concerned(analysed.analysis, analysed.diagnostics)


def _without_known(steps: Sequence[Step]) -> list[Step]:
    """Drop findings about old queries that already fail on the schema of the old version."""
    known = {_place(item) for item in steps[0].old_code}
    return [
        replace(step, old_code=tuple(i for i in step.old_code if _place(i) not in known))
        for step in steps
    ]


def _place(item: Diagnostic) -> object:
    return next(((label.file.path, label.span) for label in item.labels), item.message)


def _failing(item: Diagnostic, queries: Sequence[ParsedQuery]) -> tuple[str, str]:
    """Return the name of the query that a finding concerns, and the message without this name."""
    for query in queries:
        if concerns(item, query):
            return query.place, item.message.removeprefix(f"{query.name} ")
    return "the schema", item.message


def _advice(versions: _Versions, found: EntryReview) -> list[Diagnostic]:
    """Return the findings of `vet` about changed queries and new tables."""
    new, entry, queries = versions.new, versions.entry, found.queries
    items = vet(new.analysis, new.inputs.schema, entry.engine, entry.vet_rules)
    items += [item for item in new.diagnostics if item.severity is Severity.WARNING]
    items += _of_plans(versions, new, queries.current)
    files = {file.path for file in found.pending}
    files |= {file.file.path for file in versions.edited.described}
    old = versions.old
    earlier = [*vet(old.analysis, (), entry.engine, entry.vet_rules), *old.diagnostics]
    earlier += _of_plans(versions, old, [before for before, _ in queries.changed])
    known = {
        (before.place, item.code)
        for before, _ in queries.changed
        for item in earlier
        if concerns(item, before)
    }
    kept = []
    for item in without_ignored(items, new.inputs.queries):
        place = next((q.place for q in queries.current if concerns(item, q)), "")
        if (place and (place, item.code) not in known) or (
            not place and item.labels and item.labels[0].file.path in files
        ):
            kept.append(item)
    return in_source_order(kept)


def _only(version: Analysed, queries: Sequence[ParsedQuery]) -> Analysed:
    """Return the analysis of a version with only the given queries."""
    places = {query.place for query in queries}
    typed = tuple(query for query in version.analysis.queries if query.parsed.place in places)
    return replace(version, analysis=replace(version.analysis, queries=typed))


def _of_plans(
    versions: _Versions, version: Analysed, queries: Sequence[ParsedQuery]
) -> list[Diagnostic]:
    """Return the findings that `vet --plans` reports about the plans of the given queries."""
    some = _only(version, queries)
    if not some.analysis.queries:
        return []
    statistics = statistics_of(versions.entry)
    if statistics is None or versions.engine.planner is None:
        return vet_scans(some, versions.engine)
    wanted = versions.entry.vet_rules
    planned = functools.partial(advise, versions.engine.planner, some, statistics)
    found = remembered(some, statistics, planned).findings
    return [item for item in found if not wanted or item.code in wanted]


def _grants(versions: _Versions) -> Grants:
    old, new = (
        versions.engine.needs(
            schema,
            one.analysis.catalog,
            versions.options,
            _texts(one.inputs.queries),
            (),
        )
        for one, schema in (
            (versions.old, versions.deployed_schema),
            (versions.new, versions.new.inputs.schema),
        )
    )
    return grants_between(old.rights, new.rights, new.reserved, versions.engine.quote)


def _texts(queries: Sequence[ParsedQuery]) -> list[str]:
    texts = [text for q in queries for text in (q.sql, *(variant.sql for variant in q.variants))]
    return list(dict.fromkeys(texts))


def _plans(versions: _Versions, queries: Queries) -> PlanChanges:
    """Return the changed query plans. Both versions use the statistics in the working tree.

    If the schema has not changed, only the changed queries are planned.
    """
    planner = versions.engine.planner
    if planner is None:
        return PlanChanges()
    statistics = statistics_of(versions.entry)
    pairs = [(versions.old, [old for old, _ in queries.changed]), (versions.new, queries.current)]
    if versions.pending or versions.edited:
        pairs = [(one, one.inputs.queries) for one, _ in pairs]
    old, new = (plans(planner, _only(*pair), statistics) for pair in pairs)
    found = [one for one in changes(plans_by_text(old), plans_by_text(new)) if one.after]
    return PlanChanges(tuple(found), basis_of(new))
