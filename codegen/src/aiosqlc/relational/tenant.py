"""Prove that a statement accesses only one tenant's rows.

Every SELECT, INSERT, UPDATE and DELETE in the statement must fix the tenant column of each table to
the tenant's parameter. A table without a tenant column belongs to a tenant through a foreign key to
one of the tenant's rows. If a tenant's row refers to another row, the statement may only read that
other row, because rows of other tenants may refer to it too. A statement with unsupported syntax is
not proved.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

import msgspec
from msgspec import Struct, field

from aiosqlc.relational.joins import conditions_of, joins_of
from aiosqlc.relational.tenancy import Tenancy
from aiosqlc.relational.tree import (
    Column,
    Command,
    CteUse,
    Derived,
    Equality,
    Expr,
    Function,
    Grouped,
    JoinKind,
    Merged,
    NoTable,
    Opaque,
    Parameter,
    Query,
    SetOperation,
    Source,
    Table,
    Values,
)

Place = tuple[int, int]
"""A column of a query: the number of the FROM item, and the column's number in the item."""

_DEEPEST = 50  # most nested queries, because queries can be nested without limit


class Leak(Struct, frozen=True):
    """A table or FROM item that may yield other tenants' rows: its name, and the reason."""

    source: str
    why: str


class _Level(Struct):
    """The columns and FROM items of one query that are proved to belong to the tenant.

    `pinned` are the columns that equal the tenant's parameter. `promised` are the pinned columns
    that may be NULL: no condition compares them, but the configuration trusts a foreign key.
    `bound` are the FROM items whose selected rows the tenant may read. `owned` are the bound tables
    whose selected rows belong to the tenant. The statement may not change the rows of other bound
    tables.
    """

    pinned: set[Place] = field(default_factory=set)
    promised: set[Place] = field(default_factory=set)
    # The first column is assigned the second.
    equal: set[tuple[Place, Place]] = field(default_factory=set)
    # The same by the number of levels out.
    beyond: dict[int, set[tuple[Place, Place]]] = field(default_factory=dict)
    bound: set[int] = field(default_factory=set)
    owned: set[int] = field(default_factory=set)

    def size(self) -> tuple[int, ...]:
        """Return the number of elements in each field; it grows if something new is proved."""
        beyond = sum(map(len, self.beyond.values()))
        return len(self.pinned), len(self.equal), beyond, len(self.bound), len(self.owned)


class _Around(Struct, frozen=True):
    """An enclosing query, and the columns and FROM items of the tenant in it."""

    query: Query
    level: _Level


def leaks_of(query: Query, tenancy: Tenancy, parameter: int) -> list[Leak]:
    """Return the tables of a statement that may yield or change rows of other tenants."""
    return list(dict.fromkeys(_Proof(tenancy, parameter).visit(query, frozenset(), (), 0)))


