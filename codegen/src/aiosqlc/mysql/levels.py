"""Convert sqlglot's syntax tree of a MySQL statement to the queries of `aiosqlc.relational`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from sqlglot import exp

from aiosqlc.ir import ColumnRef, SqlType
from aiosqlc.mysql import scope, types
from aiosqlc.mysql.equality import compares_alike
from aiosqlc.mysql.expressions import type_of
from aiosqlc.mysql.fixed import is_fixed, is_stable, outer_columns
from aiosqlc.mysql.known_fields import is_understood
from aiosqlc.mysql.literals import integer
from aiosqlc.mysql.relations import Relation as Stored
from aiosqlc.mysql.rules import RULES, Premises
from aiosqlc.mysql.scope import Level, Output, Result, unwrap
from aiosqlc.relational.rows import RowCounter
from aiosqlc.relational.tree import (
    Class,
    Column,
    Command,
    Condition,
    Conflict,
    Constant,
    CteUse,
    Derived,
    Equality,
    Expr,
    From,
    Function,
    Handle,
    Join,
    JoinItem,
    JoinKind,
    Key,
    KeyPart,
    Leaf,
    Limit,
    NoTable,
    Opaque,
    Parameter,
    Query,
    Relation,
    SetOp,
    SetOperation,
    Source,
    Subquery,
    Table,
    UniqueKey,
    Values,
)

if TYPE_CHECKING:
    from aiosqlc.mysql.reader import Reader

_APPLIES = frozenset(rule.name for rule in RULES)
_JOINS = {"": JoinKind.INNER, "LEFT": JoinKind.LEFT, "RIGHT": JoinKind.RIGHT}
_SET_OPERATIONS: dict[type[exp.Expr], SetOp] = {
    exp.Union: SetOp.UNION,
    exp.Intersect: SetOp.INTERSECT,
    exp.Except: SetOp.EXCEPT,
}
# Types whose values Python compares as the server does.
_KEY_TYPES = frozenset(
    {
        *("tinyint", "smallint", "mediumint", "int", "bigint", "date", "datetime"),
        *("binary", "varbinary", "varchar", "text", "tinytext", "mediumtext", "longtext"),
    }
)
_EXACT_COLLATIONS = ("_0900_bin", "_nopad_bin")
_SORTED = 255  # most characters that ORDER BY always compares: 1,024 bytes (max_sort_length)
_NO_ROW = -1
"""The number of an imaginary outer join that makes all columns of an empty group NULL."""
_ALL_ROWS = Limit(exact=True, some=True, from_first=True)


class MysqlEngine:
    """Provides the facts about MySQL's tables that the proofs of `aiosqlc.relational` need."""

    applies = _APPLIES

    def __init__(self, premises: Premises) -> None:
        self.premises = premises
        self._keys: dict[int, tuple[UniqueKey, ...]] = {}

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Return whether MySQL supports a rule whose precondition is met, or disabled by a test."""
        return rule in self.applies and self.premises.holds(rule, premise, value)

    def keys(self, table: Table) -> tuple[UniqueKey, ...]:
        """Return a table's unique keys, or no keys if the query reads old versions of rows."""
        source = table.relation
        if not isinstance(source, scope.Source) or source.relation is None:
            return ()
        current = not source.historic
        if not self.holds(
            "unique-key", "the query reads current rows, not older row versions", current
        ):
            return ()
        known = id(source.relation)
        if known not in self._keys:
            self._keys[known] = tuple(_keys(source.relation))
        return self._keys[known]

    def deterministic(self, collation: Hashable) -> bool:
        """Return False, because most MySQL collations ignore trailing spaces."""
        del collation
        return False

    def same(self, key: Hashable, stored: Handle, source: int) -> bool:
        """Return False, because `keys` returns no keys over expressions."""
        del key, stored, source
        return False

    def implies(self, condition: Handle, predicate: Handle, source: int) -> bool:
        """Return False, because MySQL has no partial indexes."""
        del condition, predicate, source
        return False

    def may_skip(self, relation: Relation, command: Command) -> bool:
        """Return False, because a MySQL trigger can only reject a row by failing the statement."""
        del relation, command
        return False

    def has_row(self, function: Function) -> bool:
        """Return False, because MySQL has no user-defined functions that return rows."""
        del function
        return False

    def whole(self, relation: Relation | None, columns: Sequence[int]) -> ColumnRef | None:
        """Return the table or view that has exactly these columns in this order."""
        found = relation.relation if isinstance(relation, scope.Source) else None
        if found is None or list(columns) != list(range(1, len(found.table.columns) + 1)):
            return None
        return ColumnRef(found.table.schema, found.table.name, "")

    def not_null(self, relation: Relation | None, column: int) -> bool:
        """Return whether a column is declared NOT NULL."""
        found = relation.relation if isinstance(relation, scope.Source) else None
        return found is not None and found.table.columns[column - 1].not_null

    def keeps_type(self, relation: Relation | None, column: int, kind: SqlType) -> bool:
        """Return whether a column has this declared type; UNION turns a POINT into a GEOMETRY."""
        found = relation.relation if isinstance(relation, scope.Source) else None
        return found is not None and found.table.columns[column - 1].type == kind

    def column_name(self, relation: Relation | None, column: int) -> str:
        """Return the name of a column, or an empty string."""
        found = relation.relation if isinstance(relation, scope.Source) else None
        return found.table.columns[column - 1].name if found is not None else ""


