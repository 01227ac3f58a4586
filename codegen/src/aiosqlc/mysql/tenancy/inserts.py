"""Convert an INSERT or REPLACE to a query from which tenant separation is proved.

The query includes the existing rows that the statement may replace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlglot import exp

from aiosqlc.mysql.functions import name_of
from aiosqlc.mysql.known_fields import is_understood
from aiosqlc.mysql.levels import limit_of
from aiosqlc.mysql.relations import Relation
from aiosqlc.mysql.scope import Level, Output, unwrap
from aiosqlc.mysql.tenancy.facts import OTHER, derived, number_of, opaque
from aiosqlc.mysql.tenancy.lowering import TenantLowering
from aiosqlc.mysql.writes import replaces
from aiosqlc.relational import tree
from aiosqlc.relational.tree import (
    Column,
    Command,
    Condition,
    Conflict,
    Derived,
    Equality,
    Expr,
    From,
    Leaf,
    Parameter,
    Query,
    Values,
)

if TYPE_CHECKING:
    from aiosqlc.mysql.tenancy.statement import Statement

_NEW_ROW = frozenset({"VALUES", "VALUE"})
_EXCLUDED = 3
"""The number of the FROM item that stands for the new row."""


class _Given(Struct, frozen=True):
    """The rows of an INSERT: the FROM item, the columns' names, and the alias of a new row."""

    source: tree.Source
    names: tuple[str, ...]
    alias: str = ""


def insert_of(node: exp.Insert, statement: Statement) -> Query:
    """Convert an INSERT or REPLACE to a `Query`."""
    level = statement.reader.levels.get(id(node))
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    if level is None or len(level.sources) != 1 or not all(map(is_understood, (node, target))):
        return OTHER
    statement.seen.add(id(target))
    relation = level.sources[0].relation
    if relation is None:
        return OTHER
    return _Insert(node, level, statement, relation).whole_insert()


