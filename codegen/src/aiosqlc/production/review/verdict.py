"""Derive the verdict of a review, and the list of its findings."""

from __future__ import annotations

from collections.abc import Iterator

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.production.migrations.findings import count
from aiosqlc.production.recorded.shown import diagnostics
from aiosqlc.production.review.model import EntryReview, Order, Review
from aiosqlc.source import Span

_UNSAFE = "R002"
NOTHING = "Nothing to review: no query and no schema file changed"


def findings(review: Review) -> list[Diagnostic]:
    """Return the findings that a reviewer must decide about, with errors first."""
    found = [item for entry in review.touched for item in of_entry(entry)]
    return sorted(dict.fromkeys(found), key=lambda item: item.severity is not Severity.ERROR)


def of_entry(entry: EntryReview) -> Iterator[Diagnostic]:
    """Yield the findings of one entry."""
    reported = {(item.code, item.labels) for item in entry.errors}
    yield from entry.errors
    if entry.order:
        if not entry.errors:  # which are the same failures, seen without the release
            yield from entry.order.failing
        if not entry.order.safe and not entry.order.failing:
            yield _unsafe(entry, entry.order)
    for checked in entry.migrations:
        for item in checked.findings:
            # The order of deployment says more about queries that fail than M008.
            if item.code != "M008" and (item.code, item.labels) not in reported:
                yield item
    yield from diagnostics([one for one in entry.plans.changes if one.worse], entry.now)
    yield from entry.advice


def headline(review: Review) -> str:
    """Return the verdict in one line, without markup."""
    found = findings(review)
    errors = [item for item in found if item.severity is Severity.ERROR]
    others = [item for item in found if item not in errors and item.code != _UNSAFE]
    orders = _orders(review)
    parts = []
    if errors:
        parts.append(f"{count(len(errors), 'error')}: this change does not work")
    if not any(e.order and e.order.failing for e in review.touched):
        parts += orders
    if others:
        parts.append(count(len(others), "finding"))
    return "; ".join(parts) or "no finding"


def _orders(review: Review) -> list[str]:
    """Return the order of deployment; if the entries differ, return an order for each entry."""
    found = [(entry.name, entry.order.advice) for entry in review.touched if entry.order]
    if len({advice for _, advice in found}) > 1:
        return [f"{name}: {advice}" for name, advice in found]
    return [advice for _, advice in found[:1]]


def extent(review: Review) -> str:
    """Return the size of the change: `1 migration, 2 changed queries`."""
    entries = review.touched
    numbers = {
        "migration": sum(len(entry.pending) for entry in entries),
        "new query": sum(len(entry.queries.added) for entry in entries),
        "changed query": sum(len(entry.queries.changed) for entry in entries),
        "removed query": sum(len(entry.queries.removed) for entry in entries),
    }
    counted = ", ".join(count(number, kind) for kind, number in numbers.items() if number)
    if counted:
        return counted
    return "unreadable files" if any(entry.errors for entry in entries) else "edited schema files"


def _unsafe(entry: EntryReview, order: Order) -> Diagnostic:
    files = [*(one.migration for one in order.broken if one.migration), *entry.pending]
    labels = tuple(Label(file, Span(0, 0)) for file in files[:1])
    message, _, hint = order.advice.partition(": ")
    return Diagnostic(_UNSAFE, message, labels, hint, Severity.WARNING)
