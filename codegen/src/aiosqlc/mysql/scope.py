"""The scope of one SELECT, UPDATE or DELETE: its sources and outer joins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct, field
from sqlglot import exp

from aiosqlc.analysis.verdict import Verdict, maybe, never
from aiosqlc.ir import ColumnRef, JsonShape, SqlType
from aiosqlc.mysql.relations import Relation
from aiosqlc.mysql.rules import STRICT, Premises
from aiosqlc.relational.tree import Query

ColumnKey = tuple[int, str]
"""A column: the number of its FROM item in the scope, and its name in lower case."""
Written = tuple[str, object]
"""A hashable form of an expression: its columns, constants and functions."""
Fact = ColumnKey | Written
DECLARED = never("column", "the column is declared NOT NULL")
NULLABLE = maybe("the column may be NULL")


class Output(Struct, frozen=True):
    """A column of a table or sub-select. `type` is None if only the server knows the type.

    An `invisible` column is only accessible by name, because `*` omits it. `unsure` means that the
    server's NOT NULL flag may be wrong. `nameless` means that the server generated the name from an
    expression. `column` is the FROM item's column that a sub-select returns unchanged, if there is
    one. `shape` is the JSON shape of the values, or None if they are not JSON. `padded` means that
    the server may write its numbers with leading zeros.
    """

    name: str
    type: SqlType | None
    verdict: Verdict = NULLABLE
    origin: ColumnRef | None = None
    alias: str = ""
    collation: str = ""
    invisible: bool = False
    unsure: bool = False
    nameless: bool = False
    column: ColumnKey | None = None
    shape: JsonShape | None = None
    padded: bool = False

    @property
    def not_null(self) -> bool:
        """Return whether the column is proved not NULL in every row of its table or sub-select."""
        return not self.verdict.null


class Result(Struct, frozen=True):
    """The proofs about a query's result; `outputs` is None if the columns are unknown.

    `query()` converts the SELECT to the `Query` for which the number of rows is proved. `node` is
    the syntax tree.
    """

    outputs: tuple[Output, ...] | None
    query: Callable[[], Query] = Query
    node: exp.Expr | None = None


class Source(Struct):
    """One item of FROM. `nulled_by` lists the outer joins that may replace the item's row by NULLs.

    `historic` means that the item returns several versions of a row, so that no key is unique.
    `made` is the result of a derived table or a CTE. A `lateral` item is evaluated for each row of
    the items before it.
    """

    number: int
    alias: str
    outputs: tuple[Output, ...] | None
    relation: Relation | None = None
    made: Result | None = None
    lateral: bool = False
    nulled_by: set[int] = field(default_factory=set)
    historic: bool = False
    item: exp.Expr | None = None

    @property
    def shown(self) -> tuple[Output, ...]:
        """Return the columns that `*` includes."""
        return tuple(output for output in self.outputs or () if not output.invisible)

    def is_in(self, database: str) -> bool:
        """Return whether the FROM item is a table that is written as `database.table`.

        Return True if `database` is empty.
        """
        return not database or (isinstance(self.item, exp.Table) and self.item.db == database)

    def output(self, name: str) -> Output | None:
        """Return the column that has this name, ignoring case."""
        wanted = name.lower()
        return next((o for o in self.outputs or () if o.name.lower() == wanted), None)


class Join(Struct):
    """A join: `side` is LEFT, RIGHT, FULL or empty; `left` and `right` are source numbers."""

    number: int
    side: str
    on: exp.Expr | None
    left: frozenset[int]
    right: frozenset[int]
    using: tuple[str, ...] = ()
    nested: bool = False
    natural: bool = False


class Level(Struct):
    """The scope of one SELECT, UPDATE or DELETE: its FROM items, joins and proved facts.

    `bare_is_null` means that any column outside of aggregates may be NULL: under ROLLUP, or if the
    SELECT has an aggregate without GROUP BY and reads no row. `grouped` means that GROUP BY
    guarantees at least one row for each aggregate. `facts` maps each column or expression that is
    not NULL in any selected row to the rule that proves it.
    """

    node: exp.Expr
    parent: Level | None
    ctes: dict[str, Result]
    premises: Premises = STRICT
    sources: list[Source] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    merged: dict[str, int] = field(default_factory=dict)
    facts: dict[Fact, str] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    bare_is_null: bool = False
    rollup: bool = False
    grouped: bool = False
    aggregated: bool = False

    @property
    def joined_by_name(self) -> bool:
        """Return whether a join with USING or NATURAL makes `*` merge columns."""
        return any(join.using or join.natural for join in self.joins)

    def local(self, column: exp.Column) -> tuple[Source, Output] | None:
        """Return the column of this scope's FROM items that a name refers to, or None."""
        name, sources = column.name.lower(), self._visible(column)
        if column.table:
            sources = self._named(column, sources)
        elif name in self.merged:
            sources = [source for source in sources if source.number == self.merged[name]]
        found = [(source, output) for source in sources if (output := source.output(name))]
        return found[0] if len(found) == 1 else None

    def _visible(self, column: exp.Column) -> Sequence[Source]:
        """Return the FROM items that a name can refer to.

        In ON, these are the operands of the join; in an item of FROM, the items before it.
        """
        joins = {id(join.on): join for join in self.joins}
        items = {id(source.item): source.number for source in self.sources}
        current: exp.Expr | None = column
        while current is not None and current is not self.node:
            join = joins.get(id(current))
            if join is not None:
                return [self.sources[number] for number in sorted(join.left | join.right)]
            if id(current) in items:
                return self.sources[: items[id(current)]]
            current = current.parent
        return self.sources

    def _named(self, column: exp.Column, sources: Sequence[Source]) -> Sequence[Source]:
        """Return the FROM items that a name's qualifier can refer to, or none if it is unclear.

        Only some servers ignore the case of aliases. A database is compared as it is written.
        """
        found = [source for source in sources if _is_alike(source, column.table)]
        if any(source.alias != column.table for source in found):
            around = (source for level in self.outwards() for source in level.sources)
            if len({s.alias for s in around if _is_alike(s, column.table)}) > 1:
                return []
        return [source for source in found if source.is_in(column.db)]

    def source(self, alias: str, database: str = "") -> Source | None:
        """Return the FROM item with this name or alias in this scope, or None."""
        for same in (str.__str__, str.lower):
            for source in self.sources:
                if same(source.alias) == same(alias) and source.is_in(database):
                    return source
        return None

    def may_have(self, column: exp.Column) -> bool:
        """Return whether this scope may have a column with the name."""
        if column.table:
            return any(_is_alike(source, column.table) for source in self.sources)
        return any(s.outputs is None or s.output(column.name) for s in self.sources)

    def resolve(self, column: exp.Column) -> tuple[Level, Source, Output] | None:
        """Return the column that a name refers to in this scope or else in an enclosing scope."""
        for level in self.outwards():
            if level.may_have(column):
                found = level.local(column)
                return (level, *found) if found else None
        return None

    def outwards(self) -> Iterator[Level]:
        """Yield this scope, then the scopes that enclose it."""
        level: Level | None = self
        while level is not None:
            yield level
            level = level.parent

    def can_be_nulled(self, source: Source) -> bool:
        """Return whether an outer join may replace the FROM item's row by NULLs."""
        return bool(source.nulled_by - self.dead)

    def column(self, source: Source, output: Output) -> Verdict:
        """Infer whether a column of a source can be NULL in a result row."""
        name = f"{source.alias}.{output.name}"
        rule = self.facts.get((source.number, output.name.lower()))
        if rule is not None:
            return never(rule, f"a condition is true only if {name} is not NULL")
        holds = self.premises.holds
        if not holds("column", "the column is declared NOT NULL", output.not_null):
            return maybe(f"{name} may be NULL", *self._inner(source, output))
        if not holds("column", "every outer join found a match", not self.can_be_nulled(source)):
            return maybe(f"an outer join may find no row of {source.alias}")
        if source.relation is not None:
            return never("column", f"{name} is declared NOT NULL")
        return never("column", f"{name} is never NULL", *self._inner(source, output))

    def _inner(self, source: Source, output: Output) -> tuple[Verdict, ...]:
        return () if source.relation is not None else (output.verdict,)


