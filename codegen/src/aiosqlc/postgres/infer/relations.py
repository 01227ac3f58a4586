"""Nullability rules for column references (Vars), by the kind of FROM item to which they refer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.constants import has_field
from aiosqlc.postgres.infer.functions import call_verdict, set_element_verdict
from aiosqlc.postgres.infer.grouping import twice_grouped
from aiosqlc.postgres.infer.outputs import arm_type, output_targets
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, maybe, never
from aiosqlc.postgres.tree import Node

_OLDEST_WITH_GROUP_ENTRY = 18
# Set-returning built-ins with several columns: the columns that are never NULL, by number.
_NEVER_NULL_COLUMNS: dict[str, frozenset[int]] = {
    "json_each": frozenset({1, 2}),
    "jsonb_each": frozenset({1, 2}),
    "json_each_text": frozenset({1}),
    "jsonb_each_text": frozenset({1}),
}


def infer_var(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether a column reference (VAR) can be NULL."""
    owner = scope.up(node["varlevelsup"])
    varno, attribute = node["varno"], node["varattno"]
    nulling: frozenset[int] = node["varnullingrels"] or frozenset()
    returning = node.get("varreturningtype", kinds.Returning.DEFAULT)
    for absence in absences_of_row(owner, varno, returning):
        ignored = (owner, absence) in p.ignored_joins
        if not p.facts.holds(
            "column",
            "the column's row (OLD, NEW or source) exists for the statement's action",
            ignored,
        ):
            return maybe(_WHY_ABSENT[absence])
    if (
        node["varlevelsup"]
        and owner.query["groupingSets"]
        and (p.facts.major < _OLDEST_WITH_GROUP_ENTRY)
    ):
        return maybe("a grouping set may omit this key")
    twice = owner.query["groupingSets"] and _grouped_twice(owner, varno, attribute)
    if not p.facts.holds("column", "the grouping key appears in every grouping set", not twice):
        return maybe("the key is in GROUP BY twice, and a grouping set may omit one of the two")
    old = owner.command == kinds.Command.UPDATE and returning == kinds.Returning.OLD
    if owner.is_known(varno, attribute, nulling, old=old):
        return never(
            "condition", f"a condition requires {_column_name(owner, node)} to be not NULL"
        )
    alive = [j for j in owner.alive(varno, nulling) if (owner, j) not in p.ignored_joins]
    if not p.facts.holds("column", "every outer join found a match", not alive):
        return maybe(f"{_column_name(owner, node)} is NULL where {_nuller(owner, alive[0])}")
    verdict = entry_column(p, varno, attribute, owner)
    shown = owner.returned and varno == owner.query["resultRelation"] and attribute > 0
    if verdict.null and shown and returning != kinds.Returning.OLD:
        return assigned_value(p, owner, attribute, verdict)
    return verdict


def assigned_value(p: Prover, owner: Scope, attribute: int, otherwise: Verdict) -> Verdict:
    """Infer whether a column in RETURNING can be NULL, from the value that is assigned to it."""
    query = owner.query
    if owner.command not in (kinds.Command.INSERT, kinds.Command.UPDATE):
        return otherwise
    given = _given(query.list_of("targetList"), attribute)
    if given is None:
        return otherwise
    kept = not p.facts.rewrites(owner.entry(query["resultRelation"])["relid"], attribute)
    if not p.facts.holds("assigned-value", "no trigger changes the column", kept):
        return maybe("a trigger may change the value")
    parts = [_of_old_row(p, owner, given)]
    conflict = query["onConflict"]
    if conflict is not None and conflict["action"] == kinds.ON_CONFLICT_UPDATE:
        instead = _given(conflict["onConflictSet"], attribute)
        if not p.facts.holds(
            "assigned-value", "ON CONFLICT also sets the column", instead is not None
        ):
            return maybe("ON CONFLICT keeps the existing value")
        if instead is not None and not _is_excluded(instead, conflict["exclRelIndex"], attribute):
            parts.append(_of_old_row(p, owner, instead))
    return p.all_of("assigned-value", parts, "RETURNING returns the assigned value")


def _given(targets: list[Node], attribute: int) -> Node | None:
    return next((t["expr"] for t in targets if t["resno"] == attribute and not t["resjunk"]), None)


def _is_excluded(node: Node, excluded: int, attribute: int) -> bool:
    return node.kind == "VAR" and (node["varno"], node["varattno"]) == (excluded, attribute)


def _of_old_row(p: Prover, owner: Scope, node: Node) -> Verdict:
    """Infer whether an expression that SET or VALUES assigns can be NULL.

    Its columns have the values of the row before the write.
    """
    owner.returned = False
    try:
        with p.assuming(owner, "old row"):
            return p.infer(node, owner)
    finally:
        owner.returned = True


