"""A statement's queries in a form that both engines share: FROM items, joins, conditions, keys.

An engine converts its own tree to this one, and provides further facts (`relational.port`). Default
values state no fact: a proof concludes nothing from a flag that is False or a collection that is
empty. Fields that are rarely needed are functions, which compute the value on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from enum import Enum
from typing import Any

from msgspec import Struct

Class = tuple[Hashable, Hashable]
"""A way to compare values: a family of compatible operators, and the type that they compare."""

Relation = Hashable
"""The engine's identifier of a table or view, such as an OID."""

Handle = Any
"""The engine's own parse tree node, which only the engine reads."""


class Command(Enum):
    """The command of a query. Nothing is proved about a query with `OTHER`."""

    OTHER = 0
    SELECT = 1
    INSERT = 2
    UPDATE = 3
    DELETE = 4


class _Part(Struct, frozen=True, kw_only=True, eq=False):
    """A node of the query tree.

    Two nodes never compare as equal. Expressions are compared by the columns that they refer to.
    """


# --- expressions ----------------------------------------------------------------------------------


class Expr(_Part, frozen=True, kw_only=True):
    """The base class of the kinds of expressions."""


class Column(Expr, frozen=True, kw_only=True):
    """A column of a FROM item. `level` is 0 for this query, 1 for the query around it, and so on.

    `absent` lists the outer joins that may have omitted the column's row.

    `row` is the engine's number for the old or the new row of a write.
    """

    source: int
    column: int
    level: int = 0
    absent: frozenset[int] = frozenset()
    collation: Hashable = None
    row: int = 0


class Parameter(Expr, frozen=True, kw_only=True):
    """A parameter of the statement. It has one value during an execution of the statement."""

    number: int = 0


class Constant(Expr, frozen=True, kw_only=True):
    """A constant."""


class Subquery(Expr, frozen=True, kw_only=True):
    """A subquery in an expression.

    `reads` are the columns of this query that the subquery reads. `one_value` means that the
    subquery runs only once if `reads` is empty. `stable` means that its value is the same whenever
    the values of `reads` are the same.
    """

    reads: tuple[Column, ...]
    one_value: bool = False
    stable: bool = False


class Opaque(Expr, frozen=True, kw_only=True):
    """Any other expression.

    Two expressions with the same `key` are the same expression. `args` are the direct operands.

    `from_args` means that the value depends only on the values of `args` in the same row. `stable`
    is False for a volatile function. `fitted` is set if the expression is the conversion of a value
    to a column's length: the server cuts or adds only blanks at the end, or reports an error.
    """

    key: Hashable
    args: tuple[Expr, ...]
    from_args: bool = False
    stable: bool = False
    fitted: Expr | None = None


# --- conditions and joins -------------------------------------------------------------------------


class Equality(_Part, frozen=True, kw_only=True):
    """A condition that two expressions are equal.

    `left_classes` and `right_classes` are, for each operand, the ways in which a unique index can
    compare values and agree with this equality. `families` are the operator families to which the
    equality operator belongs. `image` means that only one stored value satisfies the condition,
    under a deterministic collation. `key` is set for a comparison of a column with a parameter. It
    means that Python agrees: a dict with the column's values as keys has the parameter as a key
    exactly if the condition is true.
    """

    left: Expr
    right: Expr
    left_classes: frozenset[Class] = frozenset()
    right_classes: frozenset[Class] = frozenset()
    families: frozenset[Hashable] = frozenset()
    collation: Hashable = None
    image: bool = False
    key: bool = False


class Condition(_Part, frozen=True, kw_only=True):
    """One of the conditions that AND combines in WHERE or ON.

    `meaning` is an equality, or a boolean column that the condition requires to be true or false.
    It is None for any other condition.
    """

    handle: Handle
    meaning: Equality | Column | None = None


class JoinKind(Enum):
    """The kind of a join."""

    INNER = 0
    LEFT = 1
    FULL = 2
    RIGHT = 3


class Leaf(_Part, frozen=True, kw_only=True):
    """A table or other FROM item as a leaf of the join tree, by its number (from 1)."""

    source: int


class From(_Part, frozen=True, kw_only=True):
    """The items of FROM, and the conditions on them.

    `every_row` means that no condition excludes a row.
    """

    items: tuple[JoinItem, ...]
    conditions: tuple[Condition, ...] = ()
    every_row: bool = False


