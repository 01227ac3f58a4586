"""Convert PostgreSQL's parse trees to the query trees that both engines share."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from aiosqlc.ir import ColumnRef, SqlType
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import called, functions_below
from aiosqlc.postgres.infer.constants import constant_int, rows_of
from aiosqlc.postgres.infer.grouping import (
    OMITTED,
    grouping_sets,
    is_ungrouped_aggregate,
    keys_shown,
    twice_grouped,
)
from aiosqlc.postgres.infer.images import keys_compare_images
from aiosqlc.postgres.infer.joins import conjuncts, variables
from aiosqlc.postgres.infer.known_fields import is_expression, is_understood
from aiosqlc.postgres.infer.matching import implied, same
from aiosqlc.postgres.infer.outputs import arm_type, expression_type, output_targets
from aiosqlc.postgres.infer.prover import grouped_expressions
from aiosqlc.postgres.infer.relations import absences_of_row
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.user_functions import names_stay, row_queries
from aiosqlc.postgres.rules import RULES
from aiosqlc.postgres.tree import Node, walk
from aiosqlc.relational.joins import sources_of
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
    Grouped,
    Handle,
    Join,
    JoinItem,
    JoinKind,
    Key,
    Leaf,
    Limit,
    Merged,
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

_COMMANDS = {
    kinds.Command.SELECT: Command.SELECT,
    kinds.Command.INSERT: Command.INSERT,
    kinds.Command.UPDATE: Command.UPDATE,
    kinds.Command.DELETE: Command.DELETE,
}
_JOINS = {
    kinds.Join.INNER: JoinKind.INNER,
    kinds.Join.LEFT: JoinKind.LEFT,
    kinds.Join.FULL: JoinKind.FULL,
    kinds.Join.RIGHT: JoinKind.RIGHT,
}
_SET_OPERATIONS = {
    kinds.SetOp.UNION: SetOp.UNION,
    kinds.SetOp.INTERSECT: SetOp.INTERSECT,
    kinds.SetOp.EXCEPT: SetOp.EXCEPT,
}
_ONE_VALUE = (kinds.SubLink.EXPR, kinds.SubLink.EXISTS, kinds.SubLink.ARRAY)
# Two local times can be one instant, so these equalities do not determine a unique index's key.
_ZONE_CROSSING = frozenset(
    {
        "date_eq_timestamptz",
        "timestamptz_eq_date",
        "timestamp_eq_timestamptz",
        "timestamptz_eq_timestamp",
    }
)
# Built-in equalities that only one stored value satisfies (for text, if the collation is
# deterministic).
_IMAGE_EQUALITIES = frozenset({
    "int2eq", "int4eq", "int8eq", "int24eq", "int28eq", "int42eq", "int48eq", "int82eq", "int84eq",
    "oideq", "booleq", "uuid_eq", "date_eq", "timestamp_eq", "timestamptz_eq", "time_eq",
    "date_eq_timestamp", "timestamp_eq_date", "byteaeq", "nameeq", "nameeqtext", "texteqname",
    "texteq", "chareq", "xideq", "cideq", "xid8eq", "tideq", "pg_lsn_eq", "macaddr_eq",
    "macaddr8_eq", "enum_eq",
})  # fmt: skip
# Those of types whose values are equal in Python exactly if the operator holds.
_KEY_EQUALITIES = frozenset({
    "int2eq", "int4eq", "int8eq", "oideq", "booleq", "uuid_eq", "date_eq", "timestamp_eq",
    "timestamptz_eq", "time_eq", "byteaeq", "texteq", "enum_eq",
})  # fmt: skip
_READS_WITH = re.compile(rf":rtekind {kinds.Rte.CTE}\b")
_CALLS = re.compile(r" :(?:opfuncid|funcid|aggfnoid|winfnoid) (\d+)")
_BOOL = 16
_FITTING = frozenset({668, 669})  # bpchar(value, length, explicit) and varchar(…)
_ALWAYS_MATERIALIZED = 1
_APPLIES = frozenset(rule.name for rule in RULES)


class PostgresEngine:
    """Answers the questions of `aiosqlc.relational` about a schema from PostgreSQL's catalog."""

    applies = _APPLIES

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Return whether the precondition of a rule is met.

        The tests of the rules disable single preconditions. A disabled precondition counts as met.
        """
        return rule in self.applies and self.facts.holds(rule, premise, value)

    def keys(self, table: Table) -> tuple[UniqueKey, ...]:
        """Return the unique indexes that cover all rows that a query reads from a table."""
        if not isinstance(table.relation, int):
            return ()
        return self.facts.unique_keys(table.relation, with_children=table.with_children)

    def deterministic(self, collation: Hashable) -> bool:
        """Return whether a collation treats only strings with equal bytes as equal."""
        return isinstance(collation, int) and self.facts.deterministic(collation)

    def same(self, key: Hashable, stored: Handle, source: int) -> bool:
        """Return whether an expression of a query is the same as an expression of an index."""
        return same(key, stored, source)

    def implies(self, condition: Handle, predicate: Handle, source: int) -> bool:
        """Return whether a condition implies one condition of a partial index's predicate."""
        return implied(condition, source, predicate, self.facts)

    def may_skip(self, relation: Relation, command: Command) -> bool:
        """Return whether a trigger or a foreign server may skip writing a row without an error."""
        asked = self.facts.may_skip_insert, self.facts.may_skip_update
        return not isinstance(relation, int) or asked[command is not Command.INSERT](relation)

    def whole(self, relation: Relation | None, columns: Sequence[int]) -> ColumnRef | None:
        """Return the table or view whose columns are exactly the given ones, in order, or None."""
        if not isinstance(relation, int) or relation not in self.facts.relations:
            return None
        entry = self.facts.relations[relation]
        whole = [column.number for column in self.facts.columns.get(relation, ())]
        return ColumnRef(entry.schema, entry.name, "") if whole == columns else None

    def not_null(self, relation: Relation | None, column: int) -> bool:
        """Return whether a column is declared NOT NULL in a table, and in its child tables."""
        return isinstance(relation, int) and self.facts.not_null(relation, column)

    def keeps_type(self, relation: Relation | None, column: int, kind: SqlType) -> bool:
        """Return True: in PostgreSQL, a UNION of columns of one type always has this type."""
        del relation, column, kind
        return True

    def column_name(self, relation: Relation | None, column: int) -> str:
        """Return the name of a column, or an empty string if it is unknown."""
        found = isinstance(relation, int) and self.facts.attributes.get((relation, column))
        return found.name if found else ""

    def has_row(self, function: Function) -> bool:
        """Return whether one of the functions of a FROM item always returns at least one row."""
        return any(rows_of(f["funcexpr"], self.facts) for f in function.handle)


