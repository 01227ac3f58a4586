"""Convert a whole statement to a query from which tenant separation is proved.

The queries for the row counts (`mysql.levels`) omit parts that do not change the number of rows.
Here nothing may be left out: a statement with an unknown part becomes a query about which nothing
can be proved.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from sqlglot import exp

from aiosqlc.mysql.functions import name_of
from aiosqlc.mysql.known_fields import is_understood
from aiosqlc.mysql.levels import limit_of
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Relation
from aiosqlc.mysql.scope import Output, Source
from aiosqlc.mysql.tenancy.changes import change_of
from aiosqlc.mysql.tenancy.facts import OTHER, Facts, Frames, beside, derived, identity
from aiosqlc.mysql.tenancy.inserts import insert_of
from aiosqlc.mysql.tenancy.lowering import TenantLowering
from aiosqlc.mysql.tenancy.nodes import definition, is_named, is_plain, is_unknown
from aiosqlc.mysql.tenancy.storing import is_counted, is_strict, is_unchanged
from aiosqlc.mysql.writes import replaces
from aiosqlc.relational import tree
from aiosqlc.relational.tree import (
    Column,
    Command,
    CteUse,
    Derived,
    From,
    Function,
    Leaf,
    Limit,
    Query,
    SetOp,
    SetOperation,
    Table,
)

_SET_OPERATIONS: dict[type[exp.Expr], SetOp] = {
    exp.Union: SetOp.UNION,
    exp.Intersect: SetOp.INTERSECT,
    exp.Except: SetOp.EXCEPT,
}


def statement_of(reader: Reader, facts: Facts, *, required: bool) -> Query:
    """Convert the statement of `reader` to a `Query`.

    `required` means that the parameter for the tenant is never None.
    """
    return Statement(reader, facts, required=required).query()


class Statement:
    """Converts a statement to a `Query`.

    `read` and `seen` are the ids of the SELECTs and of the tables that were already converted.
    """

    def __init__(self, reader: Reader, facts: Facts, *, required: bool) -> None:
        self.reader = reader
        self.facts = facts
        self.required = required
        self.calls: tuple[Hashable, ...] = ()
        self.read: set[int] = set()
        self.seen: set[int] = set()
        self._ctes: dict[int, Query] = {}

    def query(self) -> Query:
        """Return the query of the statement, or a query about which nothing can be proved."""
        root = self.reader.tree.root
        nodes = list(root.walk())
        if any(map(is_unknown, nodes)):
            return OTHER
        called = (node for node in nodes if not isinstance(node, exp.JSONTable))
        self.calls = tuple({name for name in map(name_of, called) if name})
        found = self._root(root)
        tables = (n for n in nodes if isinstance(n, exp.Table) and is_named(n))
        selects = (n for n in nodes if isinstance(n, exp.Select))
        whole = all(id(n) in self.seen for n in tables) and all(id(n) in self.read for n in selects)
        return found if whole else OTHER

    def _root(self, root: exp.Expr) -> Query:
        if isinstance(root, exp.Query):
            return self.select(root, ())
        if isinstance(root, exp.Insert):
            return insert_of(root, self)
        if isinstance(root, exp.Update | exp.Delete):
            return change_of(root, self)
        return OTHER

    # --- queries ------------------------------------------------------------------------------

    def select(self, node: exp.Expr, frames: Frames) -> Query:
        """Convert a SELECT, a set operation, or one of these in parentheses."""
        if isinstance(node, exp.Subquery | exp.Paren):
            if not is_understood(node) or node.args.get("joins"):
                return OTHER
            if not any(node.args.get(clause) for clause in ("limit", "offset")):
                return self.select(node.this, frames)
            inner = self.select(node.this, (None, *frames))
            return _limited(inner, limit_of(node))
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, frames)
        level = self.reader.levels.get(id(node))
        if not isinstance(node, exp.Select) or level is None:
            return OTHER
        self.read.add(id(node))
        return TenantLowering(node, level, self, frames).whole(node)

    def _set_operation(self, node: exp.SetOperation, frames: Frames) -> Query:
        op = _SET_OPERATIONS.get(type(node))
        if op is None or not is_understood(node):
            return OTHER
        arms = [self.select(side, (None, *frames)) for side in (node.left, node.right)]
        kept = self._kept(node)
        return Query(
            command=Command.SELECT,
            sources=tuple(derived(arm) for arm in arms),
            outputs=lambda: [
                Column(source=1, column=number) for number in range(1, len(arms[0].outputs()) + 1)
            ],
            plain_list=True,
            arms=SetOperation(op=op, left=1, right=2, left_kept=kept, right_kept=kept),
            limit=limit_of(node),
            no_windows=True,
            calls=lambda: self.calls,
        )

    def _kept(self, node: exp.SetOperation) -> frozenset[int]:
        """Return the columns of a set operation that have the same type in both operands."""
        left, right = (self._outputs(side) for side in (node.left, node.right))
        return frozenset(
            number
            for number, (ours, theirs) in enumerate(zip(left, right, strict=False), 1)
            if ours.type is not None
            and ours.type == theirs.type
            and ours.collation == theirs.collation
        )

    def _outputs(self, node: exp.Expr) -> Sequence[Output]:
        return self.reader.known(node).outputs or ()

    # --- FROM ---------------------------------------------------------------------------------

    def source(self, source: Source, frames: Frames) -> tree.Source:
        """Convert a FROM item; `frames` are the scopes around its sub-select."""
        item = source.item
        self.seen.add(id(item))
        if item is None or source.outputs is None:
            return tree.Source()
        if source.relation is not None:
            old = source.historic or item.args.get("version")
            return tree.Source() if old or not is_understood(item) else self.stored(source.relation)
        if isinstance(item, exp.Table) and is_named(item):
            return self._cte(item)
        if isinstance(item, exp.Table):
            return Function(handle=None)  # JSON_TABLE
        if isinstance(item, exp.Lateral):
            return derived(self.select(item.this, frames))
        if isinstance(item, exp.Subquery) and is_plain(item):
            return derived(self.select(item.this, frames))
        return tree.Source()

    def stored(self, relation: Relation) -> tree.Source:
        """Convert a table or a view."""
        if not relation.is_view:
            return Table(relation=identity(relation), with_children=False, whole=True)
        query = self.facts.view(relation)
        if len(query.outputs()) != len(relation.table.columns):
            return tree.Source()
        return Derived(query=lambda: query, relation=identity(relation))

    def _cte(self, item: exp.Table) -> tree.Source:
        """Convert a FROM item that is a WITH query; convert the WITH query itself only once."""
        found = definition(item)
        if found is None:
            return tree.Source()
        cte, recursive, itself = found
        if id(cte) not in self._ctes:
            self._ctes[id(cte)] = OTHER  # the query may use itself
            self._ctes[id(cte)] = self.select(cte.this, ())
        return CteUse(query=lambda: self._ctes[id(cte)], recursive=recursive, itself=itself)

    # --- writes -------------------------------------------------------------------------------

    def fired(self, relation: Relation | None, node: exp.Expr) -> Iterator[Hashable]:
        """Yield the triggers and foreign keys through which a write may change further rows."""
        events = {type(node).__name__.upper()}
        if isinstance(node, exp.Insert):
            events |= {"DELETE"} if replaces(node) else set()
            events |= {"UPDATE"} if node.args.get("conflict") else set()
        if relation is None:
            return
        for event, name in relation.fired:
            if event in events:
                yield "trigger", beside(relation, name)
        if "DELETE" in events:
            for name in self.facts.followed(relation):
                yield "foreign key", beside(relation, name)

    def keeps(
        self, node: exp.Expr, relation: Relation, column: str, given: Output | None = None
    ) -> bool:
        """Return whether the server stores a tenant or a foreign key unchanged, or rejects it.

        `given` is the query's column that has the value; None means that the value is a parameter.
        With IGNORE, or in a table without transactions, the server truncates values and replaces
        NULL by 0.
        """
        found = relation.column(column)
        if found is None or is_counted(node, relation, column):
            return False
        if given is not None and not is_unchanged(given, relation, column):
            return False
        present = self.required or not found.not_null
        return is_strict(node, relation) or (present and self.facts.fits(relation, column))


def _limited(inner: Query, limit: Limit) -> Query:
    """Return a query that selects all columns of another one, with a LIMIT."""
    return Query(
        command=Command.SELECT,
        sources=(derived(inner),),
        root=From(items=(Leaf(source=1),), every_row=True),
        reads_from=(1,),
        outputs=lambda: [
            Column(source=1, column=number) for number in range(1, len(inner.outputs()) + 1)
        ],
        plain_list=True,
        limit=limit,
        no_windows=True,
    )