def _is_alike(source: Source, alias: str) -> bool:
    """Return whether a FROM item has this name or alias, ignoring case."""
    return source.alias.lower() == alias.lower()


def is_dual(table: exp.Table) -> bool:
    """Return whether a table is the keyword DUAL, which stands for one row without columns."""
    name = table.this
    return (
        isinstance(name, exp.Identifier)
        and not name.args.get("quoted")
        and name.name.lower() == "dual"
        and not table.db
    )


def unwrap(node: exp.Expr) -> exp.Expr:
    """Return an expression without its parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


_CHAINED = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.Is, exp.Not,
)  # fmt: skip
_PREDICATES = (exp.Like, exp.RegexpLike, exp.In, exp.Between)


def is_chained(node: exp.Expr) -> bool:
    """Return whether a node can be one comparison in a chain: `a <=> b < c`, `a = b IS NULL`.

    The server parses a chain from left to right, but it parses LIKE, IN and BETWEEN from right to
    left (`a BETWEEN b AND (c LIKE d)`). sqlglot has other rules, so the operands in its tree may
    differ. Parentheses in the tree do not show the user's grouping, because sqlglot adds some
    parentheses itself.
    """
    if isinstance(node, _PREDICATES):
        first = unwrap(node.this)
        if isinstance(unwrap(first.this) if isinstance(first, exp.Not) else first, _PREDICATES):
            return True
    return isinstance(unwrap(node.expression), _CHAINED)


def own_nodes(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield a node and its descendants, without entering sub-selects."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, exp.Query) and current is not node:
            continue
        stack.extend(current.iter_expressions())
