"""A table of the random statements, and the rows that its data sets have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stored:
    """A table: its columns, the tables that it refers to by column, and the rows of tenant 1.

    `own` is a condition on a row. `unique` means that `n` is unique within the row's owner, and
    `required` that the tenant is not NULL. `whole` foreign keys contain the tenant. `computed` are
    generated columns, each with the column from which it is copied.

    `known` rows belong to no tenant, and are the same in each data set. `foreign` rows belong to
    other tenants only. `clashing` rows of other tenants have the numbers of rows of tenant 1.
    `loose` foreign keys may refer to rows of other tenants, or to no row. A `parent` has a table
    that inherits from it. The rows of an `unchecked` table are changed by a trigger, so they are
    not compared.
    """

    columns: tuple[str, ...]
    refers: Mapping[str, str]
    own: str
    unique: bool = False
    required: bool = False
    whole: bool = False
    computed: Mapping[str, str] = field(default_factory=dict)
    known: bool = False
    foreign: bool = False
    clashing: bool = False
    loose: bool = False
    parent: bool = False
    unchecked: bool = False

    @property
    def given(self) -> tuple[str, ...]:
        """The columns to which a statement may assign a value."""
        return tuple(column for column in self.columns if column not in self.computed)