def _grouped_twice(owner: Scope, varno: int, attribute: int) -> bool:
    entry = owner.entry(varno)
    return entry["rtekind"] == kinds.Rte.GROUP and attribute in twice_grouped(
        owner.query, entry["groupexprs"]
    )


# Reasons why a column's row may be missing, besides outer joins (which have numbers > 0).
_NO_OLD, _NO_NEW, _NO_SIDE, _NO_SOURCE = -1, -2, -3, -4
_WHY_ABSENT = {
    _NO_OLD: "OLD does not exist for an inserted row",
    _NO_NEW: "NEW does not exist for a deleted row",
    _NO_SIDE: "OLD or NEW exists only for some actions of MERGE",
    _NO_SOURCE: "a row NOT MATCHED BY SOURCE has no source row",
}


def absences_of_row(owner: Scope, varno: int, returning: int) -> list[int]:
    """Return the reasons (keys of `_WHY_ABSENT`) why a row in RETURNING may be absent.

    The row is OLD, NEW or the row of a FROM item.
    """
    if owner.command == kinds.Command.SELECT:
        return []
    if returning == kinds.Returning.OLD and owner.command == kinds.Command.INSERT:
        return [_NO_OLD]
    if returning == kinds.Returning.NEW and owner.command == kinds.Command.DELETE:
        return [_NO_NEW]
    if owner.command != kinds.Command.MERGE:
        return []
    actions = {action["commandType"] for action in owner.query.list_of("mergeActionList")}
    if returning == kinds.Returning.OLD and kinds.Command.INSERT in actions:
        return [_NO_SIDE]
    if returning == kinds.Returning.NEW and kinds.Command.DELETE in actions:
        return [_NO_SIDE]
    outside = varno != owner.query["resultRelation"]
    return [_NO_SOURCE] if outside and _merge_without_source(owner) else []


def _merge_without_source(owner: Scope) -> bool:
    return owner.command == kinds.Command.MERGE and any(
        action.get("matchKind", 0) == kinds.NOT_MATCHED_BY_SOURCE
        for action in owner.query.list_of("mergeActionList")
    )


def _nuller(owner: Scope, join: int) -> str:
    entry = owner.entry(join)
    if entry["rtekind"] == kinds.Rte.GROUP:
        return "a grouping set may omit the column"
    word = {kinds.Join.LEFT: "LEFT", kinds.Join.RIGHT: "RIGHT", kinds.Join.FULL: "FULL"}
    return f"the {word.get(entry['jointype'], 'outer')} JOIN finds no match"


def _column_name(owner: Scope, node: Node) -> str:
    entry = owner.entry(node["varno"])
    names = entry["eref"]["colnames"] or []
    attribute = node["varattno"]
    table = entry["eref"]["aliasname"]
    return f"{table}.{names[attribute - 1]}" if 0 < attribute <= len(names) else str(table)


def entry_column(p: Prover, varno: int, attribute: int, scope: Scope) -> Verdict:
    """Infer whether a column of a FROM item can be NULL if no outer join omits the item's row."""
    entry = scope.entry(varno)
    kind = entry["rtekind"]
    if attribute == 0:
        if kind in (kinds.Rte.RELATION, kinds.Rte.SUBQUERY, kinds.Rte.CTE):
            return never("whole-row", "a row as a whole is not NULL")
        return maybe("a row of a function may be NULL")
    if kind == kinds.Rte.RELATION:
        return _table_column(p, entry, attribute)
    if kind == kinds.Rte.SUBQUERY:
        return column_verdict(p, entry["subquery"], attribute, scope)
    if kind == kinds.Rte.JOIN:
        return _join_column(p, varno, entry, attribute, scope)
    if kind == kinds.Rte.VALUES:
        rows = [row[attribute - 1] for row in entry["values_lists"]]
        return p.all_of("values", p.all(rows, scope), "no row of VALUES has NULL in this column")
    if kind == kinds.Rte.CTE:
        return _cte_column(p, entry, attribute, scope)
    if kind == kinds.Rte.GROUP:
        return p.infer(entry["groupexprs"][attribute - 1], scope)
    if kind == kinds.Rte.FUNCTION:
        return _function_column(p, entry, attribute, scope)
    if kind == kinds.Rte.TABLEFUNC:
        return _numbered_column(p, entry["tablefunc"], attribute - 1)
    return maybe("the columns of this FROM item are not analysed")


