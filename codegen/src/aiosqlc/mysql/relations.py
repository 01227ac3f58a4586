"""Tables, views and routines of a schema, as read from a server or from the schema files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct, field

from aiosqlc.ir import Constraint, JsonShape, SqlType, Table, TableColumn
from aiosqlc.mysql.rules import STRICT, Premises

# sqlc's name for the database in which the queries run.
DEFAULT = "public"


class Reference(Struct, frozen=True):
    """A foreign key of another table to this one: the referenced columns, and the actions.

    The actions (ON UPDATE, ON DELETE) are `CASCADE`, `SET NULL`, `RESTRICT` or `NO ACTION`.
    """

    key: Constraint
    columns: tuple[str, ...]
    on_update: str
    on_delete: str


class Relation(Struct, frozen=True):
    """A table or view.

    `unique` lists the keys on whole columns. `collations` lists the collations of text columns.

    `invisible` are the lower-case names of columns that `*` omits. `generated` are the names of
    computed columns, and `counted` are the names of auto-increment columns. `unproved_reading` is
    the reason why reading a view is not proved to have no effects. `settled_late` are the kinds of
    values whose type may change when a query reads the view. `referring` are the foreign keys that
    refer to this table. `triggers` are the events that fire a trigger, and `fired` also has the
    names of the triggers. `arbiters` lists every unique key, but without its parts that are
    prefixes or expressions. `definition` is the SELECT of a view, and `made_of` are the databases
    and names of the relations that the view reads. `transactional` means that the server can undo a
    statement, so that strict mode rejects invalid values. `padded` are the columns with ZEROFILL.
    `shapes` are the structures of a view's JSON columns.
    """

    table: Table
    unique: tuple[tuple[str, ...], ...] = ()
    collations: Mapping[str, str] = field(default_factory=dict)
    invisible: frozenset[str] = frozenset()
    generated: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    unproved_reading: str = ""
    settled_late: frozenset[str] = frozenset()
    referring: tuple[Reference, ...] = ()
    triggers: frozenset[str] = frozenset()
    fired: frozenset[tuple[str, str]] = frozenset()
    arbiters: tuple[frozenset[str], ...] = ()
    definition: str = ""
    transactional: bool = False
    made_of: tuple[tuple[str, str], ...] = ()
    padded: frozenset[str] = frozenset()
    shapes: Mapping[str, JsonShape] = field(default_factory=dict)

    def column(self, name: str) -> TableColumn | None:
        """Return the column that has this name, ignoring case."""
        wanted = name.lower()
        return next(
            (column for column in self.table.columns if column.name.lower() == wanted), None
        )

    @property
    def is_view(self) -> bool:
        """Return whether the relation is a view."""
        return self.table.kind == "view"


class Routine(Struct, frozen=True):
    """A stored procedure or function: its parameters in order, and a function's result type.

    `body` is the text of a procedure's body. `modes` has IN, OUT or INOUT for each parameter of a
    procedure.
    """

    name: str
    params: tuple[tuple[str, SqlType], ...]
    returns: SqlType | None = None
    body: str = ""
    modes: tuple[str, ...] = ()


class Schema(Struct, frozen=True, dict=True):
    """Every table, view and routine that a query may use.

    `lost` are the lower-case names of tables whose statements could not be parsed. `premises`
    decides whether preconditions of proof rules are met.
    """

    relations: tuple[Relation, ...] = ()
    routines: tuple[Routine, ...] = ()
    never_null: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    premises: Premises = STRICT

    def relation(self, name: str, schema: str = "") -> Relation | None:
        """Return the table or view that has this name; a name in the same case takes precedence."""
        wanted = schema or DEFAULT
        if wanted.lower() == "information_schema":  # the only database whose name ignores case
            wanted = wanted.lower()
        exact = self._by_name.get((wanted, name))
        return exact or self._by_lower_name.get((wanted, name.lower()))

    @cached_property
    def has_json(self) -> bool:
        """Return whether a table or view has a JSON column."""
        types = (column.type.name for r in self.relations for column in r.table.columns)
        return "json" in types or any(relation.shapes for relation in self.relations)

    @cached_property
    def has_padded(self) -> bool:
        """Return whether a table has a column with ZEROFILL."""
        return any(relation.padded for relation in self.relations)

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Relation]:
        return {(r.table.schema, r.table.name): r for r in self.relations}

    @cached_property
    def _by_lower_name(self) -> dict[tuple[str, str], Relation]:
        return {(r.table.schema, r.table.name.lower()): r for r in reversed(self.relations)}

    def routine(self, name: str) -> Routine | None:
        """Return the procedure or function that has this name."""
        return next((r for r in self.routines if r.name.lower() == name.lower()), None)
