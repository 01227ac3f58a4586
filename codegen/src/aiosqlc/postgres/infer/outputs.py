"""The result columns of a query, their types, and the expressions that compute them."""

from __future__ import annotations

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node

_BOOL = 16
_TYPE_FIELDS = (
    "vartype", "consttype", "paramtype", "funcresulttype", "opresulttype", "resulttype", "aggtype",
    "wintype", "casetype", "array_typeid", "coalescetype", "minmaxtype", "row_typeid", "refrestype",
    "typeId",
)  # fmt: skip
# Nodes with the type of their operand.
_TRANSPARENT = frozenset({"COLLATEEXPR", "NAMEDARGEXPR"})
_BOOLEAN = frozenset({
    "BOOLEXPR", "NULLTEST", "BOOLEANTEST", "SCALARARRAYOPEXPR", "ROWCOMPAREEXPR", "JSONISPREDICATE",
})  # fmt: skip
_RETURNING = frozenset({"JSONCONSTRUCTOREXPR", "JSONEXPR"})
_TYPED = frozenset({"SQLVALUEFUNCTION", "XMLEXPR"})


def collected_by(node: Node, scope: Scope) -> tuple[str, Node | None]:
    """Return the name of a built-in aggregate, and the expression that it collects from each row.

    The rows are those of a group or of a window. For any other expression, the name is empty.
    """
    if node.kind == "WINDOWFUNC":
        args = node.list_of("args")
        return scope.catalog.built_in(node["winfnoid"]), args[0] if args else None
    if node.kind != "AGGREF":
        return "", None
    own = node["args"] and not node["agglevelsup"]
    return scope.catalog.built_in(node["aggfnoid"]), node["args"][0]["expr"] if own else None


def output_targets(query: Node) -> list[Node]:
    """Return the entries of a select list or RETURNING list that become result columns."""
    if query.memo is None:
        query.memo = {}
    found: list[Node] | None = query.memo.get("targets")
    if found is None:
        select = query["commandType"] == kinds.Command.SELECT
        targets = query.list_of("targetList" if select else "returningList")
        found = query.memo["targets"] = [t for t in targets if not t["resjunk"]]
    return found


def expression_type(node: Node) -> int:
    """Return the type OID of an expression, or 0 if the tree does not show it."""
    while node.kind in _TRANSPARENT:
        node = node["arg"]
    if node.kind in _BOOLEAN:
        return _BOOL
    if node.kind in _RETURNING:
        returning = node["returning"]
        return int(returning["typid"]) if returning is not None else 0
    if node.kind == "SUBLINK":
        return _sublink_type(node)
    if node.kind in _TYPED:
        return int(node["type"])
    for name in _TYPE_FIELDS:
        value = node.get(name)
        if isinstance(value, int):
            return value
    return 0


def _sublink_type(node: Node) -> int:
    if node["subLinkType"] == kinds.SubLink.EXPR:
        return column_type(node["subselect"], 1)
    boolean = (kinds.SubLink.EXISTS, kinds.SubLink.ANY, kinds.SubLink.ALL)
    return _BOOL if node["subLinkType"] in boolean else 0


def parts_of(query: Node) -> list[int]:
    """Return the range table numbers of a set operation's operands, or [] for other queries."""
    return _parts(query["setOperations"]) if query["setOperations"] is not None else []


def _parts(operation: Node) -> list[int]:
    if operation.kind != "SETOPERATIONSTMT":
        return [int(operation["rtindex"])]
    return [*_parts(operation["larg"]), *_parts(operation["rarg"])]


def column_type(query: Node, attribute: int) -> int:
    """Return the type of a result column of a query."""
    if query["setOperations"] is not None:
        return int(query["setOperations"]["colTypes"][attribute - 1])
    return expression_type(output_targets(query)[attribute - 1]["expr"])


def arm_type(node: Node, attribute: int, scope: Scope) -> int:
    """Return the type of a column in an operand of a set operation, before any cast there."""
    if node.kind == "SETOPERATIONSTMT":
        return int(node["colTypes"][attribute - 1])
    return column_type(scope.entry(node["rtindex"])["subquery"], attribute)


def follow(node: Node, scope: Scope) -> tuple[Node, Scope] | None:
    """Return the expression behind a column (Var) of a subquery or CTE, with its own scope.

    Return None for a column of a table, a set operation or a recursive query.
    """
    owner = scope.up(node["varlevelsup"])
    entry = owner.entry(node["varno"])
    attribute = node["varattno"]
    if attribute <= 0:
        return None
    if entry["rtekind"] == kinds.Rte.GROUP:
        return entry["groupexprs"][attribute - 1], owner
    if entry["rtekind"] == kinds.Rte.SUBQUERY:
        query, parent = entry["subquery"], owner
    elif entry["rtekind"] == kinds.Rte.CTE:
        parent = owner.up(entry["ctelevelsup"])
        cte = parent.cte(entry["ctename"])
        if cte["cterecursive"]:
            return None
        query = cte["ctequery"]
    else:
        return None
    targets = output_targets(query)
    if query["setOperations"] is not None or attribute > len(targets):
        return None
    return targets[attribute - 1]["expr"], parent.inner(query)