def row_counter(premises: Premises) -> RowCounter:
    """Return the object that proves how many rows MySQL queries return."""
    return RowCounter(MysqlEngine(premises))


# --- queries --------------------------------------------------------------------------------------


def of_select(
    node: exp.Select, level: Level, outputs: tuple[Output, ...] | None, reader: Reader
) -> Callable[[], Query]:
    """Return a function that converts a SELECT to a `Query` when it is first called."""
    return cache(lambda: Lowering(node, level, reader).select(node, outputs))


def of_set_operation(node: exp.SetOperation, left: Result, right: Result) -> Callable[[], Query]:
    """Return a function that makes the `Query` for a UNION, INTERSECT or EXCEPT."""
    op = _SET_OPERATIONS.get(type(node))
    if op is None or not is_understood(node):
        return Query
    return partial(
        _combined,
        SetOperation(op=op, left=1, right=2),
        (Derived(query=left.query), Derived(query=right.query)),
        limit_of(node),
    )


def of_rounds(begin: Sequence[Result]) -> Callable[[], Query]:
    """Return a function that makes the `Query` for a recursive query.

    It is a UNION of the initial SELECTs and of recursive rows, about which nothing is known.
    """
    arms = SetOperation(op=SetOp.UNION, left=1, right=2)
    for number in range(3, len(begin) + 2):
        arms = SetOperation(op=SetOp.UNION, left=arms, right=number)
    sources = (*(Derived(query=result.query) for result in begin), Source())
    return partial(_combined, arms, sources, _ALL_ROWS)


def _combined(arms: SetOperation, sources: tuple[Source, ...], limit: Limit) -> Query:
    return Query(command=Command.SELECT, sources=sources, plain_list=True, arms=arms, limit=limit)


def limited(node: exp.Expr, inner: Result) -> Callable[[], Query]:
    """Return a function that makes the `Query` for `(SELECT …) LIMIT n OFFSET m`."""
    if not is_understood(node):
        return Query
    if not any(node.args.get(clause) for clause in ("limit", "offset")):
        return inner.query
    return partial(_around, inner.query, limit_of(node))


def _around(inner: Callable[[], Query], limit: Limit) -> Query:
    """Return a `Query` that selects all columns of another query, with a LIMIT."""
    return Query(
        command=Command.SELECT,
        sources=(Derived(query=inner),),
        root=From(items=(Leaf(source=1),), every_row=True),
        reads_from=(1,),
        outputs=lambda: [
            Column(source=1, column=number) for number in range(1, len(inner().outputs()) + 1)
        ],
        plain_list=True,
        every_group=True,
        limit=limit,
    )


def of_change(
    node: exp.Update | exp.Delete, level: Level, outputs: tuple[Output, ...] | None, reader: Reader
) -> Callable[[], Query]:
    """Return a function that makes the `Query` for a one-table UPDATE or DELETE with RETURNING."""
    return cache(lambda: Lowering(node, level, reader).change(node, outputs))


