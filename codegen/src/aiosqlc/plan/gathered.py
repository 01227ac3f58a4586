"""What queries need of the module they share: enums, composites, rows of tables, named rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import TypedQuery
from aiosqlc.plan.model import PyClass, PyEnum

Name = tuple[str, str]
"""A schema and a name in it."""
Kind = tuple[str, str, str]
"""What a class is made for: `enum`, `type`, `table` or `row class`, its schema and its name."""


@dataclass
class Gathered:
    """Shared classes in the order in which queries first need them."""

    enums: dict[Name, PyEnum] = field(default_factory=dict)
    composites: dict[Name, PyClass] = field(default_factory=dict)
    tables: dict[Name, PyClass] = field(default_factory=dict)
    rows: dict[str, PyClass] = field(default_factory=dict)

    def add(self, other: Gathered) -> None:
        """Add what another needs and is not there yet."""
        for name, enum in other.enums.items():
            self.enums.setdefault(name, enum)
        for name, cls in other.composites.items():
            self.composites.setdefault(name, cls)
        for name, cls in other.tables.items():
            self.tables.setdefault(name, cls)
        for word, cls in other.rows.items():
            self.rows.setdefault(word, cls)

    @property
    def named(self) -> Iterator[tuple[Kind, str]]:
        """Yield what each class is made for, and how it is called."""
        for kind, found in (
            ("enum", self.enums),
            ("type", self.composites),
            ("table", self.tables),
        ):
            for (schema, name), made in found.items():
                yield (kind, schema, name), made.name
        for name in self.rows:
            yield ("row class", "", name), name

    @property
    def classes(self) -> tuple[PyClass, ...]:
        """All classes."""
        return (*self.composites.values(), *self.tables.values(), *self.rows.values())

    def other_shapes(self, rows: dict[str, PyClass], query: TypedQuery) -> list[Diagnostic]:
        """Return which of a query's named rows are not what an earlier query made of the name."""
        return [
            Diagnostic(
                "E405",
                f"row class `{name}` has two shapes",
                (Label(query.parsed.file, query.parsed.name_span, "this query's columns differ"),),
                hint="queries that share a row class select the same names and types in the same"
                " order",
            )
            for name, cls in rows.items()
            if self.rows[name].fields != cls.fields
        ]
