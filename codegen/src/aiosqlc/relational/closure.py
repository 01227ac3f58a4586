"""Find columns with one value in all result rows, and FROM items with at most one row.

A column with one value is called *fixed*. It is *exact* if all its values are the same stored
value. Then it can be an argument of any function. Otherwise it is only *equal*: an equality
operator compares it with a fixed value, but this operator can treat different values as equal (`1.0
= 1.00`, case-insensitive text). Then it can only be an operand of another equality of the same
kind, or match a unique key of the same kind.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from aiosqlc.relational.joins import conditions_of, joins_of
from aiosqlc.relational.tree import (
    Class,
    Column,
    Command,
    Constant,
    CteUse,
    Derived,
    Equality,
    Expr,
    Function,
    Grouped,
    JoinKind,
    KeyPart,
    Merged,
    NoTable,
    Opaque,
    Parameter,
    Query,
    Subquery,
    Table,
    UniqueKey,
    Values,
)

if TYPE_CHECKING:
    from aiosqlc.relational.rows import RowCounter


class Binding(Struct, frozen=True):
    """The restriction of a column to one value, or to values that some operators treat as equal."""

    exact: bool
    classes: frozenset[Class]
    collation: Hashable


EXACT = Binding(True, frozenset(), None)


class Closure:
    """The columns that a query's conditions fix to one value, and FROM items limited to one row.

    `given` are the result columns that the outer query fixes, by number. `pinned` are further
    expressions that are assumed to have one value. `fixed` are FROM items that are assumed to have
    one row.
    """

    def __init__(
        self,
        counter: RowCounter,
        query: Query,
        given: Mapping[int, Binding] | None = None,
        *,
        fixed: frozenset[int] = frozenset(),
        pinned: Sequence[tuple[Expr, Binding]] = (),
    ) -> None:
        self.counter = counter
        self.engine = counter.engine
        self.query = query
        self.columns: dict[tuple[int, int], Binding] = {}
        self.expressions: dict[Hashable, Binding] = {}
        self.determined: set[int] = set(fixed)
        self.exact_sources: set[int] = set(fixed)
        self.why: dict[int, str] = {}
        self._conditions = list(conditions_of(query.root))
        full = any(join.kind is JoinKind.FULL for join in joins_of(query.root))
        self.has_full_join = not self.engine.holds("unique-key", "no FULL JOIN", not full)
        self._give(given or {})
        for expr, binding in pinned:
            self._pin(self.resolve(expr), binding)
        if not self.has_full_join:
            self._settle()

    def _give(self, given: Mapping[int, Binding]) -> None:
        outputs = self.query.outputs() if given else ()
        for number, binding in given.items():
            if 0 < number <= len(outputs):
                self._pin(self.resolve(outputs[number - 1]), binding)

    def _settle(self) -> None:
        changed = True
        while changed:
            changed = False
            for side, condition in self._conditions:
                if isinstance(condition.meaning, Equality):
                    changed |= self._apply(side, condition.meaning)
                elif condition.meaning is not None and self._allowed(side, condition.meaning):
                    changed |= self._pin(condition.meaning, EXACT)
            for source in self.query.reads_from:
                if source not in self.determined and self._determine(source):
                    self.determined.add(source)
                    changed = True
                unsettled = source in self.determined and source not in self.exact_sources
                if unsettled and self._is_exact_source(source):
                    self.exact_sources.add(source)
                    changed = True

    @property
    def all_determined(self) -> bool:
        """Return whether each FROM item contributes at most one row to the result."""
        return self.determined.issuperset(self.query.reads_from)

    # --- equalities ---------------------------------------------------------------------------

    def _apply(self, side: frozenset[int] | None, equality: Equality) -> bool:
        """Record the columns that an equality fixes, and return whether any of them is new.

        The ON condition of an outer join fixes only columns of the join's optional side.
        """
        changed = False
        left = self.resolve(equality.left), equality.left_classes
        right = self.resolve(equality.right), equality.right_classes
        for (pinned, classes), (source, given) in ((left, right), (right, left)):
            if self._allowed(side, pinned):
                families = self._fixing(source, given, equality)
                binding = Binding(
                    self._is_image(pinned, equality) and bool(families),
                    frozenset(c for c in classes if c[0] in families),
                    equality.collation,
                )
                changed |= bool(families) and self._pin(pinned, binding)
        return changed

    def _allowed(self, side: frozenset[int] | None, expr: Expr) -> bool:
        sources = {column.source for column in columns_of(expr)}
        return bool(sources) and self.engine.holds(
            "unique-key",
            "ON of an outer join restricts only the joined table",
            side is None or sources <= side,
        )

    def _fixing(
        self, source: Expr, classes: frozenset[Class], equality: Equality
    ) -> frozenset[Hashable]:
        """Return the operator families that treat all values of an operand as equal."""
        if self.is_exact(source, direct=True):
            return equality.families
        binding = self._binding(source)
        if binding is None or (
            binding.collation != equality.collation
            and not self.engine.deterministic(binding.collation)
        ):
            return frozenset()
        return frozenset(family for family, _ in binding.classes & classes)

    def _binding(self, expr: Expr) -> Binding | None:
        if isinstance(expr, Column) and not expr.level:
            return self.columns.get((expr.source, expr.column))
        return None

    def _pin(self, expr: Expr, binding: Binding) -> bool:
        if isinstance(expr, Column) and not expr.level:
            key = (expr.source, expr.column)
            before = self.columns.get(key)
            if before is None or (binding.exact and not before.exact):
                self.columns[key] = binding
                return True
            return False
        if not isinstance(expr, Opaque) or expr.key in self.expressions:
            return False
        self.expressions[expr.key] = binding
        return True

    def _is_image(self, expr: Expr, equality: Equality) -> bool:
        """Return whether `expr` is a column, and only one stored value can satisfy the equality."""
        return (
            isinstance(expr, Column)
            and self.engine.holds(
                "unique-key", "the equality operator belongs to the index", equality.image
            )
            and self.engine.deterministic(equality.collation)
        )

    def resolve(self, expr: Expr) -> Expr:
        """Return the expression for which a column stands, or the column itself.

        A column stands for another expression if it is a GROUP BY key, if `JOIN … USING` merges it,
        or if a LATERAL subquery returns a column of this query unchanged.
        """
        while isinstance(expr, Column) and not expr.level and expr.column > 0:
            source = self.query.source(expr.source)
            if isinstance(source, Grouped | Merged) and not expr.absent:
                expr = source.behind(expr.column)
                continue
            beside = self._beside(source, expr) if isinstance(source, Derived) else None
            if beside is None:
                break
            expr = beside
        return expr

    def _beside(self, source: Derived, column: Column) -> Column | None:
        """Return the column of this query that a LATERAL subquery returns unchanged, or None.

        A subquery with grouping sets does not count, because they could replace the value by NULL.
        """
        inner = source.query() if source.reads else Query()
        plain = inner.arms is None and not inner.group_keys and inner.grouping_sets == ()
        if not plain or {self.query.command, inner.command} != {Command.SELECT}:
            return None
        shown = inner.outputs()[column.column - 1]
        if not isinstance(shown, Column) or shown.level != 1 or not shown.source:
            return None
        if not self.engine.holds(
            "unique-key",
            "no outer join sets the column of the LATERAL subquery to NULL",
            not column.absent,
        ):
            return None
        return msgspec.structs.replace(shown, level=0)

    def is_exact(self, expr: Expr, *, direct: bool = False) -> bool:
        """Return whether an expression has one value in all rows of the result.

        `direct` means that the expression is an operand of an equality that is never true for NULL.
        Elsewhere, a NULL from an outer join counts as a second value.
        """
        expr = self.resolve(expr)
        if isinstance(expr, Column):
            return self._is_exact_column(expr, direct=direct)
        if isinstance(expr, Subquery):
            return expr.one_value and self.engine.holds(
                "unique-key",
                "the other operand does not depend on a row of the table",
                not expr.reads,
            )
        if isinstance(expr, Opaque):
            return (
                expr.from_args
                and self.engine.holds(
                    "unique-key", "the other operand is not volatile", expr.stable
                )
                and all(self.is_exact(arg) for arg in expr.args)
            )
        return isinstance(expr, Constant | Parameter)

    def _is_exact_column(self, column: Column, *, direct: bool) -> bool:
        if column.level:
            return True
        if isinstance(self.query.source(column.source), Grouped):
            return False
        return (direct or not column.absent) and self._has_one_value(column)

    def _has_one_value(self, column: Column) -> bool:
        binding = self.columns.get((column.source, column.column))
        return column.source in self.exact_sources or (binding is not None and binding.exact)

    # --- sources ------------------------------------------------------------------------------

    def _determine(self, number: int) -> bool:
        """Return whether the fixed columns limit a FROM item to at most one row."""
        source = self.query.source(number)
        if isinstance(source, Table):
            key = next((k for k in self.engine.keys(source) if self._covers(number, k)), None)
            if key is not None:
                self.why[number] = (
                    f"all columns of the unique index {key.name} are compared with values"
                )
            return key is not None
        if isinstance(source, NoTable):
            return True
        if isinstance(source, CteUse):
            return self._inner_at_most_one(number, source)
        if not isinstance(source, Derived | Values | Function):
            return False
        alone = all(not c.absent and self._has_one_value(c) for c in source.reads)
        if not self.engine.holds("unique-key", "a LATERAL subquery refers to a single row", alone):
            return False
        if isinstance(source, Derived):
            return self._inner_at_most_one(number, source)
        return source.rows <= 1 if isinstance(source, Values) else source.one_row

    def _is_exact_source(self, number: int) -> bool:
        """Return whether a FROM item with one row gives the same row each time that it is read.

        A query plan may read a FROM item again for every row of another item. Then a LIMIT without
        ORDER BY, or a volatile function, can return another row each time.
        """
        source = self.query.source(number)
        if isinstance(source, Table | NoTable):
            return True
        if isinstance(source, CteUse):
            return source.runs_once or self._inner_at_most_one(number, source, limits=False)
        if isinstance(source, Derived):
            return source.stable and self._inner_at_most_one(number, source, limits=False)
        return isinstance(source, Values | Function) and source.stable

    def _inner_at_most_one(
        self, number: int, source: Derived | CteUse, *, limits: bool = True
    ) -> bool:
        if isinstance(source, CteUse) and source.recursive:
            return False
        given = {c: b for (s, c), b in self.columns.items() if s == number and c > 0}
        return self.counter.at_most_one(source.query(), given, limits=limits)

    def _covers(self, number: int, key: UniqueKey) -> bool:
        for part in key.parts:
            if part.cls is None:
                return False
            found = self._is_bound(number, part)
            if not self.engine.holds(
                "unique-key", "every column of the key is compared with a value", found
            ):
                return False
        return self.engine.holds(
            "unique-key",
            "the conditions imply the predicate of the index",
            all(
                any(self.engine.implies(handle, predicate, number) for handle in self._of(number))
                for predicate in key.predicate
            ),
        )

    def _of(self, number: int) -> Iterator[object]:
        """Yield the conditions that restrict the rows of a FROM item."""
        for side, condition in self._conditions:
            if side is None or number in side:
                yield condition.handle

    def _is_bound(self, number: int, part: KeyPart) -> bool:
        if part.column:
            binding = self.columns.get((number, part.column))
            return binding is not None and self._matches(binding, part)
        return part.expr is not None and any(
            self.engine.same(key, part.expr, number) and self._matches(binding, part)
            for key, binding in self.expressions.items()
        )

    def _matches(self, binding: Binding, part: KeyPart) -> bool:
        """Return whether a unique key treats as equal all values that a fixed column may have."""
        if binding.exact:
            return True
        return part.cls in binding.classes and (
            binding.collation == part.collation or self.engine.deterministic(binding.collation)
        )


def columns_of(expr: Expr) -> Iterator[Column]:
    """Yield the columns that an expression reads from the query itself, not from outer queries."""
    if isinstance(expr, Column):
        if not expr.level:
            yield expr
    elif isinstance(expr, Subquery):
        yield from expr.reads
    elif isinstance(expr, Opaque):
        for arg in expr.args:
            yield from columns_of(arg)
