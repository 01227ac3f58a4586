"""Check an entry's migrations: observe them, derive findings, and test proposed fixes."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.analysis.watched.observed import Observed, ObservedFile
from aiosqlc.config.project import QuerySet
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.engines.watch import ReleaseObserver, Watched
from aiosqlc.pipeline.analysed import Inputs, options_of
from aiosqlc.production.migrations.findings import danger, findings, place
from aiosqlc.production.migrations.pending import Chosen, accepted
from aiosqlc.production.migrations.sizes import size_notes
from aiosqlc.production.migrations.tried import Proved, better, outcome, shown
from aiosqlc.source import Dialect, Span


class Checked(Struct):
    """A migration that was checked, with its findings.

    `better` maps a statement to the proposed replacement. `reason` is the user's reason for
    accepting the locks, or ''.
    """

    seen: ObservedFile
    findings: list[Diagnostic]
    reason: str = ""
    better: dict[Span, Proved] = field(default_factory=dict)


def check(
    observer: ReleaseObserver,
    entry: QuerySet,
    inputs: Inputs,
    chosen: Chosen,
    *,
    patient: bool = False,
    tries: bool = True,
    statistics: Statistics | None = None,
) -> list[Checked]:
    """Return the findings of each pending migration, in order.

    `patient` is true if the migration tool sets lock_timeout. If `tries` is true, replacements for
    dangerous statements are proposed and tested. `statistics` are production's statistics, for
    notes about the sizes of tables. Raises the exceptions of `ReleaseObserver.release`.
    """
    options = options_of(entry, inputs.shims)
    found = []
    for watched in observer.release(chosen.applied, chosen.pending, chosen.queries, options):
        found.append(_checked(watched, entry.engine, statistics, patient=patient, tries=tries))
        if watched.seen.failures:  # later migrations would run on an unrealistic schema
            break
    return found


def _checked(
    watched: Watched,
    dialect: Dialect,
    statistics: Statistics | None,
    *,
    patient: bool,
    tries: bool,
) -> Checked:
    seen = watched.seen
    items = findings(seen, patient=patient)
    reason = accepted(seen.file)
    if reason:
        kept = [item for item in items if item.severity is Severity.ERROR]
        return Checked(seen, kept, reason)
    if reason == "":
        label = Label(seen.file.file, Span(0, 0))
        hint = (
            "add the reason why the locks are acceptable: `-- lock: accepted the table has 40 rows`"
        )
        message = "`-- lock: accepted` has no reason"
        items.append(Diagnostic("M012", message, (label,), hint, Severity.WARNING))
    proved: dict[Span, Proved] = {}
    for statement in seen.statements if tries and not seen.failures else ():
        if danger(statement) or statement.refused_in_block:
            one = better(watched, statement, dialect)
            if one is not None:
                proved[statement.span] = one
    advised = [
        _advised(_sized(item, seen, statistics), seen, proved, _ADVICE[dialect]) for item in items
    ]
    return Checked(seen, advised, "", proved)


def _sized(item: Diagnostic, seen: ObservedFile, statistics: Statistics | None) -> Diagnostic:
    """Add to a finding the sizes of tables, and a note if MariaDB was used instead of MySQL."""
    for statement in seen.statements:
        if item.code != "M007" and _concerns(item, seen, statement):
            own = (f"measured on {seen.stand_in}, not on MySQL",) if seen.stand_in else ()
            return replace(item, notes=(*item.notes, *size_notes(statement, statistics), *own))
    return item


def _advised(
    item: Diagnostic,
    seen: ObservedFile,
    proved: dict[Span, Proved],
    advice: Mapping[str, str],
) -> Diagnostic:
    """Add to a finding the tested replacement of its statement, or else general advice."""
    for statement in seen.statements:
        one = proved.get(statement.span)
        if one and _concerns(item, seen, statement):
            hint = f"write instead (`--fix` does):\n{shown(one)}"
            return replace(item, hint=hint, notes=(*item.notes, outcome(one)))
    return replace(item, hint=item.hint or advice.get(item.code, ""))


def _concerns(item: Diagnostic, seen: ObservedFile, statement: Observed) -> bool:
    codes = {"M001", "M002", "M003", "M004", "M005", "M007"}
    at = place(seen.file, statement.span)
    return item.code in codes and any(label.span == at for label in item.labels)


_SEVERAL_RELEASES = (
    "change the column in several releases: add a new column, write both columns, copy the"
    " old values in batches, read the new column, and drop the old column in a later release"
)
_CALM = (
    "no safer statements are known: run the migration while no client needs the table, and"
    " write `-- lock: accepted REASON`"
)
_BATCHES = "change the rows in batches by primary key, and commit after each batch"
_ADVICE = {
    Dialect.POSTGRESQL: {
        "M001": _SEVERAL_RELEASES,
        "M002": _CALM,
        "M003": "create the index with CONCURRENTLY, outside a transaction",
        "M004": "move the change of rows into a separate migration, and change the rows in batches",
        "M005": _BATCHES,
    },
    Dialect.MYSQL: {
        "M001": f"{_SEVERAL_RELEASES}; or copy the table with gh-ost or pt-online-schema-change",
        "M002": "copy the rows in batches by primary key, and commit after each batch",
        "M003": "build the index with gh-ost or pt-online-schema-change, which copy the table",
        "M005": _BATCHES,
    },
}