class Join(_Part, frozen=True, kw_only=True):
    """A join of two subtrees of the join tree, with the join's conditions.

    `reads` returns the columns on which the join's conditions depend, or None if they are unknown.
    """

    kind: JoinKind
    left: JoinItem
    right: JoinItem
    conditions: tuple[Condition, ...] = ()
    every_row: bool = False
    handle: Handle = None
    reads: Callable[[], Sequence[Column] | None] = lambda: None


JoinItem = Leaf | From | Join


# --- sources --------------------------------------------------------------------------------------


class Source(_Part, frozen=True, kw_only=True):
    """An item that a query can read rows from, such as a table or a subquery in FROM.

    An instance of this class itself is an unsupported item.
    """


class Table(Source, frozen=True, kw_only=True):
    """A table, with or without its child tables.

    `whole` means that the query does not use TABLESAMPLE to read only a sample of the table.
    """

    relation: Relation
    with_children: bool = True
    whole: bool = False


class NoTable(Source, frozen=True, kw_only=True):
    """The FROM item of a query without FROM: one row without columns."""


class _Inner(Source, frozen=True, kw_only=True):
    """A FROM item that contains expressions, such as arguments of a function.

    `reads` are the columns of this query to which the item refers. `stable` means that the item
    calls no volatile function.
    """

    reads: tuple[Column, ...] = ()
    stable: bool = False


class Derived(_Inner, frozen=True, kw_only=True):
    """A subquery or a view in FROM. For a view, `relation` is its identifier."""

    query: Callable[[], Query]
    relation: Relation | None = None


class CteUse(Source, frozen=True, kw_only=True):
    """A use of a WITH query in FROM. `runs_once` means that every use reads the same rows.

    `recursive` means that the WITH query is recursive. `itself` means that this use is inside the
    WITH query itself.
    """

    query: Callable[[], Query]
    recursive: bool = False
    itself: bool = False
    runs_once: bool = False


class Values(_Inner, frozen=True, kw_only=True):
    """A VALUES list in FROM; `rows` is the number of rows, and `lists` has the expressions."""

    rows: int
    lists: Callable[[], Sequence[Sequence[Expr]]] = tuple


class Function(_Inner, frozen=True, kw_only=True):
    """Functions in FROM.

    `one_row` means that none of the functions returns a set, so there is one row. `a_row` means
    that at least one of the functions does not return a set, so there is at least one row.
    """

    handle: Handle
    one_row: bool = False
    a_row: bool = False


class Merged(Source, frozen=True, kw_only=True):
    """The FROM item that stands for a join as a whole, with the columns that USING merges.

    `behind` maps a column's number to the expression that it stands for.
    """

    behind: Callable[[int], Expr]


class Grouped(Source, frozen=True, kw_only=True):
    """The FROM item that stands for the keys of GROUP BY; `behind` returns a key's expression.

    `repeated` returns the keys that a grouping set may omit although their `absent` does not show
    it.
    """

    behind: Callable[[int], Expr]
    repeated: Callable[[], frozenset[int]] = frozenset


# --- a query --------------------------------------------------------------------------------------


class Key(_Part, frozen=True, kw_only=True):
    """A key of GROUP BY, DISTINCT or ORDER BY.

    `classes` are the ways in which the query compares the key's values, or None if unknown.
    `output` is the number of the result column that shows the key, or 0.
    """

    expr: Expr
    classes: frozenset[Class] | None = None
    output: int = 0


class Limit(_Part, frozen=True, kw_only=True):
    """The rows that LIMIT and OFFSET select.

    `most` is the LIMIT if it is a constant. `exact` means that the query never returns more rows
    than the LIMIT (no WITH TIES). `some` means that the LIMIT allows at least one row. `from_first`
    means that no row is skipped.
    """

    most: int | None = None
    exact: bool = False
    some: bool = False
    from_first: bool = False


class SetOp(Enum):
    """The kind of a set operation."""

    UNION = 1
    INTERSECT = 2
    EXCEPT = 3


