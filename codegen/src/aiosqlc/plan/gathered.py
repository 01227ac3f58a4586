"""Collect the classes that queries can share: for enums, composites, tables and named rows."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import TypedQuery
from aiosqlc.plan.model import PyClass, PyEnum

Name = tuple[str, str]
"""A schema, and the name of an object in it."""
Kind = tuple[str, str, str]
"""The object from which a class is made: its kind, its schema and its name.

The kind is `enum`, `type`, `table`, `row class` or `stored JSON`.
"""


class Gathered(Struct):
    """The shared classes, ordered by first use; `stored` are the classes of JSON Schema files."""

    enums: dict[Name, PyEnum] = field(default_factory=dict)
    composites: dict[Name, PyClass] = field(default_factory=dict)
    tables: dict[Name, PyClass] = field(default_factory=dict)
    rows: dict[str, PyClass] = field(default_factory=dict)
    stored: dict[str, PyClass] = field(default_factory=dict)

    def add(self, other: Gathered) -> None:
        """Add those classes of another collection that this collection does not have yet."""
        for name, enum in other.enums.items():
            self.enums.setdefault(name, enum)
        for name, cls in other.composites.items():
            self.composites.setdefault(name, cls)
        for name, cls in other.tables.items():
            self.tables.setdefault(name, cls)
        for word, cls in other.rows.items():
            self.rows.setdefault(word, cls)
        for word, cls in other.stored.items():
            self.stored.setdefault(word, cls)

    @property
    def named(self) -> Iterator[tuple[Kind, str]]:
        """Yield each class's name, with the database object that it comes from."""
        for kind, found in (
            ("enum", self.enums),
            ("type", self.composites),
            ("table", self.tables),
        ):
            for (schema, name), made in found.items():
                yield (kind, schema, name), made.name
        for name in self.rows:
            yield ("row class", "", name), name
        for name, cls in self.stored.items():
            yield ("stored JSON", "", name), cls.name

    @property
    def classes(self) -> tuple[PyClass, ...]:
        """Return all classes."""
        return (
            *self.composites.values(),
            *self.tables.values(),
            *self.rows.values(),
            *self.stored.values(),
        )

    def other_shapes(self, rows: dict[str, PyClass], query: TypedQuery) -> list[Diagnostic]:
        """Report each row class whose columns differ from an earlier class with the same name."""
        return [
            Diagnostic(
                "E405",
                f"row class `{name}` has two different sets of columns",
                (Label(query.parsed.file, query.parsed.name_span, "this query's columns differ"),),
                hint="queries that share a row class must select the same names and types"
                " in the same order",
            )
            for name, cls in rows.items()
            if self.rows[name].fields != cls.fields
        ]