class _Insert(TenantLowering):
    """Converts one INSERT or REPLACE to a `Query`."""

    def __init__(
        self, node: exp.Insert, level: Level, statement: Statement, relation: Relation
    ) -> None:
        super().__init__(node, level, statement, ())
        self.relation = relation

    def whole_insert(self) -> Query:
        """Convert the statement to a `Query`."""
        node, given = self.node, self.given()
        if given is None:
            return OTHER
        clauses = [node.args.get("conflict"), node.args.get("returning")]
        if isinstance(node.expression, exp.Values):
            clauses.append(node.expression)
        links = [link for part in clauses if part is not None for link in self.sub_selects(part)]
        return Query(
            command=Command.INSERT,
            sources=(self.statement.stored(self.relation), given.source, tree.Source()),
            root=From(items=(Leaf(source=2),), every_row=True),
            reads_from=(2,),
            outputs=lambda: self.returned(node),
            plain_list=True,
            limit=limit_of(node),
            target=1,
            no_windows=True,
            conflict=self.conflict(given),
            assigned=lambda: self.assigned(given),
            subqueries=lambda: links,
            calls=lambda: (*self.statement.calls, *self.statement.fired(self.relation, node)),
            name=lambda _number: self.level.sources[0].alias,
        )

    def given(self) -> _Given | None:
        """Return the rows that the statement inserts, or None if they are unknown."""
        node, relation = self.node, self.relation
        shown = [c.name for c in relation.table.columns if c.name.lower() not in relation.invisible]
        listed = node.this.expressions if isinstance(node.this, exp.Schema) else None
        names = tuple(shown if listed is None else [column.name for column in listed])
        values = node.expression
        if isinstance(values, exp.Query):
            return _Given(derived(self.statement.select(values, (self.level,))), names)
        if not isinstance(values, exp.Values) or any(
            value and name not in {"expressions", "alias"} for name, value in values.args.items()
        ):
            return None
        rows = [row.expressions for row in values.expressions]
        if not rows or any(len(row) != len(names) for row in rows):
            return None
        lists = [[self.new(value) for value in row] for row in rows]
        return _Given(Values(rows=len(rows), lists=lambda: lists), names, values.alias)

    def new(self, node: exp.Expr) -> Expr:
        """Convert a value of VALUES; any value except a parameter becomes an unknown expression."""
        found = self.expr(node)
        return found if isinstance(found, Parameter) else opaque(node)

    def assigned(self, given: _Given) -> Mapping[int, Expr]:
        """Return the values of the new rows by column."""
        found: dict[int, Expr] = {}
        for position, name in enumerate(given.names, 1):
            value = self.selected(position)
            kept = self.statement.keeps(self.node, self.relation, name, value)
            stored = Column(source=2, column=position) if kept else opaque(name)
            found[number_of(self.relation, name)] = stored
        return found

    def selected(self, position: int) -> Output | None:
        """Return a column of INSERT … SELECT, or None for a parameter and for VALUES."""
        query = self.node.expression
        if not isinstance(query, exp.Query):
            return None
        items = query.expressions if isinstance(query, exp.Select) else []
        if not any(item.is_star for item in items) and len(items) >= position:
            item = items[position - 1]
            value = unwrap(item.this if isinstance(item, exp.Alias) else item)
            if isinstance(value, exp.Placeholder):
                return None
        outputs = self.reader.known(query).outputs or ()
        return outputs[position - 1] if len(outputs) >= position else Output("", None)

    # --- conflicts ----------------------------------------------------------------------------

    def conflict(self, given: _Given) -> Conflict | None:
        """Return how the statement may change existing rows, or None if it cannot."""
        clause = self.node.args.get("conflict")
        if clause is None and not replaces(self.node):
            return Conflict(does_nothing=True) if self.node.args.get("ignore") else None
        items = clause.expressions if clause is not None else []
        known = all(isinstance(i, exp.EQ) and isinstance(i.this, exp.Column) for i in items)
        columns = [number_of(self.relation, i.this.name) for i in items] if known else []
        return Conflict(
            updates=True,
            key=self.shared(),
            sets=frozenset(columns) if known else None,
            assigned=lambda: {
                column: self.updated(item.expression, given)
                for column, item in zip(columns, items, strict=False)
            },
            conditions=self.guard(items, given) if columns else (),
            excluded=_EXCLUDED,
        )

    def shared(self) -> frozenset[int]:
        """Return the columns in which a new row always equals the rows with which it conflicts."""
        columns, collations = self.relation.table.columns, self.relation.collations
        names = {c.name.lower() for c in columns}.intersection(*self.relation.arbiters)
        return frozenset(
            number
            for number, c in enumerate(columns, 1)
            if c.name.lower() in names
            and self.statement.facts.exact(c.type, collations.get(c.name.lower(), ""))
        )

    def updated(self, node: exp.Expr, given: _Given) -> Expr:
        """Convert a value that ON DUPLICATE KEY UPDATE assigns."""
        node = unwrap(node)
        new = ""
        if name_of(node) in _NEW_ROW and len(node.expressions) == 1:
            new = node.expressions[0].name
        elif isinstance(node, exp.Column) and given.alias and node.table == given.alias:
            new = node.name
        if new:
            return Column(source=_EXCLUDED, column=number_of(self.relation, new))
        if isinstance(node, exp.Column) and isinstance(given.source, Derived):
            return opaque(node)  # it may be a column of the SELECT
        return self.expr(node)

    def guard(self, items: Sequence[exp.Expr], given: _Given) -> tuple[Condition, ...]:
        """Return `equality` if ON DUPLICATE KEY UPDATE has only `c = IF(equality, value, c)`.

        An existing row that does not satisfy the equality stays unchanged. No assignment may change
        an operand of the equality. In INSERT … SELECT, a name may be a column of the SELECT.
        """
        if isinstance(given.source, Derived):
            return ()
        tests = [test for item in items if (test := self._guarded(item, given)) is not None]
        written = {item.this.name.lower() for item in items}
        if len(tests) < len(items) or len(set(map(_places, tests))) > 1:
            return ()
        left, right = tests[0]
        columns = self.level.sources[0].outputs or ()
        for side in (left, right):
            if not isinstance(side, Column | Parameter) or (
                isinstance(side, Column) and columns[side.column - 1].name.lower() in written
            ):
                return ()
        return (Condition(handle=items[0], meaning=Equality(left=left, right=right, image=True)),)

    def _guarded(self, item: exp.Expr, given: _Given) -> tuple[Expr, Expr] | None:
        """Return the operands of `IF(x = y, value, c)` in an assignment to `c`, or None."""
        value = unwrap(item.expression)
        test = unwrap(value.this) if isinstance(value, exp.If) else None
        kept = unwrap(value.args.get("false") or value)
        if not isinstance(test, exp.EQ) or not isinstance(kept, exp.Column):
            return None
        if kept.name.lower() != item.this.name.lower() or kept.table == given.alias != "":
            return None
        nodes = unwrap(test.this), unwrap(test.expression)
        left, right = (self.updated(node, given) for node in nodes)
        columns = self.level.sources[0].outputs or ()
        outputs = [
            columns[side.column - 1] if isinstance(side, Column) and side.column else None
            for side in (left, right)
        ]
        mine, theirs = outputs
        if mine is not None and theirs is not None:
            alike = self.alike(mine, theirs)
        else:
            column, other = (mine, nodes[1]) if mine is not None else (theirs, nodes[0])
            alike = column is not None and self.takes(column, other)
        return (left, right) if alike else None


def _places(sides: tuple[Expr, Expr]) -> tuple[object, ...]:
    """Return the columns and parameters of an equality, to compare it with other equalities."""
    return tuple(
        (side.source, side.column)
        if isinstance(side, Column)
        else side.number
        if isinstance(side, Parameter)
        else id(side)
        for side in sides
    )