class _Proof:
    def __init__(self, tenancy: Tenancy, parameter: int) -> None:
        self.tenancy = tenancy
        self.parameter = parameter
        # The outputs of queries that are the tenant's parameter, and how many are being inferred.
        self.fixed: dict[int, frozenset[int]] = {}
        self.nested = 0

    def visit(
        self,
        query: Query,
        given: frozenset[int],
        outer: tuple[_Around, ...],
        depth: int,
    ) -> Iterator[Leak]:
        """Yield the tables and functions by which a query may access other tenants' rows.

        The subqueries are included. `given` are the result columns that the enclosing query fixes
        to the tenant's parameter. `outer` are the enclosing queries, innermost first.
        """
        actions = query.actions() if depth <= _DEEPEST else ()
        for action in actions:
            yield from self.visit(action, given, outer, depth + 1)
        if actions:
            return
        if query.command is Command.OTHER or depth > _DEEPEST:
            yield Leak("", "the compiler cannot analyse the statement")
            return
        level = self._level(query, given if _keeps_rows(query) else frozenset(), outer)
        readers = {self.tenancy.called(c) for c in query.calls() if self.tenancy.reads_rows(c)}
        for name in sorted(readers):  # the order of the calls varies between runs
            yield Leak(name, "the function may read or write any tenant's rows")
        for number in query.reads_from:
            if number not in level.bound:
                yield from self._unbound(query, number)
        yield from self._written(query, level)
        around = (_Around(query, self._returned(query, level)), *outer)
        for inner in query.subqueries():
            yield from self.visit(inner, frozenset(), around, depth + 1)
        for written in query.writing_ctes():
            yield from self.visit(written, frozenset(), (), depth + 1)
        for number, pins in self._inner(query, level, given):
            yield from self._below(query, number, pins, around, depth)

    def _returned(self, query: Query, level: _Level) -> _Level:
        """Return what is still proved about the rows in RETURNING after an UPDATE changed them."""
        if query.command is not Command.UPDATE:
            return level
        target, changed = query.source(query.target), set(query.assigned())
        if isinstance(target, Table):
            # The tenant column, which keeps its value.
            changed -= {self.tenancy.column(target.relation)}
        every = not isinstance(target, Table) or self.tenancy.changed(target.relation)
        lost = {
            (source, column)
            for source, column in level.pinned
            if source == query.target and (every or column in changed)
        }
        return _Level(pinned=level.pinned - lost, owned=level.owned - {query.target})

    def _below(
        self,
        query: Query,
        number: int,
        pins: frozenset[int],
        around: tuple[_Around, ...],
        depth: int,
    ) -> Iterator[Leak]:
        """Yield the possible leaks of a subquery in FROM, or of a WITH query that FROM uses."""
        source = query.source(number)
        if isinstance(source, Derived):
            yield from self.visit(source.query(), pins, around, depth + 1)
        elif isinstance(source, CteUse) and not source.itself:
            inner = source.query()
            # A writing query is visited once, at its definition.
            if inner.command is Command.SELECT:
                own = frozenset() if source.recursive else pins
                yield from self.visit(inner, own, (), depth + 1)

    def _inner(
        self, query: Query, level: _Level, given: frozenset[int]
    ) -> Iterator[tuple[int, frozenset[int]]]:
        """Yield each subquery in FROM with its result columns that equal the tenant's parameter."""
        if query.arms is not None:
            kept = given & _kept(query.arms) if _no_limit(query) else frozenset[int]()
            yield from ((number, kept) for number in _arms(query.arms))
            return
        for number in query.reads_from:
            if isinstance(query.source(number), Derived | CteUse):
                yield number, frozenset(c for s, c in level.pinned if s == number and c > 0)

    # --- what is pinned and bound -------------------------------------------------------------

    def _level(self, query: Query, given: frozenset[int], outer: tuple[_Around, ...]) -> _Level:
        level = _Level()
        if any(join.kind is JoinKind.FULL for join in joins_of(query.root)):
            return level
        outputs = query.outputs() if given else ()
        for number in given:
            if 0 < number <= len(outputs) and (place := _place(query, outputs[number - 1])):
                level.pinned.add(place)
        while self._settle(query, level, outer):
            pass
        return level

    def _settle(self, query: Query, level: _Level, outer: tuple[_Around, ...]) -> bool:
        """Derive from the conditions what belongs to the tenant; return whether anything is new."""
        before = level.size()
        for side, condition in conditions_of(query.root):
            meaning = condition.meaning
            if not isinstance(meaning, Equality) or not self.tenancy.image(meaning):
                continue
            for one, other in ((meaning.left, meaning.right), (meaning.right, meaning.left)):
                place = _place(query, one)
                if place is None or (side is not None and place[0] not in side):
                    continue
                if self._is_parameter(query, other, level, outer):
                    level.pinned.add(place)
                elif (beside := _place(query, other)) is not None:
                    level.equal.add((place, beside))
                elif isinstance(other, Column) and (found := _outside(other, outer)):
                    level.beyond.setdefault(other.level, set()).add((place, found))
        for number in query.reads_from:
            source = query.source(number)
            if isinstance(source, Derived) or (isinstance(source, CteUse) and not source.recursive):
                level.pinned |= {(number, column) for column in self._outputs(source.query())}
            for joined in query.reads_from:
                self._follow(query, number, joined, level)
        for number in query.reads_from:
            if self._is_owned(query, number, level, outer):
                level.owned.add(number)
            if number in level.owned or self._is_bound(query, number, level):
                level.bound.add(number)
        return before != level.size()

    def _outputs(self, query: Query) -> frozenset[int]:
        """Return the result columns of a subquery that equal the tenant's parameter in each row."""
        if id(query) in self.fixed or self.nested > _DEEPEST:
            return self.fixed.get(id(query), frozenset())
        self.fixed[id(query)] = frozenset()  # a recursive query reads its own outputs
        self.nested += 1
        found = self.fixed[id(query)] = self._fixed(query)
        self.nested -= 1
        return found

    def _fixed(self, query: Query) -> frozenset[int]:
        if query.arms is not None:
            arms = [query.source(number) for number in _arms(query.arms)]
            outputs = [self._outputs(a.query()) for a in arms if isinstance(a, Derived)]
            found = _kept(query.arms) if len(outputs) == len(arms) else frozenset[int]()
            return found.intersection(*outputs)
        if query.command is Command.OTHER or query.grouping_sets != ():
            return frozenset()
        level = self._level(query, frozenset(), ())
        if query.command is Command.INSERT:
            self._pin_new(query, level)
        level = self._returned(query, level)
        return frozenset(
            number
            for number, expr in enumerate(query.outputs(), 1)
            if not (isinstance(expr, Column) and expr.absent)
            and self._is_parameter(query, expr, level, ())
        )

    def _pin_new(self, query: Query, level: _Level) -> None:
        """Record that the tenant column of an inserted row equals the tenant's parameter.

        If ON CONFLICT updates an existing row of another tenant instead, `_written` reports it.
        """
        target, given = query.source(query.target), query.assigned()
        if not isinstance(target, Table) or self.tenancy.changed(target.relation):
            return
        column = self.tenancy.column(target.relation)
        if column in given and self._gives(query, given[column], level, column):
            level.pinned.add((query.target, column))

    def _follow(self, query: Query, number: int, other: int, level: _Level) -> None:
        """Derive from a foreign key that two joined rows belong to one tenant.

        Either the foreign key contains the tenant columns of both tables, or the configuration
        trusts it. In the first case, it is enough that the query compares the other columns of the
        key, and that these are unique.
        """
        source, beside = query.source(number), query.source(other)
        if number == other or not isinstance(source, Table) or not isinstance(beside, Table):
            return
        own, its = self.tenancy.column(source.relation), self.tenancy.column(beside.relation)
        if not own or not its or self._is_shared(source) or self._is_shared(beside):
            return
        for relation, columns in self.tenancy.references(source.relation):
            if relation != beside.relation:
                continue
            pairs = {((number, a), (other, b)) for a, b in columns.items() if a != own}
            whole = columns.get(own) == its
            if whole and not (pairs and self.tenancy.unique(relation, {b for _, (_, b) in pairs})):
                continue
            if not whole and (own in columns or not self.tenancy.trusted()):
                continue
            # A foreign key is not enforced for a row that has NULL in one of the key's columns.
            known = (number, own) in level.pinned - (level.promised if whole else set())
            if known and {(b, a) for a, b in pairs} <= level.equal:
                self._pin(level, (other, its), beside, whole)
            present = not whole or self.tenancy.not_null(source.relation, own)
            if present and (other, its) in level.pinned and pairs <= level.equal:
                self._pin(level, (number, own), source, whole)

    def _pin(self, level: _Level, place: Place, table: Table, whole: bool) -> None:
        if place not in level.pinned:
            level.pinned.add(place)
            if not whole and not self.tenancy.not_null(table.relation, place[1]):
                level.promised.add(place)

    def _is_shared(self, table: Table) -> bool:
        return self.tenancy.shared(table.relation) or self.tenancy.stored(table.relation)

    def _is_parameter(
        self, query: Query, expr: Expr, level: _Level, outer: tuple[_Around, ...]
    ) -> bool:
        """Return whether an expression is either NULL or equal to the tenant's parameter."""
        if isinstance(expr, Parameter):
            return expr.number == self.parameter
        if isinstance(expr, Column) and expr.level:
            outside = _outside(expr, outer)
            return outside is not None and outside in outer[expr.level - 1].level.pinned
        place = _place(query, expr)
        return place is not None and place in level.pinned

    def _is_bound(self, query: Query, number: int, level: _Level) -> bool:
        """Return whether the tenant may read all selected rows of a FROM item."""
        source = query.source(number)
        if isinstance(source, NoTable | Values | Function | Derived | CteUse | Merged | Grouped):
            return True  # inner queries are visited separately
        if not isinstance(source, Table) or not source.whole:
            return False
        if self.tenancy.shared(source.relation):
            return True
        swapped = {(other, one) for one, other in level.equal}
        return not self.tenancy.column(source.relation) and any(
            self._refers(query.source(other), other, source, number, swapped)
            for other in level.bound
        )

    def _is_owned(
        self, query: Query, number: int, level: _Level, outer: tuple[_Around, ...]
    ) -> bool:
        """Return whether all selected rows of a FROM item belong to the tenant."""
        source = query.source(number)
        if not isinstance(source, Table) or not source.whole:
            return False
        if self.tenancy.shared(source.relation) or self.tenancy.stored(source.relation):
            return False
        if column := self.tenancy.column(source.relation):
            return (number, column) in level.pinned
        return any(
            self._refers(source, number, query.source(other), other, level.equal)
            for other in level.owned
        ) or any(
            self._refers(source, number, around.query.source(other), other, level.beyond[up])
            for up, around in enumerate(outer, 1)
            if up in level.beyond
            for other in around.level.owned
        )

    def _refers(
        self,
        source: Source,
        number: int,
        beside: Source,
        other: int,
        equal: set[tuple[Place, Place]],
    ) -> bool:
        """Return whether a query joins two tables on a foreign key of the first table."""
        if not isinstance(source, Table) or not isinstance(beside, Table):
            return False
        if self.tenancy.shared(source.relation) or self.tenancy.shared(beside.relation):
            return False
        return any(
            relation == beside.relation
            and all(((number, own), (other, its)) in equal for own, its in columns.items())
            for relation, columns in self.tenancy.references(source.relation)
        )

    def _unbound(self, query: Query, number: int) -> Iterator[Leak]:
        source = query.source(number)
        name = query.name(number)
        if not isinstance(source, Table):
            yield Leak(name, "the compiler cannot analyse this part of the statement")
        elif not source.whole:
            yield Leak(name, "TABLESAMPLE reads the rows of all tenants")
        elif self.tenancy.stored(source.relation):
            yield Leak(name, "a materialized view may contain the rows of several tenants")
        elif self.tenancy.column(source.relation):
            why = self.tenancy.unsupported(source.relation)
            yield Leak(name, why or "the tenant column is not compared with the parameter")
        else:
            yield Leak(
                name,
                (
                    "the table has no tenant column, and its foreign keys do not connect the row "
                    "to the tenant"
                ),
            )

    # --- writes -------------------------------------------------------------------------------

    def _written(self, query: Query, level: _Level) -> Iterator[Leak]:
        if query.command is Command.SELECT or not query.target:
            return
        source, name = query.source(query.target), query.name(query.target)
        if not isinstance(source, Table):
            yield Leak(name, "the compiler cannot analyse this part of the statement")
            return
        if self.tenancy.shared(source.relation):
            yield Leak(name, "the rows of the table belong to all tenants")
            return
        if self.tenancy.replaced(source.relation):
            yield Leak(name, "a trigger writes instead of the statement")
        column = self.tenancy.column(source.relation)
        if not column:
            yield from self._tied_row(query, source, level, name)
            return
        if query.command is Command.DELETE:
            return
        given = query.assigned()
        if query.command is Command.UPDATE and self.tenancy.generated(source.relation):
            yield Leak(name, "the tenant column is computed from other columns")
        if column in given:
            if why := self._stores_other(query, given[column], level, source.relation):
                yield Leak(name, why)
        elif query.command is Command.INSERT:
            yield Leak(name, "the tenant column is not set")
        conflict = query.conflict
        if conflict is not None and not conflict.does_nothing:
            if column not in conflict.key and not self._updates_own(query, column):
                yield Leak(name, "a conflicting row may belong to another tenant")
            if conflict.sets is None or (
                column in conflict.sets
                and not self._is_own(query, conflict.assigned().get(column), column)
            ):
                yield Leak(name, "the update of a conflicting row may change its tenant")

    def _stores_other(self, query: Query, expr: Expr, level: _Level, relation: Hashable) -> str:
        """Return why a table's tenant column may store another tenant than the parameter, or ''."""
        if why := self.tenancy.unsupported(relation):
            return why
        if not self._gives(query, expr, level, self.tenancy.column(relation)):
            return "the tenant column is set to another value than the parameter"
        return self.tenancy.unfit(relation) if self._is_fitted(query, expr) else ""

    def _updates_own(self, query: Query, column: int) -> bool:
        """Return whether the WHERE of ON CONFLICT limits the update to rows of the tenant."""
        for condition in query.conflict.conditions if query.conflict else ():
            equality = condition.meaning
            if isinstance(equality, Equality) and self.tenancy.image(equality):
                for one, other in (
                    (equality.left, equality.right),
                    (equality.right, equality.left),
                ):
                    if (
                        isinstance(one, Column)
                        and not one.level
                        and (one.source, one.column) == (query.target, column)
                        and self._is_own(query, other, column)
                    ):
                        return True
        return False

    def _is_own(self, query: Query, expr: Expr | None, column: int) -> bool:
        """Return whether `expr` is the tenant's parameter or the tenant column of `excluded`."""
        if isinstance(expr, Parameter):
            return expr.number == self.parameter
        excluded = query.conflict.excluded if query.conflict else 0
        return (
            isinstance(expr, Column)
            and not expr.level
            and excluded > 0
            and (expr.source, expr.column) == (excluded, column)
        )

    def _gives(self, query: Query, expr: Expr, level: _Level, column: int) -> bool:
        """Return whether the value assigned to a column is the tenant's parameter in every row.

        The value may be converted to the column's length.
        """
        expr = _unfitted(expr)
        if isinstance(expr, Column) and not expr.level:
            source = query.source(expr.source)
            if isinstance(source, Values):
                lists = source.lists()
                return bool(lists) and all(
                    self._is_parameter(query, _unfitted(row[expr.column - 1]), level, ())
                    for row in lists
                )
            if expr.source == query.target:
                return expr.column == column or self._is_parameter(query, expr, level, ())
            if isinstance(source, Derived):  # INSERT … SELECT: the outputs of the subquery
                return self._puts_out(source.query(), expr.column)
        return not (isinstance(expr, Column) and expr.absent) and self._is_parameter(
            query, expr, level, ()
        )

    def _is_fitted(self, query: Query, expr: Expr) -> bool:
        """Return whether an assigned value is converted to the length of its column."""
        if isinstance(expr, Column) and not expr.level:
            source = query.source(expr.source)
            if isinstance(source, Values):
                return any(self._is_fitted(query, row[expr.column - 1]) for row in source.lists())
        return isinstance(expr, Opaque) and expr.fitted is not None

    def _puts_out(self, query: Query, number: int) -> bool:
        """Return whether a result column of a subquery is the tenant's parameter in every row."""
        outputs = query.outputs()
        if query.arms is not None or not 0 < number <= len(outputs):
            return False
        expr, level = outputs[number - 1], self._level(query, frozenset(), ())
        absent = isinstance(expr, Column) and bool(expr.absent)
        return not absent and self._is_parameter(query, expr, level, ())

    def _tied_row(self, query: Query, source: Table, level: _Level, name: str) -> Iterator[Leak]:
        """Yield the possible leaks of a write to a table without a tenant column."""
        if query.command is Command.INSERT:
            yield from self._new_row(query, source, name, level)
            return
        if query.target in level.bound and query.target not in level.owned:
            yield Leak(name, "rows of other tenants may also refer to the changed row")
        if query.command is Command.UPDATE:
            if self.tenancy.generated(source.relation):
                yield Leak(name, "a foreign key of the row is computed from other columns")
            given = query.assigned()
            for relation, columns in self._owners(source):
                if any(
                    own in given and _place(query, given[own]) != (query.target, own)
                    for own in columns
                ) and not self._refers_to_owned(query, relation, columns, given, level):
                    yield Leak(
                        name, "the new foreign key is not proved to refer to a row of the tenant"
                    )

    def _owners(self, source: Table) -> Iterator[tuple[Hashable, Mapping[int, int]]]:
        """Yield the foreign keys by which a row of the table may belong to a tenant."""
        for relation, columns in self.tenancy.ties(source.relation):
            if not self.tenancy.shared(relation):
                yield relation, columns

    def _refers_to_owned(
        self,
        query: Query,
        relation: Hashable,
        columns: Mapping[int, int],
        given: Mapping[int, Expr],
        level: _Level,
    ) -> bool:
        """Return whether the columns of a foreign key get their values from a row of the tenant."""
        for number in level.owned:
            table = query.source(number)
            if (
                isinstance(table, Table)
                and table.relation == relation
                and all(
                    _present(query, given.get(own)) == (number, its) for own, its in columns.items()
                )
            ):
                return True
        return False

    def _new_row(self, query: Query, source: Table, name: str, level: _Level) -> Iterator[Leak]:
        """Yield the possible leaks of an INSERT into a table without a tenant column.

        The new row must refer to a row of the tenant.
        """
        given, conflict = query.assigned(), query.conflict
        keys = []
        unproved = False
        for relation, columns in self._owners(source):
            if self._refers_to_owned(query, relation, columns, given, level) or any(
                self._from_owned(inner.query(), relation, columns, given, number)
                for number in query.reads_from
                if isinstance(inner := query.source(number), Derived)
            ):
                keys.append(columns.keys())
            elif not given.keys().isdisjoint(columns):
                unproved = unproved or self._leads(relation, frozenset())
        if keys and unproved:
            yield Leak(
                name, "one of the new row's foreign keys may refer to a row of another tenant"
            )
        if not keys:
            yield Leak(
                name, "none of the new row's foreign keys is proved to refer to a row of the tenant"
            )
        if conflict is None or conflict.does_nothing:
            return
        if not any(key <= conflict.key for key in keys):
            yield Leak(name, "a conflicting row may belong to another tenant")
        tied = {own for _, columns in self._owners(source) for own in columns}
        moved = conflict.sets is None or tied & conflict.sets
        if moved or self.tenancy.generated(source.relation):
            yield Leak(name, "a conflicting row may be moved to another tenant")

    def _leads(self, relation: Hashable, seen: frozenset[Hashable]) -> bool:
        """Return whether a table's rows belong to tenants, directly or through foreign keys."""
        if relation in seen or self.tenancy.shared(relation):
            return False
        return bool(self.tenancy.column(relation)) or any(
            self._leads(other, seen | {relation}) for other, _ in self.tenancy.ties(relation)
        )

    def _from_owned(
        self,
        query: Query,
        relation: Hashable,
        columns: Mapping[int, int],
        given: Mapping[int, Expr],
        number: int,
    ) -> bool:
        """Return whether a subquery reads a foreign key's columns from one row of the tenant."""
        level, outputs = self._level(query, frozenset(), ()), query.outputs()
        for owned in level.owned:
            table = query.source(owned)
            if not isinstance(table, Table) or table.relation != relation:
                continue
            if all(
                _shows(given.get(own), number, outputs) == (owned, its)
                for own, its in columns.items()
            ):
                return True
        return False


