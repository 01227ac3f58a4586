"""Find foreign keys that lack an index, although the project's queries delete parent rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from aiosqlc.analysis.planned.facts import Index, Reference
from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines.planner import PlannedDatabase
from aiosqlc.production.advice.candidates import FEWEST, Candidate
from aiosqlc.production.advice.found import finding, statement
from aiosqlc.production.advice.shown import number, outline
from aiosqlc.production.advice.tried import remedy
from aiosqlc.production.plans import PlannedText


class Unindexed(Struct, frozen=True):
    """A foreign key without an index, and the SQL texts that delete rows of the parent table."""

    reference: Reference
    texts: tuple[PlannedText, ...]
    plan: Plan
    candidate: Candidate


def unindexed(
    database: PlannedDatabase, texts: Sequence[PlannedText], rows: Mapping[str, float]
) -> list[Unindexed]:
    """Return foreign keys without an index, for which deleting a parent row scans a large table."""
    deleting = _deleting(database.references, texts)
    found = []
    for reference in database.references:
        mine = deleting.get(reference.parent, ())
        if not mine or rows.get(reference.child, 0) < FEWEST:
            continue
        plan = database.plan(reference.check)
        used = {node.index for node in plan.walk()} if plan else set()
        if any(_serves(index, reference, used) for index in database.indexes):
            continue
        if plan is not None:
            columns = tuple(f'"{column}"' for column in reference.columns)
            candidate = Candidate(reference.child, columns)
            found.append(Unindexed(reference, tuple(mine), plan, candidate))
    return found


def findings(database: PlannedDatabase, found: Sequence[Unindexed]) -> Iterator[Diagnostic]:
    """Yield a finding for each query that deletes parent rows, if a tested index helps."""
    for one in found:
        best = remedy(database, one.reference.check, one.plan, [one.candidate])
        if best is None:
            continue
        reference = one.reference
        message = (
            f"for each deleted row of {reference.parent} the server reads the whole table"
            f" {reference.child}, because {reference.name} has no index"
        )
        notes = (
            f"plan of the foreign key check now: cost {number(one.plan.cost)}: {outline(one.plan)}",
            f"plan with the proposed index: cost {number(best.after.cost)}",
        )
        hint = f"create the index in a migration:\n{statement(one.candidate)}"
        for text in one.texts:
            yield finding("V031", text, message, hint, notes)


def _deleting(
    references: Sequence[Reference], texts: Sequence[PlannedText]
) -> dict[str, list[PlannedText]]:
    """Map each referenced table to the SQL texts that delete its rows, directly or by a cascade."""
    found: dict[str, list[PlannedText]] = {}
    for text in texts:
        for node in text.plan.walk() if text.plan else ():
            if node.node == "ModifyTable" and node.detail("Operation") in {"Delete", "Merge"}:
                for table in _reached(node.relation, references):
                    if text not in found.setdefault(table, []):
                        found[table].append(text)
    return found


def _reached(table: str, references: Sequence[Reference]) -> list[str]:
    found = [table]
    for of in found:
        found += [
            one.child
            for one in references
            if one.parent == of and one.cascades and one.child not in found
        ]
    return found


def _serves(index: Index, reference: Reference, used: Collection[str]) -> bool:
    """Return whether an index begins with the columns of a foreign key, in any order.

    A partial index counts only if the plan of the check uses it.
    """
    begins = set(index.columns[: len(reference.columns)]) == set(reference.columns)
    return index.table == reference.child and begins and (not index.where or index.name in used)