def row_counter(facts: Facts) -> RowCounter:
    """Return the object that infers how many rows the queries of a schema return."""
    return RowCounter(PostgresEngine(facts))


def level_of(scope: Scope) -> Query:
    """Return the query of `scope` in the form of `aiosqlc.relational`; convert it at first use."""
    if scope.level is None:
        scope.level = Lowering(scope).query()
    return scope.level


class Lowering:
    """Converts one query from PostgreSQL's parse tree to the query tree of `aiosqlc.relational`."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.facts = scope.catalog

    def query(self) -> Query:
        """Return the converted query.

        An unsupported query becomes an empty `Query`, about which nothing can be proved.
        """
        node = self.scope.query
        tree = node["jointree"]
        root = self.item(tree) if tree is not None else From(items=())
        command = _COMMANDS.get(self.scope.command, Command.OTHER)
        arms = node["setOperations"]
        operation = self.arm(arms) if arms is not None else None
        if not is_understood(node) or not isinstance(root, From) or (arms and operation is None):
            return Query()
        conflict = node["onConflict"]
        return Query(
            command=command,
            sources=tuple(self.source(entry) for entry in self.scope.range_table),
            root=root,
            reads_from=tuple(self.reads_from(root, command)),
            outputs=self.outputs,
            plain_list=not node["hasTargetSRFs"],
            group_keys=self.keys("groupClause"),
            grouping_sets=_written_sets(node),
            set_keys=self.set_keys,
            one_group=is_ungrouped_aggregate(node),
            every_group=node["havingQual"] is None,
            distinct_keys=self.keys("distinctClause"),
            distinct_rows=not node["hasDistinctOn"],
            order=functools.partial(self.keys, "sortClause"),
            no_locks=not node["rowMarks"],
            limit=_limit(node),
            arms=operation if isinstance(operation, SetOperation) else None,
            target=node["resultRelation"] or 0,
            conflict=None if conflict is None else self.conflict(conflict),
            no_windows=not node["hasWindowFuncs"],
            assigned=self.assigned,
            subqueries=self.subqueries,
            writing_ctes=self.writing_ctes,
            actions=self.actions,
            calls=lambda: tuple({int(oid) for oid in _CALLS.findall(node.text)}),
            name=lambda number: str(self.scope.entry(number)["eref"]["aliasname"]),
        )

    # --- what is read from --------------------------------------------------------------------

    def item(self, node: Node) -> JoinItem | None:
        """Convert a node of the join tree, or return None if it is unsupported."""
        if node.kind not in {"RANGETBLREF", "FROMEXPR", "JOINEXPR"} or not is_understood(node):
            return None
        if node.kind == "RANGETBLREF":
            return Leaf(source=node["rtindex"])
        below = (
            node.list_of("fromlist") if node.kind == "FROMEXPR" else [node["larg"], node["rarg"]]
        )
        items = [item for item in map(self.item, below) if item is not None]
        if len(items) < len(below):
            return None
        conditions = tuple(self.condition(part) for part in conjuncts(node["quals"]))
        every_row = _is_true(node["quals"])
        if node.kind == "FROMEXPR":
            return From(items=tuple(items), conditions=conditions, every_row=every_row)
        kind = _JOINS.get(node["jointype"])
        if kind is None:
            return None
        return Join(
            kind=kind,
            left=items[0],
            right=items[1],
            conditions=conditions,
            every_row=every_row,
            handle=node,
            reads=functools.partial(self.decided_by, node["quals"]),
        )

    def decided_by(self, quals: Node | None) -> Sequence[Column] | None:
        """Return the columns on which a condition depends, or None if the condition is volatile."""
        if quals is None:
            return ()
        return self.columns(quals, 0) if self.is_stable(quals) else None

    def reads_from(self, root: JoinItem, command: Command) -> Iterator[int]:
        """Yield the range table numbers of FROM items, and of the target of an UPDATE or DELETE."""
        found = list(sources_of(root))
        target = self.scope.query["resultRelation"]
        if command in (Command.UPDATE, Command.DELETE) and target not in found:
            yield target
        yield from found

    def source(self, entry: Node) -> Source:
        """Convert an entry of the range table, the parse tree's list of FROM items."""
        if not is_understood(entry):
            return Source()
        make = _SOURCES.get(entry["rtekind"])
        return make(self, entry) if make is not None else Source()

    def table(self, entry: Node) -> Source:
        """Convert a table in FROM, or the table or view that a statement writes to."""
        return Table(
            relation=entry["relid"],
            with_children=bool(entry["inh"]),
            whole=entry.get("tablesample") is None,
        )

    def derived(self, entry: Node) -> Source:
        """Convert a subquery or a view in FROM."""
        query = entry["subquery"]
        return Derived(
            query=functools.partial(self.inner, query),
            relation=entry.get("relid") or None,
            reads=self.columns(query, 1),
            stable=self.is_stable(entry),
        )

    def values(self, entry: Node) -> Source:
        """Convert a VALUES list in FROM."""
        return Values(
            rows=len(entry["values_lists"]),
            lists=lambda: [list(self.args(row)) for row in entry["values_lists"]],
            reads=self.columns(entry, 0),
            stable=self.is_stable(entry),
        )

    def function(self, entry: Node) -> Source:
        """Convert the function calls of one FROM item."""
        if not all(map(is_understood, entry["functions"])):
            return Source()
        calls = [function["funcexpr"] for function in entry["functions"]]
        return Function(
            handle=entry["functions"],
            one_row=not any(_gives_set(call) and not self.gives_one(call) for call in calls),
            a_row=any(call.kind == "FUNCEXPR" and not call["funcretset"] for call in calls),
            reads=self.columns(entry, 0),
            stable=self.is_stable(entry),
        )

    def gives_one(self, call: Node) -> bool:
        """Return whether a user's function is proved to return at most one row, from its body.

        A LIMIT in the body does not count, because without an order each call may return another
        row.
        """
        if call.kind != "FUNCEXPR" or any(map(_gives_set, call.list_of("args"))):
            return False
        if not self.facts.holds(
            "function-rows",
            "no function of the statement changes which table a name refers to",
            names_stay(self.scope),
        ):
            return False
        key = call["funcid"], self.facts.dropped
        if key not in self.facts.single_rows:
            self.facts.single_rows[key] = False  # a body may call its own function
            function = self.facts.functions.get(call["funcid"])
            queries = row_queries(self.facts, function) if function else []
            self.facts.single_rows[key] = bool(queries) and all(map(self._one_at_most, queries))
        return self.facts.holds(
            "function-rows",
            "the body of the function returns at most one row",
            self.facts.single_rows[key],
        )

    def _one_at_most(self, query: Node | None) -> bool:
        return query is not None and row_counter(self.facts).at_most_one(
            level_of(Scope(query, None, self.facts)), limits=False
        )

    def cte_use(self, entry: Node) -> Source:
        """Convert a use of a WITH query in FROM."""
        owner = self.scope.up(entry["ctelevelsup"])
        cte = owner.cte(entry["ctename"])
        if not is_understood(cte):
            return Source()
        query = cte["ctequery"]
        return CteUse(
            query=lambda: level_of(owner.inner(query)),
            recursive=bool(cte["cterecursive"]),
            itself=bool(entry["self_reference"]),
            runs_once=bool(
                cte["ctematerialized"] == _ALWAYS_MATERIALIZED
                or query["commandType"] != kinds.Command.SELECT
                or query["rowMarks"]
                or not self.is_stable(query)
            ),
        )

    def merged(self, entry: Node) -> Source:
        """Convert the range table entry that stands for a join as a whole.

        An entry of a FULL JOIN is not supported, because the row of either side may be missing.
        """
        if entry["jointype"] == kinds.Join.FULL:
            return Source()
        return Merged(behind=lambda number: self.expr(entry["joinaliasvars"][number - 1]))

    def grouped(self, entry: Node) -> Source:
        """Convert the range table entry that stands for the keys of GROUP BY."""
        keys = entry["groupexprs"]
        return Grouped(
            behind=lambda number: self.expr(keys[number - 1]),
            repeated=lambda: twice_grouped(self.scope.query, keys),
        )

    def no_table(self, _entry: Node) -> Source:
        """Convert the range table entry of a query without FROM, which has a single row."""
        return NoTable()

    def inner(self, query: Node) -> Query:
        """Convert a directly nested query."""
        return level_of(self.scope.inner(query))

    def columns(self, value: Node, depth: int) -> tuple[Column, ...]:
        """Return the columns of this query that `value` reads, from `depth` queries deeper."""
        return tuple(self.column(node, level=0) for node in variables(value, depth))

    def is_stable(self, node: Node) -> bool:
        """Return whether a node calls no volatile function."""
        return not any(self.facts.volatile(function) for function in functions_below(node))

    # --- conditions and expressions -----------------------------------------------------------

    def condition(self, node: Node) -> Condition:
        """Convert a condition; its `meaning` is set if it is an equality or a boolean column."""
        return Condition(handle=node, meaning=self.flag(node) or self.equality(node))

    def flag(self, node: Node) -> Column | None:
        """Return the boolean column in a condition such as `WHERE flag` or `WHERE NOT flag`."""
        if node.kind == "BOOLEXPR" and node["boolop"] == "not":
            node = node["args"][0]
        if node.kind != "VAR" or node["vartype"] != _BOOL or node["varlevelsup"]:
            return None
        return self.column(node) if is_understood(node) else None

    def equality(self, node: Node) -> Equality | None:
        """Convert a comparison with a trusted equality operator; return None for other nodes."""
        if node.kind != "OPEXPR" or len(node["args"]) != 2 or not is_understood(node):
            return None
        equality = self.facts.equalities.get(node["opno"])
        name = self.facts.built_in(called(node))
        if equality is None or name in _ZONE_CROSSING:
            return None
        left, right = node["args"]
        return Equality(
            left=self.expr(_bare(left)),
            right=self.expr(_bare(right)),
            left_classes=self.seen(left, equality.left),
            right_classes=self.seen(right, equality.right),
            families=frozenset(family for family, _ in equality.left),
            collation=node["inputcollid"],
            image=name in _IMAGE_EQUALITIES,
            key=name in _KEY_EQUALITIES and self.facts.deterministic(node["inputcollid"]),
        )

    def seen(self, arg: Node, classes: frozenset[Class]) -> frozenset[Class]:
        """Return `classes` if the operator compares `arg` as an index on its column would.

        Otherwise, return an empty set.

        An operator of a fixed type converts its operand to that type. A polymorphic operator (on
        arrays, ranges, enums, rows) uses the operand's own type, which a cast may change.
        """
        before, after = expression_type(_bare(arg)), expression_type(arg)
        same_type = self.facts.base_type(before) == self.facts.base_type(after)
        return classes if same_type or self.facts.is_plain(after) else frozenset()

    def expr(self, node: Node) -> Expr:
        """Convert an expression to the form of `aiosqlc.relational`."""
        if node.kind == "VAR" and is_understood(node):
            return self.column(node, level=node["varlevelsup"])
        if node.kind == "PARAM" and node["paramkind"] == kinds.Param.EXTERN and is_understood(node):
            return Parameter(number=node["paramid"])
        if node.kind == "CONST":
            return Constant()
        if node.kind == "SUBLINK" and is_understood(node):
            return Subquery(
                reads=self.columns(node["subselect"], 1),
                one_value=node["subLinkType"] in _ONE_VALUE,
                stable=self.is_stable(node) and not _CUT.search(node.text),
            )
        function = called(node)
        sets = node.get("funcretset") or node.get("opretset")
        return Opaque(
            key=node,
            args=tuple(self.args([value for _, value in node.children()])),
            from_args=is_expression(node) and not sets,
            stable=not (function and self.facts.volatile(function)),
            fitted=self.fitted(node),
        )

    def fitted(self, node: Node) -> Expr | None:
        """Return the value that an assignment converts to a length, or None for other nodes.

        A cast that the query contains cuts more than blanks.
        """
        if node.kind != "FUNCEXPR" or node["funcid"] not in _FITTING:
            return None
        value, _, explicit = node.list_of("args")
        if explicit.kind != "CONST" or explicit["constvalue"].data[0]:
            return None
        return self.expr(_bare(value))

    def args(self, values: list[Any]) -> Iterator[Expr]:
        """Yield the direct operands of an expression, also those in lists."""
        for value in values:
            if isinstance(value, Node):
                yield self.expr(value)
            elif isinstance(value, list):
                yield from self.args(value)

    def column(self, node: Node, *, level: int = 0) -> Column:
        """Convert a column; `level` is 0 for this query, 1 for the query around it, and so on."""
        nulling, row = node["varnullingrels"], node.get("varreturningtype", 0)
        absent = self.scope.up(level).alive(node["varno"], nulling) if nulling else []
        if not level and node in grouped_expressions(self.scope):
            absent.append(OMITTED)
        if self.scope.command != kinds.Command.SELECT and not level:
            absent += absences_of_row(self.scope, node["varno"], row)
        return Column(
            source=node["varno"],
            column=node["varattno"],
            level=level,
            absent=frozenset(absent),
            collation=node["varcollid"],
            row=row,
        )

    def outputs(self) -> Sequence[Expr]:
        """Return the expressions of the select list or of RETURNING."""
        return [self.expr(target["expr"]) for target in output_targets(self.scope.query)]

    def set_keys(self) -> Sequence[frozenset[int]]:
        """Return, for each entry of the select list, the grouping keys with the same expression."""
        query = self.scope.query
        shown = [target["expr"] for target in output_targets(query)]
        return keys_shown(query, shown) if query["groupingSets"] else [frozenset()] * len(shown)

    def assigned(self) -> dict[int, Expr]:
        """Return the expression that a write assigns to each column of the target."""
        targets = self.scope.query.list_of("targetList")
        return {t["resno"]: self.expr(_bare(t["expr"])) for t in targets if not t["resjunk"]}

    def conflict(self, node: Node) -> Conflict:
        """Convert ON CONFLICT."""
        updates = node["action"] == kinds.ON_CONFLICT_UPDATE
        elements = [element["expr"] for element in node.list_of("arbiterElems")]
        return Conflict(
            updates=updates and node["onConflictWhere"] is None and is_understood(node),
            alone=not _READS_WITH.search(node.text),
            does_nothing=not updates,
            key=frozenset(
                element["varattno"]
                for element in elements
                if element.kind == "VAR" and self.is_shared_by_key(element["varattno"])
            ),
            sets=frozenset(target["resno"] for target in node.list_of("onConflictSet")),
            assigned=lambda: {
                t["resno"]: self.expr(_bare(t["expr"])) for t in node.list_of("onConflictSet")
            },
            conditions=tuple(self.condition(part) for part in conjuncts(node["onConflictWhere"])),
            excluded=node["exclRelIndex"] or 0,
        )

    def is_shared_by_key(self, column: int) -> bool:
        """Return whether any row that ON CONFLICT finds has the new row's value in a column.

        The statement can leave the choice of the collation to the index. So this must be true for
        each unique index on the column. For a view, which has no index, the result is False.
        """
        target = self.scope.entry(self.scope.query["resultRelation"])["relid"]
        return keys_compare_images(self.facts, target, column)

    def actions(self) -> list[Query]:
        """Return the actions of a MERGE, each as a query for the rows on which it acts.

        If an action or RETURNING is unsupported, return no action. DO NOTHING is omitted, but its
        condition still decides which rows the other actions get.
        """
        node = self.scope.query
        source = self.item(node["jointree"]) if node["jointree"] is not None else None
        joined = list(conjuncts(node.get("mergeJoinCondition")))
        known = node.get("mergeTargetRelation") == node["resultRelation"] and is_understood(node)
        if (
            self.scope.command != kinds.Command.MERGE
            or not (known and joined and isinstance(source, From))
            or any(True for _ in _sublinks_in(list(node.list_of("returningList"))))
        ):
            return []
        on = tuple(self.condition(part) for part in joined)
        acting: list[Node] = []
        beside = [value for name, value in node.children() if name != "mergeActionList"]
        for action in node.list_of("mergeActionList"):
            if action["commandType"] == kinds.Command.NOTHING:
                beside.append(action["qual"])
            else:
                acting.append(action)
        links = tuple(_sublinks_in(beside))
        return [self.action(action, source, on, links) for action in acting]

    def action(
        self, node: Node, source: From, on: tuple[Condition, ...], beside: tuple[Node, ...]
    ) -> Query:
        """Convert an action of a MERGE; its rows come from the source, the target, or both.

        `beside` are the subqueries outside the actions. The rows of each action depend on them.
        """
        query, target = self.scope.query, Leaf(source=self.scope.query["resultRelation"])
        # ON restricts the rows of the side that may lack a match.
        kind = JoinKind.INNER if node["matchKind"] == kinds.MATCHED else JoinKind.LEFT
        sides = (
            (target, source)
            if node["matchKind"] == kinds.NOT_MATCHED_BY_SOURCE
            else (source, target)
        )
        root = From(
            items=(Join(kind=kind, left=sides[0], right=sides[1], conditions=on),),
            conditions=tuple(self.condition(part) for part in conjuncts(node["qual"])),
        )
        links = [*beside, *_sublinks_in([node["qual"], *node.list_of("targetList")])]
        return Query(
            command=_COMMANDS.get(node["commandType"], Command.OTHER),
            sources=tuple(self.source(entry) for entry in self.scope.range_table),
            root=root,
            reads_from=tuple(sources_of(root)),
            target=query["resultRelation"],
            assigned=lambda: {
                t["resno"]: self.expr(_bare(t["expr"]))
                for t in node.list_of("targetList")
                if not t["resjunk"]
            },
            subqueries=lambda: [self.inner(link) for link in links],
            writing_ctes=self.writing_ctes,
            calls=lambda: tuple({int(oid) for oid in _CALLS.findall(query.text)}),
            name=lambda number: str(self.scope.entry(number)["eref"]["aliasname"]),
        )

    def subqueries(self) -> list[Query]:
        """Return the subqueries in the query's own expressions."""
        return [self.inner(query) for query in _sublinks(self.scope.query)]

    def writing_ctes(self) -> list[Query]:
        """Return the query's WITH queries that write."""
        found = [cte["ctequery"] for cte in self.scope.query.list_of("cteList")]
        return [self.inner(q) for q in found if q["commandType"] != kinds.Command.SELECT]

    def keys(self, clause: str) -> tuple[Key, ...]:
        """Return the keys of GROUP BY or DISTINCT."""
        clauses = self.scope.query.list_of(clause)
        if not clauses:
            return ()
        targets = {t["ressortgroupref"]: t["expr"] for t in self.scope.query["targetList"]}
        shown = enumerate(output_targets(self.scope.query), 1)
        outputs = {target["ressortgroupref"]: number for number, target in shown}
        found = []
        for key in clauses:
            equality = self.facts.equalities.get(key["eqop"]) if is_understood(key) else None
            ref = key["tleSortGroupRef"]
            found.append(
                Key(
                    expr=self.expr(targets[ref]),
                    classes=None if equality is None else equality.left,
                    output=outputs.get(ref, 0),
                )
            )
        return tuple(found)

    # --- set operations -----------------------------------------------------------------------

    def arm(self, node: Node) -> SetOperation | int | None:
        """Convert an operand of a set operation, or return None if it is unsupported."""
        if not is_understood(node):
            return None
        if node.kind == "RANGETBLREF":
            return int(node["rtindex"])
        op = _SET_OPERATIONS.get(node["op"])
        left, right = self.arm(node["larg"]), self.arm(node["rarg"])
        if op is None or left is None or right is None:
            return None
        return SetOperation(
            op=op,
            left=left,
            right=right,
            left_kept=self.kept(node, "larg"),
            right_kept=self.kept(node, "rarg"),
        )

    def kept(self, node: Node, side: str) -> frozenset[int]:
        """Return the columns that a set operation takes from an operand without a cast."""
        return frozenset(
            number
            for number, wanted in enumerate(node["colTypes"], 1)
            if arm_type(node[side], number, self.scope) == wanted
        )


