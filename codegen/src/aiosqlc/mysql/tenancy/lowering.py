"""Convert one SELECT to a query from which tenant separation is proved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from aiosqlc.mysql import types
from aiosqlc.mysql.fixed import outer_columns
from aiosqlc.mysql.known_fields import is_understood
from aiosqlc.mysql.levels import Lowering, column_of, limit_of
from aiosqlc.mysql.scope import Join, Level, Output, Source, own_nodes, unwrap
from aiosqlc.mysql.tenancy.facts import OTHER, Frames, opaque
from aiosqlc.mysql.tenancy.nodes import expressions, parts
from aiosqlc.relational import tree
from aiosqlc.relational.tree import (
    Column,
    Command,
    Condition,
    Equality,
    Expr,
    Opaque,
    Parameter,
    Query,
)

if TYPE_CHECKING:
    from aiosqlc.mysql.tenancy.statement import Statement

_DISTINCT = tree.Key(expr=Opaque(key="distinct", args=()))


class TenantLowering(Lowering):
    """Converts one SELECT, INSERT, UPDATE or DELETE; `frames` are the scopes around it."""

    def __init__(self, node: exp.Expr, level: Level, statement: Statement, frames: Frames) -> None:
        super().__init__(node, level, statement.reader)
        self.statement = statement
        self.frames = frames

    def whole(self, node: exp.Select) -> Query:
        """Convert a SELECT to a `Query`."""
        level, group = self.level, node.args.get("group")
        clauses = [node.args.get(name) for name in ("group", "distinct")]
        read = [*parts(node), *(clause for clause in clauses if clause is not None)]
        root, links = self.root(node), self.sub_selects(node)
        sources = self.sources()
        unsafe = self.is_ambiguous() or self.reads_another_row(node)
        if root is None or unsafe or not all(map(is_understood, read)):
            return OTHER
        outputs = self.reader.known(node).outputs
        summed = level.aggregated or level.grouped or level.bare_is_null
        return Query(
            command=Command.SELECT,
            sources=sources,
            root=root,
            reads_from=tuple(range(1, len(sources) + 1)),
            outputs=lambda: self.outputs(outputs, group),
            plain_list=True,
            grouping_sets=None if level.rollup else (),
            one_group=group is None and summed,
            no_locks=not node.args.get("locks"),
            distinct_keys=() if node.args.get("distinct") is None else (_DISTINCT,),
            limit=limit_of(node),
            no_windows=not any(isinstance(n, exp.Window) for n in own_nodes(node)),
            subqueries=lambda: links,
            calls=lambda: self.statement.calls,
            name=self.name,
        )

    def is_ambiguous(self) -> bool:
        """Return whether a qualified name may mean a column of two FROM items."""
        names = [source.alias for source in self.level.sources]
        return len(set(names)) < len(names)

    def reads_another_row(self, node: exp.Select) -> bool:
        """Return whether a sub-select in HAVING uses columns of this SELECT.

        MariaDB 10.11 may then read a row after the group, which another tenant may own.
        """
        having = node.args.get("having")
        return having is not None and any(
            outer_columns(inner, self.level, self.reader) != [] for inner in expressions(having)
        )

    def name(self, number: int) -> str:
        """Return the name of a FROM item."""
        sources = self.level.sources
        return sources[number - 1].alias if number <= len(sources) else ""

    def source(self, source: Source) -> tree.Source:
        """Convert a FROM item."""
        return self.statement.source(source, (self.level, *self.frames))

    def sub_selects(self, node: exp.Expr) -> tuple[Query, ...]:
        """Return the sub-selects in expressions, without those in FROM and WITH."""
        around = (self.level, *self.frames)
        return tuple(self.statement.select(found, around) for found in expressions(node))

    def returned(self, node: exp.Expr) -> Sequence[Expr]:
        """Return the columns of RETURNING, as unknown expressions."""
        clause = node.args.get("returning")
        return [opaque(item) for item in clause.expressions] if clause is not None else []

    # --- conditions ---------------------------------------------------------------------------

    def joined(self, join: Join) -> Iterator[Condition]:
        """Yield the conditions of a join, including the equalities of USING and NATURAL."""
        yield from super().joined(join)
        for name in join.using:
            sides = [
                [
                    (source, output)
                    for number in sorted(side)
                    if (output := (source := self.level.sources[number]).output(name))
                ]
                for side in (join.left, join.right)
            ]
            if all(len(side) == 1 for side in sides):
                (left,), (right,) = sides
                if self.alike(left[1], right[1]):
                    equality = Equality(
                        left=self.column(*left), right=self.column(*right), image=True
                    )
                    yield Condition(handle=join, meaning=equality)

    def equality(self, left: exp.Expr, right: exp.Expr) -> Equality | None:
        """Return an equality that is true only for values of the same tenant, or None."""
        mine, theirs = self._resolved(left), self._resolved(right)
        if mine is not None and theirs is not None:
            image = self.alike(mine, theirs)
        else:
            column, value = (mine, right) if mine is not None else (theirs, left)
            image = column is not None and self.takes(column, value)
        if not image:
            return None
        return Equality(left=self.expr(left), right=self.expr(right), image=True)

    def _resolved(self, node: exp.Expr) -> Output | None:
        found = self.level.resolve(node) if isinstance(node, exp.Column) else None
        return found[2] if found is not None else None

    def alike(self, one: Output, other: Output) -> bool:
        """Return whether equal values of two columns always belong to the same tenant."""
        if one.type is None or other.type is None:
            return False
        same = types.family(one.type) == types.family(other.type)
        if types.family(one.type) == "text":
            same = one.type.name == other.type.name or "uuid" not in (
                one.type.name,
                other.type.name,
            )
            same = same and one.collation == other.collation
        return same and all(self.statement.facts.exact(o.type, o.collation) for o in (one, other))

    def takes(self, column: Output, value: exp.Expr) -> bool:
        """Return whether a value is a parameter that has the type of the column."""
        given = self.reader.parameter_type(value) if isinstance(value, exp.Placeholder) else None
        return (
            given is not None
            and column.type is not None
            and self.statement.facts.holds_tenants(column.type)
            and types.family(given) == types.family(column.type)
            and self.statement.facts.exact(column.type, column.collation)
        )

    # --- expressions --------------------------------------------------------------------------

    def expr(self, node: exp.Expr) -> Expr:
        """Convert a column or a parameter; nothing is known of other expressions."""
        node = unwrap(node)
        if isinstance(node, exp.Placeholder):
            place = self.reader.tree.place(node)
            return Parameter(number=place.number) if place is not None else opaque(node)
        found = self.level.resolve(node) if isinstance(node, exp.Column) else None
        if found is None:
            return opaque(node)
        level, source, output = found
        if level is self.level:
            return self.column(source, output)
        for up, around in enumerate(self.frames, 1):
            if around is level:
                made = column_of(source, output, level)
                return Column(source=made.source, column=made.column, level=up, absent=made.absent)
        return opaque(node)

    def value(self, node: exp.Expr, output: Output) -> Expr:
        """Convert an item of a select list."""
        del output
        return self.expr(node)