def _numbered_column(p: Prover, function: Node, index: int) -> Verdict:
    """Infer whether a JSON_TABLE or XMLTABLE column can be NULL; a FOR ORDINALITY column cannot."""
    plan = function.get("plan")
    if not isinstance(plan, Node):  # XMLTABLE
        numbered, outside = function["ordinalitycol"] == index, True
    else:
        numbered = function["colvalexprs"][index] is None
        outside = plan["colMin"] <= index <= plan["colMax"]
    if not numbered:
        return maybe("the column's path may find no value")
    if not p.facts.holds("ordinality", "the column is not in NESTED PATH", outside):
        return maybe("a nested path may find no rows")
    return never("ordinality", "FOR ORDINALITY numbers every row")


def _table_column(p: Prover, entry: Node, attribute: int) -> Verdict:
    relation: int = entry["relid"]
    if attribute < 0:
        below = [p.facts.relations.get(child) for child in p.facts.descendants(relation)]
        foreign = any(child is None or child.kind == "f" for child in below)
        if str(entry["relkind"]) in {"r", "p", "m", "t"} and not foreign:
            return never("system-column", "system columns are never NULL")
        return maybe("system columns of foreign tables and views may be NULL")
    key = relation, attribute, bool(entry["inh"])
    known = p.facts.column_verdicts.get(key)
    if known is None:
        known = p.facts.column_verdicts[key] = _stored_column(p.facts, *key)
    return known


def _stored_column(facts: Facts, relation: int, attribute: int, with_children: bool) -> Verdict:
    name = facts.relation_name(relation)
    column = facts.attributes.get((relation, attribute))
    label = f"{name}.{column.name}" if column else f"column {attribute} of {name}"
    proved = facts.not_null(relation, attribute, with_children=with_children)
    if facts.holds("column-constraint", "the column is declared NOT NULL", proved):
        return never("column-constraint", f"{label} is NOT NULL")
    if column is not None and column.not_null:
        return maybe(f"{label} has a NOT NULL constraint that is not validated")
    return maybe(f"{label} has no NOT NULL constraint")


def _join_column(p: Prover, varno: int, entry: Node, attribute: int, scope: Scope) -> Verdict:
    expression = entry["joinaliasvars"][attribute - 1]
    if expression.kind == "COALESCEEXPR" and entry["jointype"] == kinds.Join.FULL:
        # The merged column of FULL JOIN … USING, in which at least one side has a row.
        p.ignored_joins.append((scope, varno))
        try:
            with p.assuming(scope, varno):
                sides = p.all(expression["args"], scope)
        finally:
            p.ignored_joins.pop()
        return p.all_of("merged-column", sides, "one side of the FULL JOIN has a row with this key")
    return p.infer(expression, scope)


def _cte_column(p: Prover, entry: Node, attribute: int, scope: Scope) -> Verdict:
    owner = scope.up(entry["ctelevelsup"])
    cte = owner.cte(entry["ctename"])
    query = cte["ctequery"]
    if not cte["cterecursive"]:
        return column_verdict(p, query, attribute, owner)
    name = str(cte["ctename"])
    if name in owner.recursion:
        null = owner.recursion[name][attribute - 1]
        text = f"the recursive query {name}"
        return maybe(text) if null else never("recursion", text)
    return _recursive_columns(p, owner, name, query)[attribute - 1]


def _recursive_columns(p: Prover, owner: Scope, name: str, query: Node) -> list[Verdict]:
    """Infer which columns of a recursive query can be NULL.

    First assume that none can, then repeat with the result until it agrees with the assumption.
    """
    count = len(output_targets(query))
    state = [False] * count
    try:
        while True:
            owner.recursion[name] = state
            with p.assuming(owner, name, tuple(state)):
                verdicts = [column_verdict(p, query, n + 1, owner) for n in range(count)]
            if p.facts.holds(
                "recursion",
                "the recursive term returns no NULL if its input contains no NULL",
                False,
            ):
                return verdicts
            after = [old or v.null for old, v in zip(state, verdicts, strict=True)]
            if after == state:
                return verdicts
            state = after
    finally:
        owner.recursion.pop(name, None)