_CUT = re.compile(r":limit(?:Count|Offset) \{")  # LIMIT without an order returns any rows
_SOURCES: dict[int, Callable[[Lowering, Node], Source]] = {
    kinds.Rte.RELATION: Lowering.table,
    kinds.Rte.SUBQUERY: Lowering.derived,
    kinds.Rte.JOIN: Lowering.merged,
    kinds.Rte.FUNCTION: Lowering.function,
    kinds.Rte.VALUES: Lowering.values,
    kinds.Rte.CTE: Lowering.cte_use,
    kinds.Rte.RESULT: Lowering.no_table,
    kinds.Rte.GROUP: Lowering.grouped,
}


def _written_sets(query: Node) -> list[frozenset[int]] | tuple[()] | None:
    return grouping_sets(query) if query["groupingSets"] else ()


def _limit(query: Node) -> Limit:
    count, offset = query["limitCount"], query["limitOffset"]
    most = constant_int(count)
    unlimited = count is None or (count.kind == "CONST" and count["constisnull"])
    return Limit(
        most=most,
        exact=query["limitOption"] != kinds.LIMIT_WITH_TIES,
        some=unlimited or (most is not None and most >= 1),
        from_first=offset is None or constant_int(offset) == 0,
    )


def _sublinks(query: Node) -> Iterator[Node]:
    """Yield the subqueries in a query's own expressions."""
    return _sublinks_in([value for _, value in query.children()])


def _sublinks_in(rest: list[Any]) -> Iterator[Node]:
    """Yield the subqueries in expressions, but not those inside other subqueries."""
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest += value
        elif isinstance(value, Node) and value.kind != "QUERY":
            if value.kind == "SUBLINK":
                yield value["subselect"]
            rest += [inside for _, inside in value.children()]


def _is_true(quals: Node | None) -> bool:
    """Return whether a condition is absent or the constant true."""
    if quals is None:
        return True
    return bool(
        quals.kind == "CONST" and not quals["constisnull"] and any(quals["constvalue"].data)
    )


def _bare(node: Node) -> Node:
    while node.kind == "RELABELTYPE":
        node = node["arg"]
    return node


def _gives_set(node: Node) -> bool:
    return any(n.get("funcretset") is True or n.get("opretset") is True for n in walk(node))
