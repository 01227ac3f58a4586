"""Where a column comes from in sqlc's eyes: a WITH query hides the table behind it."""

from __future__ import annotations

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.outputs import output_targets
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node
from aiosqlc.stages import ColumnRef

_IMPLICIT = 2  # CoercionForm: COERCE_IMPLICIT_CAST
_FORMATS = {"RELABELTYPE": "relabelformat", "COERCEVIAIO": "coerceformat"}


def source_of(scope: Scope, number: int) -> ColumnRef | None:
    """Return the table, or the WITH query, of an output column; of a set operation the left's."""
    operation = scope.query["setOperations"]
    if operation is not None:
        while operation.kind == "SETOPERATIONSTMT":
            operation = operation["larg"]
        arm = scope.entry(operation["rtindex"])["subquery"]
        return source_of(scope.inner(arm), number) if arm is not None else None
    targets = output_targets(scope.query)
    return source_behind(targets[number - 1]["expr"], scope) if number <= len(targets) else None


def source_behind(node: Node | None, scope: Scope) -> ColumnRef | None:
    """Return the source of an expression that is one column, or COALESCE of one."""
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
    """Strip the casts that nobody wrote."""
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
    relation = scope.catalog.relations.get(entry.get("relid") or 0)
    if relation is not None:  # a view too, which the server has put its query in place of
        column = scope.catalog.attributes.get((entry["relid"], attribute))
        return ColumnRef(relation.schema, relation.name, column.name) if column else None
    if kind == kinds.Rte.SUBQUERY:
        return source_of(owner.inner(entry["subquery"]), attribute)
    return None


def variable_name(node: Node, scope: Scope) -> str:
    """Return the column name of a Var as its range table entry has it, or ''."""
    names = scope.up(node["varlevelsup"]).entry(node["varno"])["eref"]["colnames"] or []
    number = node["varattno"]
    return str(names[number - 1]) if 0 < number <= len(names) else ""