def of_insert(node: exp.Insert, level: Level, read: Result | None) -> Callable[[], Query]:
    """Return a function that makes the `Query` for an INSERT with RETURNING.

    `read` is the SELECT whose rows are inserted, if there is one.
    """
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    if not is_understood(node) or not is_understood(target) or len(level.sources) != 1:
        return Query
    values = node.expression
    given: Source = Source() if read is None else Derived(query=read.query)
    if isinstance(values, exp.Values) and is_understood(values):
        given = Values(rows=len(values.expressions))
    query = Query(
        command=Command.INSERT,
        sources=(Table(relation=level.sources[0]), given),
        root=From(items=(Leaf(source=2),), every_row=True),
        reads_from=(2,),
        plain_list=True,
        limit=_ALL_ROWS,
        target=1,
        conflict=Conflict(does_nothing=True, alone=True) if node.args.get("ignore") else None,
    )
    return lambda: query


def reads_a_row(node: exp.Select, level: Level, reader: Reader) -> bool:
    """Return whether a SELECT without WHERE certainly reads a row before grouping."""
    free = node.args.get("where") is None
    if not level.premises.holds("some-row", "no condition", free):
        return False
    return reader.counter.reads_a_row(Lowering(node, level, reader).sources_alone(node))


def row_of(source: scope.Source, level: Level) -> tuple[Column, ...]:
    """Return the columns that `t.*` includes, as columns of `aiosqlc.relational`."""
    return tuple(column_of(source, output, level) for output in source.shown)


def limit_of(node: exp.Expr) -> Limit:
    """Return the LIMIT of a query, from the clauses LIMIT, FETCH and OFFSET."""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    first = offset is None or (is_understood(offset) and integer(offset.expression) == 0)
    if limit is None:
        return Limit(exact=True, some=True, from_first=first)
    if not is_understood(limit):
        return Limit()
    if isinstance(limit, exp.Limit):
        most, exact = integer(limit.expression), True
    else:
        options = limit.args.get("limit_options")
        if options is None or not is_understood(options) or options.args.get("percent"):
            return Limit()
        count = limit.args.get("count")
        most, exact = integer(count) if count else 1, not options.args.get("with_ties")
    return Limit(most=most, exact=exact, some=most is not None and most >= 1, from_first=first)


# --- one level ------------------------------------------------------------------------------------


