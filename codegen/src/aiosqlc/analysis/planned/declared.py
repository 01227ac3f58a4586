"""The distribution of a column's values, as a project without production declares it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distribution:
    """A declared distribution of the values of a column.

    `values` are the shares of all rows by value. `distinct` is the number of distinct values, and
    `nulls` is the share of rows with NULL; both are None if they are not declared.
    """

    values: tuple[tuple[str, float], ...] = ()
    distinct: int | None = None
    nulls: float | None = None
