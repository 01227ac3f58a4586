"""Compare what a tool claims of a query with what its executions showed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from bench.soundness.executing import ColumnSeen, Seen, Witness
from bench.soundness.model import Claim, Kind, Query, Refutation, Suite
from bench.soundness.parameters import Sender
from bench.soundness.spelling import spelled
from bench.soundness.values import Driver, Finding, unlike

CATEGORIES = ("null", "element", "type", "inside", "rows", "parameter")
"""NULL in a column or an array, another type, other JSON, number of rows, refused argument."""


def refutations(
    suite: Suite, query: Query, peer: str, claim: Claim, seen: Seen, driver: Driver, sender: Sender
) -> Iterator[Refutation]:
    """Yield each claim that an execution contradicts: of a column, at most one per category."""

    def refuted(category: str, place: str, witness: Witness, said: str, shown: str) -> Refutation:
        words = f"{suite.name}/{query.name}/{peer}/{category}/{place}"
        return Refutation(
            hashlib.sha256(words.encode()).hexdigest()[:10], peer, category, suite.name,
            query.name, query.sql, witness.rows, witness.arguments, f"{place}: {said}", shown,
        )  # fmt: skip

    if not seen.runs:
        return
    # An argument is only NULL where the claimed type of its parameter says that it may be.
    known = len(claim.params) == len(seen.params)
    may = (
        frozenset(n for n, kind in enumerate(claim.params) if kind.nullable)
        if known
        else frozenset()
    )
    counts = {count: w for (count, nulls), w in seen.counts.items() if nulls <= may}
    if not counts:
        return
    anywhere = counts[max(counts)]
    if len(claim.columns) != len(seen.columns):
        shown = f"{len(seen.columns)} columns"
        yield refuted("type", "the result", anywhere, f"{len(claim.columns)} columns", shown)
    else:
        for number, (kind, column) in enumerate(zip(claim.columns, seen.columns, strict=True), 1):
            for wrong, witness in _findings(kind, column, may, driver):
                place = f"column {number}"
                yield refuted(wrong.category, place, witness, spelled(kind), wrong.text)
    if claim.least and 0 in counts:
        yield refuted("rows", "rows", counts[0], "at least one row", "no row")
    if claim.most is not None and 2 in counts:
        yield refuted("rows", "rows", counts[2], "at most one row", "several rows")
    if known:
        for number, (kind, given) in enumerate(zip(claim.params, seen.params, strict=True), 1):
            if shown := sender.refusal(query.sql, seen.params, number, kind, driver):
                said = f"{spelled(kind)} for {given.name}"
                yield refuted("parameter", f"parameter {number}", anywhere, said, shown)


def _findings(
    kind: Kind, column: ColumnSeen, may: frozenset[int], driver: Driver
) -> list[tuple[Finding, Witness]]:
    """Return the first contradiction of each category."""
    found: dict[str, tuple[Finding, Witness]] = {}
    nulls = [witness for given, witness in column.null.items() if given <= may]
    values = [(text, w) for text, w in column.values.items() if w.nulls <= may]
    for text, witness in [*((None, w) for w in nulls), *values]:
        if wrong := unlike(kind, column.type, text, driver):
            found.setdefault(wrong.category, (wrong, witness))
    return list(found.values())
