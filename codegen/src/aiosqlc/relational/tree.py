"""A statement's queries in a form that both engines share: FROM items, joins, conditions, keys.

An engine converts its own tree to this one, and provides further facts (`relational.port`). The
defaults guarantee nothing: a flag that is False and a collection that is empty guarantee nothing.
Parts that are rarely needed are functions, which build them on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

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


class _Part(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A node of the query tree.

    Parts are never equal; expressions are compared by the columns that they refer to.
    """


# --- expressions ----------------------------------------------------------------------------------


class Expr(_Part, frozen=True, kw_only=True):
    """The base class of the kinds of expressions."""


class Column(Expr, frozen=True, kw_only=True):
    """A column of a FROM item, in the query that is `level` queries further out.

    `absent` lists the outer joins that may have omitted the column's row.

    `row` distinguishes the old and the new row of a write by the engine's number.
    """

    source: int
    column: int
    level: int = 0
    absent: frozenset[int] = frozenset()
    collation: Hashable = None
    row: int = 0


class Parameter(Expr, frozen=True, kw_only=True):
    """A parameter of the statement, by number, which has one value during execution."""

    number: int = 0


class Constant(Expr, frozen=True, kw_only=True):
    """A constant."""


class Subquery(Expr, frozen=True, kw_only=True):
    """A subquery.

    `one_value` means that the subquery runs once if it reads no column of this query (`reads`).
    `stable` means that it has one value for the same values of these columns.
    """

    reads: tuple[Column, ...]
    one_value: bool = False
    stable: bool = False


class Opaque(Expr, frozen=True, kw_only=True):
    """Any other expression.

    Two expressions with the same `key` are the same expression. `args` are the direct operands.

    `from_args` means that the value depends only on the values of `args` in the same row. `stable`
    is False for a volatile function.
    """

    key: Hashable
    args: tuple[Expr, ...]
    from_args: bool = False
    stable: bool = False


# --- conditions and joins -------------------------------------------------------------------------


class Equality(_Part, frozen=True, kw_only=True):
    """A condition that two expressions are equal.

    `left_classes` and `right_classes` are the comparisons of the operands by a unique index.
    `families` are the operator families of the equality. `image` means that only one stored value
    satisfies the condition, under a deterministic collation. `key` is for a comparison of a column
    with a parameter. It means that a Python mapping with the column's values as keys finds a value
    exactly if the condition holds.
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
    """One of the conditions that AND combines in WHERE or in a join's ON.

    `meaning` is the part that fixes a column: an equality, or a column that is true or false.
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

    `reads` returns the columns on which its condition depends, or None if they are unknown.
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

    `whole` means that the query does not read a sample of the table.
    """

    relation: Relation
    with_children: bool = True
    whole: bool = False


class NoTable(Source, frozen=True, kw_only=True):
    """The FROM item of a query without FROM: one row without columns."""


class _Inner(Source, frozen=True, kw_only=True):
    """A FROM item that contains expressions, such as arguments of a function.

    `reads` are the columns of this query that it refers to. `stable` means that it has no volatile
    function.
    """

    reads: tuple[Column, ...] = ()
    stable: bool = False


class Derived(_Inner, frozen=True, kw_only=True):
    """A subquery in FROM, or a view, in which case `relation` is the view."""

    query: Callable[[], Query]
    relation: Relation | None = None


class CteUse(Source, frozen=True, kw_only=True):
    """A use of a WITH query in FROM. `runs_once` means that every use reads the same rows.

    `recursive` is whether the WITH query is recursive, and `itself` whether this use is inside the
    query itself.
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

    `one_row` means that no function returns a set. `a_row` means that at least one function returns
    no set.
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

    `repeated` are the keys that a grouping set may omit although `absent` does not contain it.
    """

    behind: Callable[[int], Expr]
    repeated: Callable[[], frozenset[int]] = frozenset


# --- a query --------------------------------------------------------------------------------------


class Key(_Part, frozen=True, kw_only=True):
    """A key of GROUP BY, DISTINCT or ORDER BY.

    `classes` says how its values are compared (None: unknown). `output` is the number of the column
    that returns the key, or 0.
    """

    expr: Expr
    classes: frozenset[Class] | None = None
    output: int = 0


class Limit(_Part, frozen=True, kw_only=True):
    """The rows that LIMIT and OFFSET select.

    `most` is the limit if it is a number. `exact` means that there are never more rows than the
    limit (no WITH TIES). `some` means that there is at least one row. `from_first` means that no
    row is skipped.
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
    """ON CONFLICT.

    `updates` means that any existing row is updated. `alone` means that no WITH query is read.

    `does_nothing` means that the existing row is unchanged. `key` are the columns that both rows
    share. `sets` are the columns that are assigned, or None if unknown; `assigned` are the values.
    `conditions` are the conditions of its WHERE, and `excluded` is the source that stands for the
    new row.
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

    `sources` are the FROM items and the target. `reads_from` are the numbers of the sources that
    are read.

    `plain_list` means that no function in the select list returns a set. `grouping_sets` is ()
    without grouping sets, and None if there are too many; each is a set of key numbers. `set_keys`
    returns, for each output, the numbers of the keys that it may be. Mostly this is one key or
    none. `one_group` means that all rows form one group. `every_group` means that there is no
    HAVING. `distinct_rows` means that DISTINCT applies to whole rows. `order` returns the keys of
    ORDER BY. `no_locks` means that no row is locked. `target` is the source to which the query
    writes. `no_windows` means that there is no window function. `assigned` are the expressions for
    the target's columns. `subqueries` are the subqueries in expressions. `writing_ctes` are the
    WITH queries that write, and `calls` are the called functions. `name` returns the name of a
    source. `actions` are the actions of a MERGE, each as a query for the rows on which it acts; the
    command of the MERGE itself is `OTHER`.
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
    """A column in a unique key, or an expression of the engine.

    `cls` is None if the comparison is not trusted.
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
