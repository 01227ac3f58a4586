"""Format a row of a query's result for people."""

from __future__ import annotations

from collections.abc import Sequence

_WIDEST = 40  # most characters of a value
_MOST_CELLS = 12


def show_row(heads: Sequence[tuple[str, bool]], cells: Sequence[str | None]) -> str:
    """Format a row as `id = 1, bio = NULL`; a row with many columns is shortened.

    `heads` has, for each column, the name and whether the values are numbers.
    """
    pairs = [
        f"{name} = {_shown(cell, number=number)}"
        for (name, number), cell in zip(heads, cells, strict=True)
    ]
    return ", ".join(pairs[:_MOST_CELLS]) + (", …" if len(pairs) > _MOST_CELLS else "")


def _shown(value: str | None, *, number: bool) -> str:
    if value is None:
        return "NULL"
    cut = value if len(value) <= _WIDEST else value[:_WIDEST] + "…"
    return cut if number else "'" + cut.replace("'", "''") + "'"


def describe_count(count: int, *, written: bool) -> str:
    """Describe the number of rows returned or written."""
    rows = "1 row" if count == 1 else f"{count or 'no'} rows"
    return f"{rows} written" if written else rows
