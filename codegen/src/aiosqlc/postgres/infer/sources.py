"""Find the table of a result column as sqlc does, which treats a WITH query as a table."""

from __future__ import annotations

from aiosqlc.ir import ColumnRef
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.outputs import output_targets, parts_of
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node

_IMPLICIT = 2  # CoercionForm: COERCE_IMPLICIT_CAST
_FORMATS = {"RELABELTYPE": "relabelformat", "COERCEVIAIO": "coerceformat"}


def source_of(scope: Scope, number: int) -> ColumnRef | None:
    """Return the table or WITH query of a result column; a set operation uses its left operand."""
    operation = scope.query["setOperations"]
    if operation is not None:
        while operation.kind == "SETOPERATIONSTMT":
            operation = operation["larg"]
        arm = scope.entry(operation["rtindex"])["subquery"]
        return source_of(scope.inner(arm), number) if arm is not None else None
    targets = output_targets(scope.query)
    return source_behind(targets[number - 1]["expr"], scope) if number <= len(targets) else None


def origin_of(scope: Scope, number: int) -> tuple[int, int]:
    """Return the table and the column that a result column returns unchanged, or (0, 0).

    The server reports this column, except for a set operation. In a set operation, every operand
    must return the same column.
    """
    query = scope.query
    if query.memo is None:
        query.memo = {}
    found: dict[int, tuple[int, int]] = query.memo.setdefault("origins", {})
    if number not in found:
        found[number] = (0, 0)  # the use of a recursive WITH query inside itself
        found[number] = _origin(scope, number)
    return found[number]


def _origin(scope: Scope, number: int) -> tuple[int, int]:
    query = scope.query
    if query["setOperations"] is not None:
        entries = [scope.entry(index) for index in parts_of(query)]
        found = {origin_of(scope.inner(entry["subquery"]), number) for entry in entries}
        return found.pop() if len(found) == 1 else (0, 0)
    targets = output_targets(query)
    if number > len(targets):
        return (0, 0)
    target = targets[number - 1]
    if target["resorigtbl"]:
        return (int(target["resorigtbl"]), int(target["resorigcol"]))
    node = target["expr"]
    if node.kind != "VAR" or node["varattno"] <= 0:
        return (0, 0)
    owner = scope.up(node["varlevelsup"])
    entry = owner.entry(node["varno"])
    if entry["rtekind"] == kinds.Rte.SUBQUERY and not entry.get("relid"):
        return origin_of(owner.inner(entry["subquery"]), node["varattno"])
    if entry["rtekind"] == kinds.Rte.CTE:
        above = owner.up(entry["ctelevelsup"])
        return origin_of(above.inner(above.cte(entry["ctename"])["ctequery"]), node["varattno"])
    return (0, 0)


def source_behind(node: Node | None, scope: Scope) -> ColumnRef | None:
    """Return the table or WITH query of a column, or of the first column in a COALESCE.

    Return None for any other expression.
    """
    node = _bare(node)
    if node is None:
        return None
    if node.kind == "COALESCEEXPR":
        columns = [bare for arg in node["args"] if (bare := _bare(arg)) and bare.kind == "VAR"]
        return source_behind(columns[0], scope) if columns else None
    if node.kind == "SUBLINK" and node["subLinkType"] == kinds.SubLink.EXPR:
        return source_of(scope.inner(node["subselect"]), 1)
    return _of_variable(node, scope) if node.kind == "VAR" else None


def _bare(node: Node | None) -> Node | None:
    """Remove implicit casts."""
    while node is not None:
        if node.kind in _FORMATS and node[_FORMATS[node.kind]] == _IMPLICIT:
            node = node["arg"]
        elif node.kind == "FUNCEXPR" and node["funcformat"] == _IMPLICIT:
            node = node["args"][0]
        else:
            break
    return node


def _of_variable(node: Node, scope: Scope) -> ColumnRef | None:
    owner, attribute = scope.up(node["varlevelsup"]), node["varattno"]
    if attribute <= 0 or node["varno"] > len(owner.range_table):
        return None
    entry = owner.entry(node["varno"])
    kind = entry["rtekind"]
    if kind == kinds.Rte.GROUP:
        return source_behind(entry["groupexprs"][attribute - 1], owner)
    if kind == kinds.Rte.JOIN:
        return source_behind(entry["joinaliasvars"][attribute - 1], owner)
    if kind == kinds.Rte.CTE:
        return ColumnRef("", str(entry["ctename"]), variable_name(node, scope))
    relation = entry.get("relid") or 0
    # Including a view, which the server replaces by its query.
    if relation in scope.catalog.relations:
        return scope.catalog.column_ref(relation, attribute)
    if kind == kinds.Rte.SUBQUERY:
        return source_of(owner.inner(entry["subquery"]), attribute)
    return None


def variable_name(node: Node, scope: Scope) -> str:
    """Return the name of the column that a Var refers to, or ''."""
    names = scope.up(node["varlevelsup"]).entry(node["varno"])["eref"]["colnames"] or []
    number = node["varattno"]
    return str(names[number - 1]) if 0 < number <= len(names) else ""