class SetOperation(_Part, frozen=True, kw_only=True):
    """A set operation (UNION, INTERSECT or EXCEPT) with its two operands.

    `left_kept` and `right_kept` are the columns that an operand returns without a cast.
    """

    op: SetOp
    left: SetOperation | int
    right: SetOperation | int
    left_kept: frozenset[int] = frozenset()
    right_kept: frozenset[int] = frozenset()


class Conflict(_Part, frozen=True, kw_only=True):
    """The ON CONFLICT clause of an INSERT, for an existing row that conflicts with the new row.

    `updates` means that the existing row is always updated. `alone` means that the clause reads no
    WITH query.

    `does_nothing` means that the existing row is unchanged. `key` are the columns in which the two
    rows have equal values. `sets` are the columns that SET assigns, or None if they are unknown,
    and `assigned` returns their new values. `conditions` are the conditions of the clause's WHERE.
    `excluded` is the number of the FROM item that stands for the new row.
    """

    updates: bool = False
    alone: bool = False
    does_nothing: bool = False
    key: frozenset[int] = frozenset()
    sets: frozenset[int] | None = None
    assigned: Callable[[], Mapping[int, Expr]] = dict
    conditions: tuple[Condition, ...] = ()
    excluded: int = 0


class Query(_Part, frozen=True, kw_only=True):
    """One SELECT, INSERT, UPDATE or DELETE of a statement; subqueries are queries of their own.

    `sources` are the FROM items and the table that is written. `target` is the number of the
    latter, and `reads_from` are the numbers of the items that are read. `outputs` returns the
    expressions of the result columns. `arms` is the set operation, or None.

    `plain_list` means that no function in the select list returns a set. `one_group` means that all
    rows form one group. `every_group` means that there is no HAVING. `distinct_rows` means that
    DISTINCT applies to whole rows. `no_locks` means that no row is locked. `no_windows` means that
    there is no window function.

    `grouping_sets` are sets of key numbers. It is () if the query has no grouping sets, and None if
    it has too many. `set_keys` returns, for each result column, the numbers of the GROUP BY keys
    for which it can stand, usually one or none. `order` returns the keys of ORDER BY.

    `assigned` returns the expression that is assigned to each column of the target. `subqueries`
    returns the subqueries in expressions. `writing_ctes` returns the WITH queries that write.
    `calls` returns the called functions. `name` returns the name of a FROM item. `actions` returns
    the actions of a MERGE, each as a query for the rows on which it acts. The MERGE itself has the
    command `OTHER`.
    """

    command: Command = Command.OTHER
    sources: tuple[Source, ...] = ()
    root: From = From(items=())
    reads_from: tuple[int, ...] = ()
    outputs: Callable[[], Sequence[Expr]] = tuple
    plain_list: bool = False
    group_keys: tuple[Key, ...] = ()
    grouping_sets: Sequence[frozenset[int]] | None = ()
    set_keys: Callable[[], Sequence[frozenset[int]]] = tuple
    one_group: bool = False
    every_group: bool = False
    distinct_keys: tuple[Key, ...] = ()
    distinct_rows: bool = False
    order: Callable[[], Sequence[Key]] = tuple
    no_locks: bool = False
    limit: Limit = Limit()
    arms: SetOperation | None = None
    target: int = 0
    conflict: Conflict | None = None
    no_windows: bool = False
    assigned: Callable[[], Mapping[int, Expr]] = dict
    subqueries: Callable[[], Sequence[Query]] = tuple
    writing_ctes: Callable[[], Sequence[Query]] = tuple
    calls: Callable[[], Sequence[Hashable]] = tuple
    actions: Callable[[], Sequence[Query]] = tuple
    name: Callable[[int], str] = str

    def source(self, number: int) -> Source:
        """Return a FROM item by its number, which starts at 1."""
        return self.sources[number - 1]


# --- facts of the schema --------------------------------------------------------------------------


class KeyPart(_Part, frozen=True, kw_only=True):
    """A column of a unique key, or an expression of the key as the engine's parse tree node.

    `cls` is the way in which the key compares values, or None if proofs cannot rely on it.
    """

    column: int = 0
    expr: Handle = None
    cls: Class | None = None
    collation: Hashable = None


class UniqueKey(_Part, frozen=True, kw_only=True):
    """A unique key; a partial index's key applies only to rows that satisfy its `predicate`."""

    name: str
    parts: tuple[KeyPart, ...]
    predicate: tuple[Handle, ...] = ()
