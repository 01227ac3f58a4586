"""Merge diagnostics with the same cause, and sort them by the number of affected queries."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Severity

_NAMED = 5  # most queries that a note names
_OWN = {"E300"}  # errors in one query's own text, which are never merged


def merged(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Merge equal diagnostics of several configuration entries."""
    found: dict[Diagnostic, dict[str, None]] = {}
    for item in diagnostics:
        found.setdefault(replace(item, costs=()), {}).update(dict.fromkeys(item.costs))
    return [replace(item, costs=tuple(costs)) for item, costs in found.items()]


def by_cost(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Merge findings with the same cause; list the findings that affect the most queries first.

    Two errors have the same cause if the server's message is the same. Other findings keep their
    order.
    """
    causes: dict[object, Diagnostic] = {}
    for number, item in enumerate(diagnostics):
        shared = item.severity is Severity.ERROR and bool(item.costs) and item.code not in _OWN
        key = (item.code, item.message, item.hint) if shared else number
        known = causes.get(key)
        costs = tuple(dict.fromkeys((*known.costs, *item.costs))) if known else item.costs
        causes[key] = replace(known or item, costs=costs)
    ordered = sorted(causes.values(), key=_order)
    return [_with_affected(item) for item in ordered]


def _order(item: Diagnostic) -> int:
    return -len(item.costs) if len(item.costs) > 1 else 0


def _with_affected(item: Diagnostic) -> Diagnostic:
    """Add a note with the number and names of the affected queries, except one in the label."""
    if item.code.startswith("E2"):
        lost = item.costs
        lead = "query does" if len(lost) == 1 else "queries do"
        text = f"{len(lost)} {lead} not compile because of this error"
    else:  # the label shows the first query
        lost = item.costs[1:]
        text = f"the same error in {len(lost)} more quer{'y' if len(lost) == 1 else 'ies'}"
    if not lost:
        return item
    more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    return replace(item, notes=(*item.notes, f"{text}: {', '.join(lost[:_NAMED])}{more}"))