class Lowering:
    """Converts one SELECT, UPDATE or DELETE to a `Query` of `aiosqlc.relational`."""

    def __init__(self, node: exp.Expr, level: Level, reader: Reader) -> None:
        self.node = node
        self.level = level
        self.reader = reader

    def select(self, node: exp.Select, outputs: tuple[Output, ...] | None) -> Query:
        """Return the `Query` for a SELECT, or only its LIMIT if a FROM item is unknown."""
        level = self.level
        group = node.args.get("group")
        root = self.root(node)
        read = all(source.outputs is not None for source in level.sources)
        clauses = [node.args.get(name) for name in ("group", "distinct")]
        parts = [node, *(c for c in clauses if c is not None), *_from_nodes(node)]
        known = all(map(is_understood, parts))
        if not known or not read or root is None:
            return Query(command=Command.SELECT, limit=limit_of(node) if known else Limit())
        sources = self.sources()
        return Query(
            command=Command.SELECT,
            sources=sources,
            root=root,
            reads_from=tuple(range(1, len(sources) + 1)),
            outputs=lambda: self.outputs(outputs, group),
            plain_list=True,
            group_keys=self.group_keys(node, group) if group is not None else (),
            grouping_sets=None if level.rollup else (),
            one_group=level.aggregated,
            every_group=node.args.get("having") is None,
            distinct_keys=self.distinct(node, outputs),
            distinct_rows=True,
            order=lambda: list(self.order(node, outputs)),
            no_locks=not node.args.get("locks"),
            limit=limit_of(node),
            no_windows=node.find(exp.Window) is None,
            name=lambda number: level.sources[number - 1].alias if level.sources else "",
        )

    def change(self, node: exp.Update | exp.Delete, outputs: tuple[Output, ...] | None) -> Query:
        """Return the `Query` for an UPDATE or DELETE of one table."""
        level = self.level
        root = self.root(node)
        parts = [node, node.this, *_from_nodes(node)]
        if not all(map(is_understood, parts)) or root is None or len(level.sources) != 1:
            return Query()
        return Query(
            command=Command.UPDATE if isinstance(node, exp.Update) else Command.DELETE,
            sources=self.sources(),
            root=root,
            reads_from=(1,),
            outputs=lambda: self.outputs(outputs, None),
            plain_list=True,
            limit=limit_of(node),
            target=1,
            name=lambda _number: level.sources[0].alias,
        )

    def sources_alone(self, node: exp.Select) -> Query:
        """Return the `Query` for a SELECT with its FROM items and joins, but without conditions."""
        root = self.root(node, conditions=False)
        if root is None or not all(map(is_understood, [node, *_from_nodes(node)])):
            return Query()
        return Query(command=Command.SELECT, sources=self.sources(), root=root)

    # --- what is read from --------------------------------------------------------------------

    def sources(self) -> tuple[Source, ...]:
        """Return the statement's FROM items; without FROM, it reads one row without columns."""
        return tuple(map(self.source, self.level.sources)) or (NoTable(),)

    def source(self, source: scope.Source) -> Source:
        """Convert a FROM item."""
        if source.outputs is None:
            return Source()
        if source.relation is not None:
            return Table(relation=source, with_children=False, whole=True)
        made = source.made
        if made is None:
            return Source()
        if made.node is None:
            return Derived(query=made.query)
        reads = self.reads(made.node) if source.lateral else ()
        if reads is None:
            return Source()
        if not source.lateral and _is_made_once(made.query()):
            return CteUse(query=made.query, runs_once=True)
        return Derived(query=made.query, reads=reads, stable=is_stable(made.node, self.reader))

    def reads(self, node: exp.Expr) -> tuple[Column, ...] | None:
        """Return the columns of this statement that a sub-select reads, or None if unknown."""
        found = outer_columns(node, self.level, self.reader)
        if found is None:
            return None
        return tuple(self.column(*column) for column in found)

    def root(self, node: exp.Expr, *, conditions: bool = True) -> From | None:
        """Return the join tree with all conditions, or None if a join is unsupported."""
        level = self.level
        if node.args.get("laterals"):
            return None
        items: list[tuple[frozenset[int], JoinItem]] = [
            (frozenset({number}), Leaf(source=number + 1)) for number in range(len(level.sources))
        ]
        for join in level.joins:
            if not join.left:  # a comma
                continue
            sides = [self.side(items, numbers) for numbers in (join.left, join.right)]
            kind = _JOINS.get(join.side)
            left, right = sides
            if left is None or right is None or kind is None:
                return None
            found = self.joined(join) if conditions else ()
            made = Join(
                kind=kind,
                left=left,
                right=right,
                conditions=tuple(found),
                every_row=join.on is None and not join.using and not join.natural,
                handle=join,
                reads=partial(self.decided_by, join),
            )
            both = join.left | join.right
            items = [item for item in items if not item[0] <= both]
            items.append((both, made))
        where = node.args.get("where")
        given = self.conditions(where.this) if where is not None and conditions else ()
        leaves = tuple(item for _, item in sorted(items, key=lambda item: min(item[0])))
        return From(
            items=leaves or (Leaf(source=1),), conditions=tuple(given), every_row=where is None
        )

    def joined(self, join: scope.Join) -> Iterator[Condition]:
        """Yield the conditions of a join."""
        return self.conditions(join.on)

    def decided_by(self, join: scope.Join) -> Sequence[Column] | None:
        """Return the columns on which a join's condition depends, or None if these are unknown."""
        if join.using or join.natural or join.on is None:
            return None
        return self.depends_on(join.on)

    def depends_on(self, node: exp.Expr) -> Sequence[Column] | None:
        """Return the columns of this statement that determine an expression, or None if unknown."""
        found: list[Column] = []
        for part in node.walk(prune=lambda part: isinstance(part, exp.Query)):
            if isinstance(part, exp.AggFunc | exp.Window):
                return None
            if isinstance(part, exp.Query):
                fixed = is_fixed(part, self.level, self.reader)
                reads = self.reads(part) if fixed else None
                if reads is None:
                    return None
                found += reads
                continue
            if isinstance(part, exp.Column):
                column = self.level.local(part)
                if column is None:
                    return None
                found.append(self.column(*column))
        return found if is_stable(node, self.reader) else None

    @staticmethod
    def side(
        items: Sequence[tuple[frozenset[int], JoinItem]], numbers: frozenset[int]
    ) -> JoinItem | None:
        """Convert an operand of a join, or return None if it is unsupported."""
        inside = [item for item in items if item[0] <= numbers]
        if not inside or frozenset[int]().union(*(there for there, _ in inside)) != numbers:
            return None
        if len(inside) == 1:
            return inside[0][1]
        return From(items=tuple(item for _, item in inside), every_row=True)

    # --- conditions and expressions -----------------------------------------------------------

    def conditions(self, node: exp.Expr | None) -> Iterator[Condition]:
        """Yield the conditions that AND combines, each with the equality that it requires."""
        if node is None:
            return
        node = unwrap(node)
        if isinstance(node, exp.And):
            yield from self.conditions(node.this)
            yield from self.conditions(node.expression)
            return
        for left, right in self.pairs(node):
            yield Condition(handle=node, meaning=self.equality(left, right))

    def pairs(self, node: exp.Expr) -> list[tuple[exp.Expr, exp.Expr]]:
        """Return the operands that a condition equates; `(a, b) = (1, 2)` gives two pairs."""
        if not is_understood(node):
            return []
        if isinstance(node, exp.In) and len(node.expressions) == 1:
            (only,) = node.expressions
            return [] if self.reader.is_slice(only) else [(unwrap(node.this), unwrap(only))]
        if not isinstance(node, exp.EQ):
            return []
        left, right = unwrap(node.this), unwrap(node.expression)
        if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
            both = zip(left.expressions, right.expressions, strict=False)
            return [(unwrap(one), unwrap(other)) for one, other in both]
        return [(left, right)]

    def equality(self, left: exp.Expr, right: exp.Expr) -> Equality | None:
        """Convert `left = right` to an `Equality`.

        Return None if no operand is a column whose unique key treats the same values as equal.
        """
        mine, theirs = self.seen(left, right), self.seen(right, left)
        if not mine and not theirs:
            return None
        return Equality(
            left=self.expr(left),
            right=self.expr(right),
            left_classes=mine,
            right_classes=theirs,
            families=frozenset(family for family, _ in mine | theirs),
            collation=self.collation(left if mine else right),
            key=(bool(mine) and self.is_key(left)) or (bool(theirs) and self.is_key(right)),
        )

    def is_key(self, node: exp.Expr) -> bool:
        """Return whether Python and the server agree about which values of a column are equal.

        A text also needs a collation that distinguishes trailing spaces.
        """
        found = self.level.local(node) if isinstance(node, exp.Column) else None
        if found is None or found[1].type is None or found[1].type.name not in _KEY_TYPES:
            return False
        text = types.family(found[1].type) == "text"
        return not text or found[1].collation.endswith(_EXACT_COLLATIONS)

    def seen(self, node: exp.Expr, other: exp.Expr) -> frozenset[Class]:
        """Return the classes of a column's type.

        Return none if the column's unique key may not treat the same values as equal as `=` does.
        """
        found = self.level.local(node) if isinstance(node, exp.Column) else None
        if found is None or not self.level.premises.holds(
            "unique-key",
            "the comparison and the key treat the same values as equal",
            compares_alike(found[1], other, self.level, self.reader),
        ):
            return frozenset()
        return classes_of(found[1].type)

    def collation(self, node: exp.Expr) -> str:
        """Return the collation of a column, or an empty string for other expressions."""
        found = self.level.local(node) if isinstance(node, exp.Column) else None
        return found[1].collation if found is not None else ""

    def expr(self, node: exp.Expr) -> Expr:
        """Convert a sqlglot expression to an expression of `aiosqlc.relational`."""
        node = unwrap(node)
        if isinstance(node, exp.Literal | exp.Boolean | exp.HexString):
            return Constant()
        if isinstance(node, exp.Cast) and isinstance(node.this, exp.Null):
            return Constant() if self.is_variable(node) else _opaque(node)
        if isinstance(node, exp.Placeholder):
            place = self.reader.tree.place(node)
            return Parameter(number=place.number if place is not None else 0)
        if isinstance(node, exp.Column):
            found = self.level.local(node)
            if found is not None:
                return self.column(*found)
            around = not self.level.may_have(node) and self.level.resolve(node) is not None
            return Column(source=0, column=0, level=1) if around else _opaque(node)
        if isinstance(node, exp.Query) and isinstance(self.level.node, exp.Select):
            fixed = is_fixed(node, self.level, self.reader)
            reads = self.reads(node) if fixed else None
            known = reads is not None
            return Subquery(reads=reads or (), one_value=known, stable=known)
        return _opaque(node)

    def is_variable(self, node: exp.Expr) -> bool:
        """Return whether `CAST(NULL AS …)` compares like the procedure's variable that it replaces.

        A text variable does not compare like the cast, because the cast does not keep its
        collation.
        """
        kind = type_of(node, self.level, self.reader)
        return kind is not None and types.family(kind) != "text"

    def column(self, source: scope.Source, output: Output) -> Column:
        """Convert a column of a source to a column of `aiosqlc.relational`."""
        return column_of(source, output, self.level)

    # --- select lists and keys ----------------------------------------------------------------

    def outputs(self, outputs: tuple[Output, ...] | None, group: exp.Expr | None) -> Sequence[Expr]:
        """Return the expressions in the select list.

        Under GROUP BY, a column other than the keys comes from any row of the group.
        """
        keys = map(self.key, group.expressions) if group is not None else ()
        kept = {(k.expr.source, k.expr.column) for k in keys if isinstance(k.expr, Column)}
        found: list[Expr] = []
        items = self.items(outputs or ())
        for number, output in enumerate(outputs or ()):
            shown = self.shown(output)
            if output.column is None and number in items:
                shown = self.value(items[number], output)
            lost = self.level.aggregated or (
                group is not None
                and isinstance(shown, Column)
                and (shown.source, shown.column) not in kept
            )
            found.append(_opaque(output) if lost else shown)
        return found

    def items(self, outputs: Sequence[Output]) -> dict[int, exp.Expr]:
        """Map the index of a result column to its select item; stars are left out."""
        found: dict[int, exp.Expr] = {}
        position = 0
        for item in self.node.expressions if isinstance(self.node, exp.Select) else ():
            if item.is_star and not isinstance(item, exp.Count):
                columns = self.reader.star(self.level, item)
                if columns is None:
                    return {}
                position += len(columns)
                continue
            found[position] = unwrap(item.this if isinstance(item, exp.Alias) else item)
            position += 1
        return found if position == len(outputs) else {}

    def value(self, node: exp.Expr, output: Output) -> Expr:
        """Return the expression of a result column, with the columns that it depends on."""
        if isinstance(node, exp.Query):
            return self.expr(node)
        columns = self.depends_on(node)
        if columns is None:
            return _opaque(output)
        return Opaque(key=id(output), args=tuple(columns), from_args=True, stable=True)

    def shown(self, output: Output) -> Expr:
        """Return the column that a result column returns unchanged, or an unknown expression."""
        if output.column is None:
            return _opaque(output)
        source = self.level.sources[output.column[0]]
        there = source.output(output.column[1])
        return self.column(source, there) if there is not None else _opaque(output)

    def key(self, node: exp.Expr) -> Key:
        """Return a key of GROUP BY; for a key that is not a column, the expression is unknown."""
        node = unwrap(node)
        found = self.level.local(node) if isinstance(node, exp.Column) else None
        if found is None:
            return Key(expr=_opaque(node))
        return Key(expr=self.column(*found), classes=classes_of(found[1].type))

    def group_keys(self, node: exp.Select, group: exp.Expr) -> tuple[Key, ...]:
        """Return the keys of GROUP BY, each with the number of its result column, if it has one."""
        shown: dict[tuple[int, int], int] = {}
        for number, item in enumerate(node.expressions, 1):
            if item.is_star and not isinstance(item, exp.Count):
                break
            expr = self.key(item.this if isinstance(item, exp.Alias) else item).expr
            if isinstance(expr, Column):
                shown.setdefault((expr.source, expr.column), number)
        found = []
        for key in map(self.key, group.expressions):
            place = (key.expr.source, key.expr.column) if isinstance(key.expr, Column) else None
            number = shown.get(place, 0) if place is not None else 0
            found.append(Key(expr=key.expr, classes=key.classes, output=number))
        return tuple(found)

    def order(self, node: exp.Select, outputs: tuple[Output, ...] | None) -> Iterator[Key]:
        """Yield the keys of ORDER BY.

        A name without a table means a result column if one has this name. Of a long text, the
        server compares only the first bytes.
        """
        clause = node.args.get("order")
        shown = [self.shown(output) for output in outputs or ()]
        places = {(e.source, e.column): n for n, e in enumerate(shown, 1) if isinstance(e, Column)}
        for item in clause.expressions if clause is not None else ():
            term = unwrap(item.this if isinstance(item, exp.Ordered) else item)
            bare = isinstance(term, exp.Column) and not term.table
            named = [
                number
                for number, output in enumerate(outputs or (), 1)
                if bare and output.name.lower() == term.name.lower()
            ]
            key = self.key(term)
            if named:
                key = Key(
                    expr=shown[named[0] - 1] if len(named) == 1 else _opaque(term),
                    classes=classes_of((outputs or ())[named[0] - 1].type),
                )
            expr = key.expr
            place = places.get((expr.source, expr.column), 0) if isinstance(expr, Column) else 0
            kind = (outputs or ())[place - 1].type if place else None
            short = kind is not None and (kind.length or 0) <= _SORTED
            classes = key.classes if short else None
            yield Key(expr=expr, classes=classes, output=place)

    def distinct(self, node: exp.Select, outputs: tuple[Output, ...] | None) -> tuple[Key, ...]:
        """Return the result columns of SELECT DISTINCT as keys, or no keys without DISTINCT."""
        if node.args.get("distinct") is None:
            return ()
        if any(item.is_star for item in node.expressions):
            if outputs is None:
                return (Key(expr=_opaque(node)),)
            return tuple(
                Key(expr=self.shown(output), classes=classes_of(output.type), output=number)
                for number, output in enumerate(outputs, 1)
            )
        items = [
            unwrap(item.this if isinstance(item, exp.Alias) else item) for item in node.expressions
        ]
        found = []
        for number, item in enumerate(items, 1):
            key = self.key(item)
            if isinstance(item, exp.Literal):
                key = Key(expr=Constant(), classes=frozenset())
            found.append(Key(expr=key.expr, classes=key.classes, output=number))
        return tuple(found)


