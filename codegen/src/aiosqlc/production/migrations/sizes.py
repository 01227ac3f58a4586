"""Estimate how long a dangerous statement runs, from the sizes of tables in production."""

from __future__ import annotations

from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.analysis.watched.observed import Observed

_BLOCK = 8192
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_PER_SECOND = 100_000_000  # bytes; a usual network disk reads about as much
_THOUSAND = 1000
_MINUTE = 60


def size_notes(seen: Observed, statistics: Statistics | None) -> tuple[str, ...]:
    """Return a note on the size of each table whose rows a statement reads, copies or changes."""
    if statistics is None:
        return ()
    known = {
        item.name if item.schema == "public" else f"{item.schema}.{item.name}": item
        for item in statistics.relations
    }
    names = dict.fromkeys((*seen.rewritten, *seen.scanned, *seen.indexed, *seen.changed))
    notes = []
    for name in names:
        size = known.get(name)
        if size is not None and size.rows >= 0:
            total = size.pages * _BLOCK
            notes.append(
                f"in production, {name} has about {size.rows:,.0f} rows in {_bytes(total)}:"
                f" reading them at 100 MB/s takes {_time(total / _PER_SECOND)}"
            )
    return tuple(notes)


def _bytes(size: float) -> str:
    for unit in _UNITS[:-1]:
        if size < _THOUSAND:
            return f"{size:.0f} {unit}"
        size /= _THOUSAND
    return f"{size:.0f} {_UNITS[-1]}"


def _time(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    if seconds < 2 * _MINUTE:
        return f"about {seconds:.0f} s"
    return f"about {seconds / _MINUTE:.0f} min"