def _function_column(p: Prover, entry: Node, attribute: int, scope: Scope) -> Verdict:
    functions: list[Node] = entry["functions"]
    width = sum(f["funccolcount"] for f in functions)
    if entry["funcordinality"] and attribute == width + 1:
        return never("ordinality", "WITH ORDINALITY numbers every row")
    alone = len(functions) == 1
    if not p.facts.holds(
        "function-column", "no other function in ROWS FROM returns more rows", alone
    ):
        return maybe("ROWS FROM pads the shorter function with NULL")
    call = functions[0]["funcexpr"]
    if call.kind != "FUNCEXPR":
        return p.infer(call, scope) if width == 1 else maybe("the row may be NULL")
    function = p.facts.functions.get(call["funcid"])
    if function is None:
        return maybe("the function is not in the data from the catalog")
    if width > 1 or functions[0]["funccolnames"]:
        name = p.facts.built_in(function.oid)
        certain = attribute in _NEVER_NULL_COLUMNS.get(name, frozenset())
        if p.facts.holds("function-column", "the compiler lists the column as never NULL", certain):
            return never("function-column", f"column {attribute} of {name}() is never NULL")
        if not name and not functions[0]["funccolnames"]:
            return p.resolver.body(p, function, call.list_of("args"), scope, attribute)
        return maybe(f"column {attribute} of {function.name}() may be NULL")
    composite = p.facts.types.get(function.result)
    if composite is not None and composite.kind == "c":
        return maybe(f"column {attribute} of {function.name}() may be NULL")
    if function.name in _NEVER_NULL_COLUMNS:
        return maybe("a column of the function's row may be NULL")
    if function.set:
        return set_element_verdict(p, call, function, scope)
    return call_verdict(p, call, function, scope)


def column_verdict(p: Prover, query: Node, attribute: int, parent: Scope | None) -> Verdict:
    """Infer whether a result column of a query can be NULL; `parent` is the enclosing scope."""
    scope = parent.inner(query) if parent is not None else Scope(query, None, p.facts)
    return column_in(p, scope, attribute)


def columns_in(p: Prover, scope: Scope) -> list[Verdict]:
    """Infer for each result column of the scope's own query whether it can be NULL."""
    targets = output_targets(scope.query)
    if scope.query["setOperations"] is not None or _has_no_rows(p, scope):
        return [column_in(p, scope, number) for number in range(1, len(targets) + 1)]
    with _returning(p, scope):
        return [p.infer(target["expr"], scope) for target in targets]


def column_in(p: Prover, scope: Scope, attribute: int) -> Verdict:
    """Infer whether a result column of the scope's own query can be NULL."""
    query = scope.query
    if query["setOperations"] is not None:
        return _set_operation(p, query["setOperations"], attribute, scope)
    if _has_no_rows(p, scope):
        return never(
            "contradiction",
            "the query returns no row, because its conditions contradict each other or LIMIT is 0",
        )
    targets = output_targets(query)
    if not 0 < attribute <= len(targets):
        return maybe("the column is not known")
    expression = targets[attribute - 1]["expr"]
    with _returning(p, scope):
        return p.infer(expression, scope)


@contextlib.contextmanager
def _returning(p: Prover, scope: Scope) -> Iterator[None]:
    """Within the block, infer columns of the written table as RETURNING shows them."""
    if scope.command == kinds.Command.SELECT:
        yield
        return
    before, scope.returned = scope.returned, True
    try:
        with p.assuming(scope, "returned"):
            yield
    finally:
        scope.returned = before


def _has_no_rows(p: Prover, scope: Scope) -> bool:
    known = scope.empty.get(p.context)
    if known is None:
        known = scope.empty[p.context] = p.resolver.no_rows(p, scope)
    return known


def _set_operation(p: Prover, node: Node, attribute: int, scope: Scope) -> Verdict:
    if node.kind == "RANGETBLREF":
        return column_verdict(p, scope.entry(node["rtindex"])["subquery"], attribute, scope)
    sides = [_arm(p, node, side, attribute, scope) for side in ("larg", "rarg")]
    if node["op"] == kinds.SetOp.UNION:
        return p.all_of("set-operation", sides, "neither branch of UNION returns NULL")
    if node["op"] == kinds.SetOp.INTERSECT:
        return p.any_of(
            "set-operation",
            sides,
            "a row of INTERSECT is in both branches, and one returns no NULL",
        )
    return p.all_of("set-operation", sides[:1], "a row of EXCEPT comes from its left branch")


def _arm(p: Prover, node: Node, side: str, attribute: int, scope: Scope) -> Verdict:
    verdict = _set_operation(p, node[side], attribute, scope)
    if verdict.null:
        return verdict
    wanted, given = node["colTypes"][attribute - 1], arm_type(node[side], attribute, scope)
    own = given == wanted or all(map(p.facts.is_built_in_type, (given, wanted)))
    if not p.facts.holds("set-operation", "no user-defined cast", own):
        return maybe("a user-defined cast converts the branches to a common type")
    return verdict


def infer_field(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether a field of a record can be NULL, if the query itself constructs the record."""
    arg, number = node["arg"], node["fieldnum"]
    if arg.kind == "CONST" and not arg["constisnull"]:
        filled = has_field(arg, number)
        if p.facts.holds("constant", "the field of a constant row is not NULL", filled):
            return never("constant", "the constant row is not NULL in this field")
    if arg.kind == "ROWEXPR" and number <= len(arg["args"]):
        return p.infer(arg["args"][number - 1], scope)
    return maybe("a field of a composite value may be NULL")
