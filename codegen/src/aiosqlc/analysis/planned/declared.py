"""The declared distribution of a column's values, for a project without a production database."""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.analysis.planned.pulled import PullError


class Distribution(Struct, frozen=True):
    """A declared distribution of the values of a column.

    `values` has pairs of a value and the share of all rows that have it. `distinct` is the number
    of distinct values, and `nulls` is the share of rows with NULL. Each of the two is None if it is
    not declared.
    """

    values: tuple[tuple[str, float], ...] = ()
    distinct: int | None = None
    nulls: float | None = None

    @property
    def never(self) -> frozenset[str]:
        """Return the values that are declared to occur in no row."""
        return frozenset(value for value, share in self.values if not share)


class Contradiction(Struct, frozen=True):
    """A declared distribution of a column's values that is impossible in the schema.

    `key` is the declared property (`nulls`, `distinct` or `values`).
    """

    schema: str
    table: str
    column: str
    key: str
    message: str
    hint: str = ""


class ContradictionsError(PullError):
    """Raised if declared distributions contradict the schema, the number of rows or each other."""

    def __init__(self, found: tuple[Contradiction, ...]) -> None:
        super().__init__("; ".join(one.message for one in found))
        self.found = found
