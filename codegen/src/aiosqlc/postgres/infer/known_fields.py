"""The fields of parse tree nodes that the conversion to `aiosqlc.relational` reads or ignores.

The lists have the fields of PostgreSQL 16 to 18. A node with a value in any other field comes from
an unknown server version. The conversion does not support it.
"""

from __future__ import annotations

from aiosqlc.postgres.tree import Datum, Node

_NOTHING = (None, False, 0, "", -1)

FIELDS = {
    kind: frozenset(fields.split())
    for kind, fields in {
        # Fields that are read, then fields that affect neither the row count nor equality of rows.
        "QUERY": "commandType canSetTag resultRelation hasAggs hasTargetSRFs cteList rtable"
        " jointree targetList onConflict returningList groupClause groupingSets havingQual"
        " distinctClause limitOffset limitCount limitOption setOperations rowMarks"
        " querySource queryId utilityStmt hasWindowFuncs hasSubLinks hasDistinctOn hasRecursive"
        " hasModifyingCTE hasForUpdate hasRowSecurity hasGroupRTE isReturn rteperminfos"
        " mergeActionList mergeTargetRelation mergeUseOuterJoin mergeJoinCondition override"
        " returningOldAlias returningNewAlias groupDistinct windowClause sortClause constraintDeps"
        " withCheckOptions",
        # `securityQuals` and `tablesample` only remove rows.
        "RANGETBLENTRY": "rtekind jointype joinaliasvars lateral relid inh groupexprs subquery"
        " values_lists functions ctename ctelevelsup self_reference eref"
        " alias joinmergedcols joinleftcols joinrightcols join_using_alias inFromCl securityQuals"
        " relkind perminfoindex tablesample security_barrier coltypes coltypmods colcollations"
        " funcordinality tablefunc enrname enrtuples",
        "RANGETBLFUNCTION": "funcexpr"
        " funccolcount funccolnames funccoltypes funccoltypmods funccolcollations funcparams",
        "RANGETBLREF": "rtindex",
        "FROMEXPR": "fromlist quals",
        "JOINEXPR": "jointype larg rarg quals rtindex isNatural usingClause join_using_alias alias",
        "COMMONTABLEEXPR": "ctename ctematerialized ctequery cterecursive"
        " aliascolnames search_clause cycle_clause cterefcount ctecolnames ctecoltypes"
        " ctecoltypmods ctecolcollations",
        "SETOPERATIONSTMT": "op larg rarg colTypes all colTypmods colCollations groupClauses",
        "SORTGROUPCLAUSE": "tleSortGroupRef eqop sortop reverse_sort nulls_first hashable",
        "ONCONFLICTEXPR": "action onConflictWhere"
        " arbiterElems arbiterWhere constraint onConflictSet exclRelIndex exclRelTlist",
        "VAR": "varno varattno varnullingrels varlevelsup varcollid"
        " vartype vartypmod varreturningtype",
        "PARAM": "paramkind paramid paramtype paramtypmod paramcollid",
        "SUBLINK": "subLinkType subselect subLinkId testexpr operName",
        "OPEXPR": "opno opfuncid opretset inputcollid args opresulttype opcollid",
    }.items()
}
# Expressions whose value depends only on the values of their operands.
_EXPRESSIONS = frozenset({
    "ARRAYCOERCEEXPR", "ARRAYEXPR", "BOOLEANTEST", "BOOLEXPR", "CASEEXPR", "CASETESTEXPR",
    "CASEWHEN", "COALESCEEXPR", "COERCETODOMAIN", "COERCETODOMAINVALUE", "COERCEVIAIO",
    "COLLATEEXPR", "CONST", "CONVERTROWTYPEEXPR", "DISTINCTEXPR", "FIELDSELECT", "FIELDSTORE",
    "FUNCEXPR", "JSONBEHAVIOR", "JSONCONSTRUCTOREXPR", "JSONEXPR", "JSONFORMAT", "JSONISPREDICATE",
    "JSONRETURNING", "JSONVALUEEXPR", "MERGESUPPORTFUNC", "MINMAXEXPR", "NAMEDARGEXPR",
    "NULLIFEXPR", "NULLTEST", "OPEXPR", "RELABELTYPE", "ROWCOMPAREEXPR", "ROWEXPR",
    "SCALARARRAYOPEXPR", "SETTODEFAULT", "SQLVALUEFUNCTION", "SUBSCRIPTINGREF", "XMLEXPR",
})  # fmt: skip


def is_understood(node: Node) -> bool:
    """Return whether the compiler knows each field that has a value in a node."""
    known = FIELDS[node.kind]
    return known.issuperset(node.names()) or all(
        _says_nothing(node[name]) for name in node.names() if name not in known
    )


def is_expression(node: Node) -> bool:
    """Return whether an expression's value depends only on the values of its operands."""
    return node.kind in _EXPRESSIONS


def _says_nothing(value: object) -> bool:
    return not isinstance(value, Node | Datum | list) and value in _NOTHING