def _shows(expr: Expr | None, number: int, outputs: object) -> Place | None:
    """Return the column that a subquery returns unchanged as one of its result columns, or None."""
    if not isinstance(expr, Column) or expr.level or expr.source != number:
        return None
    if not isinstance(outputs, list | tuple) or not 0 < expr.column <= len(outputs):
        return None
    shown = outputs[expr.column - 1]
    if isinstance(shown, Column) and not shown.level and not shown.absent:
        return shown.source, shown.column
    return None


def _unfitted(expr: Expr) -> Expr:
    """Return the value of an expression before an assignment converted it to a length."""
    return expr.fitted if isinstance(expr, Opaque) and expr.fitted is not None else expr


def _outside(expr: Column, outer: tuple[_Around, ...]) -> Place | None:
    """Return the column of an enclosing query that an expression refers to, or None."""
    if not 0 < expr.level <= len(outer):
        return None
    here = msgspec.structs.replace(expr, level=0)
    return _place(outer[expr.level - 1].query, here)


def _present(query: Query, expr: Expr | None) -> Place | None:
    """Return the column that an expression names, or None if the column's row may be absent."""
    if not isinstance(expr, Column) or expr.absent:
        return None
    return _place(query, expr)


def _place(query: Query, expr: Expr) -> Place | None:
    """Return the column for which an expression stands, for example as a GROUP BY key, or None."""
    while isinstance(expr, Column) and not expr.level:
        source = query.source(expr.source)
        if isinstance(source, Grouped | Merged) and expr.column > 0 and not expr.absent:
            expr = source.behind(expr.column)
            continue
        return expr.source, expr.column
    return None


def _keeps_rows(query: Query) -> bool:
    """Return whether an outer condition on a query's result could be moved into the query's WHERE.

    With FOR UPDATE it could not: the query also locks the rows that the outer condition excludes.
    """
    return (
        query.command is Command.SELECT
        and query.no_windows
        and query.plain_list
        and not query.one_group
        and query.grouping_sets == ()
        and not query.distinct_keys
        and query.arms is None
        and query.no_locks
        and _no_limit(query)
    )


def _no_limit(query: Query) -> bool:
    return query.limit.most is None and query.limit.some and query.limit.from_first


def _arms(arms: SetOperation | int) -> Iterator[int]:
    if isinstance(arms, int):
        yield arms
    else:
        yield from _arms(arms.left)
        yield from _arms(arms.right)


def _kept(arms: SetOperation | int) -> frozenset[int]:
    """Return the columns that every operand of a set operation returns without a cast."""
    if isinstance(arms, int):
        return frozenset(range(1, 1_600))
    return arms.left_kept & arms.right_kept & _kept(arms.left) & _kept(arms.right)