def classes_of(kind: SqlType | None) -> frozenset[Class]:
    """Return the class of a type: an index compares all types of one class in the same way."""
    if kind is None:
        return frozenset()
    family = types.family(kind)
    return frozenset({(family, family)})


def _from_nodes(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the items and joins of FROM, but not the contents of sub-selects."""
    clause = node.args.get("from_")
    rest = [clause.this] if clause is not None else []
    rest += node.args.get("joins") or []
    while rest:
        item = rest.pop()
        yield item
        if isinstance(item, exp.Join):
            rest.append(item.this)
            continue
        rest += item.args.get("joins") or []
        if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Table | exp.Subquery):
            rest.append(item.this)


def _keys(relation: Stored) -> Iterator[UniqueKey]:
    numbers = {column.name.lower(): n for n, column in enumerate(relation.table.columns, 1)}
    for columns in relation.unique:
        parts = []
        for name in map(str.lower, columns):
            number = numbers.get(name, 0)
            kind = relation.table.columns[number - 1].type if number else None
            cls = next(iter(classes_of(kind)), None)
            collation = relation.collations.get(name, "")
            parts.append(KeyPart(column=number, cls=cls, collation=collation))
        yield UniqueKey(name=", ".join(columns), parts=tuple(parts))


def column_of(source: scope.Source, output: Output, level: Level) -> Column:
    """Convert a column of a source in a scope to a column of `aiosqlc.relational`."""
    absent = source.nulled_by - level.dead
    empty = {_NO_ROW} if level.bare_is_null else set()
    return Column(
        source=source.number + 1,
        column=_number(source, output.name),
        absent=frozenset(absent | empty),
        collation=output.collation,
    )


def _number(source: scope.Source, name: str) -> int:
    wanted = name.lower()
    outputs = source.outputs or ()
    return next(n for n, output in enumerate(outputs, 1) if output.name.lower() == wanted)


def _opaque(key: object) -> Opaque:
    return Opaque(key=id(key), args=())


def _is_made_once(query: Query) -> bool:
    """Return whether the server materializes a sub-select in FROM, and so runs it only once."""
    limit = query.limit
    cut = limit.most is not None or not limit.some or not limit.from_first
    alone = len(query.sources) == 1 and isinstance(query.sources[0], NoTable)
    return cut or query.one_group or alone or query.arms is not None
