"""Infer the names, types and nullability of parameters from their uses."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from aiosqlc.ir import ColumnRef
from aiosqlc.postgres.catalog.elements import elements_checked
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import called
from aiosqlc.postgres.infer.handed_on import handed_on, operands_alike
from aiosqlc.postgres.infer.outputs import follow, output_targets
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.sources import source_behind, variable_name
from aiosqlc.postgres.tree import Node

_ASSIGNED_AT = re.compile(
    r"\{TARGETENTRY :expr \{PARAM :paramkind 0 :paramid (\d+) [^{}]* :location (\d+)\} :resno (\d+)"
)
_WRAPPERS = frozenset(
    {
        "RELABELTYPE",
        "COERCEVIAIO",
        "COLLATEEXPR",
        "ARRAYCOERCEEXPR",
        "COERCETODOMAIN",
        "NAMEDARGEXPR",
    }
)
_IMPLICIT, _EXPLICIT = 2, 1  # CoercionForm: COERCE_IMPLICIT_CAST, COERCE_EXPLICIT_CAST
_NULL_TOLERANT = frozenset(
    {"COALESCEEXPR", "MINMAXEXPR", "DISTINCTEXPR", "NULLTEST", "JSONCONSTRUCTOREXPR"}
)


# Functions of the operators `||`, `@>` and `<@` on documents.
_OF_PARTS = frozenset({"jsonb_concat", "jsonb_contains", "jsonb_contained"})
# Functions of operators whose other operand is not a value of the column: a pattern, an appended
# text or a factor. Extensions use the same names.
_BESIDE_A_VALUE = re.compile(r"like|regex|starts_with|^textcat$|^\w+_?(?:mul|div|mod)\w*$")
# Functions of array comparisons, which treat NULL as an ordinary element.
_OF_ARRAYS = frozenset({"array_eq", "array_ne", "array_lt", "array_gt", "array_le", "array_ge"})
# Functions that build an array from the elements of their operands.
_JOINING = frozenset({"array_cat", "array_append", "array_prepend"})
_CALLS = frozenset({"FUNCEXPR", "OPEXPR"})
# Expressions whose value is one of their operands.
_ALTERNATIVES = frozenset({"COALESCEEXPR", "MINMAXEXPR"})


class Use(Struct, frozen=True):
    """One occurrence of a parameter in a statement.

    `relation` and `attribute` are the table and the column of this use (0 for none). `role` is the
    kind of use: assign, compare, any, alternative (to the column, in COALESCE), argument, function
    (the argument has no name), limit, offset, other. `tolerant` means that the parameter may be
    NULL here, and `reason` says why. `part` is true for a document that is merged with the column
    or searched in it, and for a pattern. The value of the parameter then has the column's type, but
    is not a value that the column could contain. `via` is the column under its name in the query,
    which may be the name of a column of a view or a WITH query. `kept` is the array column to which
    a function adds the value or its elements, or in which a function searches for the value or its
    elements.
    """

    role: str
    relation: int = 0
    attribute: int = 0
    name: str = ""
    tolerant: bool = False
    reason: str = ""
    operator: str = ""
    part: bool = False
    via: ColumnRef | None = None
    elements: bool = False
    kept: tuple[int, int] = (0, 0)


def parameter_uses(scope: Scope) -> dict[int, list[Use]]:
    """Return the uses of every parameter of a statement, in the order in which sqlc finds them."""
    uses: dict[int, list[Use]] = defaultdict(list)
    _Uses(scope.catalog, uses).query(scope)
    return dict(uses)


def as_written(uses: Mapping[int, list[Use]], dump: str) -> dict[int, list[Use]]:
    """Sort the uses of each parameter: put assignments in the order of the query's column list.

    Before, they have the order of the table's columns. If the statement has several
    queries, nothing is sorted, because the positions do not show to which query they belong.
    """
    once = all(sum(use.role == "assign" for use in met) < 2 for met in uses.values())
    if once or dump.count("{QUERY ") != 1:
        return dict(uses)
    places = {
        (int(number), int(column)): int(place)
        for number, place, column in reversed(_ASSIGNED_AT.findall(dump))
    }
    ordered = {}
    for number, met in uses.items():
        assigned = [use for use in met if use.role == "assign"]
        assigned.sort(key=lambda use: places.get((number, use.attribute), 0))
        following = iter(assigned)
        ordered[number] = [next(following) if use.role == "assign" else use for use in met]
    return ordered


class _Uses:
    def __init__(self, facts: Facts, uses: dict[int, list[Use]]) -> None:
        self.facts = facts
        self.uses = uses

    def add(self, number: int, use: Use) -> None:
        self.uses[number].append(use)

    def query(self, scope: Scope) -> None:
        """Visit a query: assignments and limits first, then every expression."""
        query = scope.query
        if not query.has("PARAM"):
            return
        done: set[int] = set()
        for target, relation in self._assignments(scope):
            self._assigned(target["expr"], relation, target["resno"], scope)
            done.add(id(target))
        for name, field in (("limit", "limitCount"), ("offset", "limitOffset")):
            bare = _unwrap(query[field])
            if bare is not None and _is_param(bare):
                self.add(bare["paramid"], Use(name, name=name))
            elif query[field] is not None:
                self.value(query[field], scope)
        skipped = {"limitCount", "limitOffset", "rteperminfos"}
        for name, value in sorted(query.children(), key=_rank):
            if name not in skipped:
                self.value(value, scope, done)

    def _assignments(self, scope: Scope) -> Iterator[tuple[Node, int]]:
        query = scope.query
        if scope.command not in (
            kinds.Command.INSERT,
            kinds.Command.UPDATE,
            kinds.Command.MERGE,
        ):
            return
        relation = scope.entry(query["resultRelation"])["relid"]
        lists = [query.list_of("targetList")] if scope.command != kinds.Command.MERGE else []
        if query["onConflict"] is not None:
            lists.append(query["onConflict"].list_of("onConflictSet"))
        lists += [action.list_of("targetList") for action in query.list_of("mergeActionList")]
        for targets in lists:
            for target in sorted(targets, key=_written_at):
                if not target["resjunk"]:
                    yield target, relation

    def _assigned(self, expr: Node, relation: int, attribute: int, scope: Scope) -> None:
        """Record the parameters in the expression that an assignment stores in a column."""
        bare = _unwrap(expr)
        if bare is None:
            return
        self._with_elements(bare, relation, attribute, scope)
        if _is_param(bare):
            self.add(bare["paramid"], self._assignment(relation, attribute))
        elif bare.kind in {"ARRAYEXPR", "CASEEXPR", *_CALLS}:
            self._kept(handed_on(bare, scope).params, (relation, attribute))
        elif bare.kind in _ALTERNATIVES:
            column = self.facts.attributes.get((relation, attribute))
            self._alternative(bare, relation, attribute, column.name if column else "")
        elif bare.kind == "SUBSCRIPTINGREF":  # `SET tags[1] = $1`
            item = _unwrap(bare["refassgnexpr"])
            if item is not None and _is_param(item):
                self.add(item["paramid"], Use("compare", relation, attribute))
        elif bare.kind == "VAR" and bare["varlevelsup"] == 0:
            entry = scope.entry(bare["varno"])
            if entry["rtekind"] == kinds.Rte.VALUES:
                for row in entry["values_lists"]:
                    self._assigned(row[bare["varattno"] - 1], relation, attribute, scope)
            elif entry["rtekind"] == kinds.Rte.SUBQUERY and scope.command == kinds.Command.INSERT:
                self._assigned_by(scope.inner(entry["subquery"]), relation, attribute, bare)

    def _assigned_by(self, inner: Scope, relation: int, attribute: int, var: Node) -> None:
        targets = output_targets(inner.query)
        if inner.query["setOperations"] is None and var["varattno"] <= len(targets):
            expr = targets[var["varattno"] - 1]["expr"]
            bare = _unwrap(expr)
            if bare is not None and _is_param(bare):
                self.add(bare["paramid"], self._assignment(relation, attribute))

    def _assignment(self, relation: int, attribute: int) -> Use:
        column = self.facts.attributes.get((relation, attribute))
        name = column.name if column else ""
        optional = not self.facts.not_null(relation, attribute) and not (
            column and self._refuses_null(column.type)
        )
        reason = f"{self.facts.relation_name(relation)}.{name} may be NULL"
        return Use(
            "assign",
            relation,
            attribute,
            name,
            optional,
            reason if optional else "",
            elements=self._holds_null(relation, attribute),
        )

    def _holds_null(self, relation: int, attribute: int) -> bool:
        """Return whether a column is an array that may contain NULL elements."""
        column = self.facts.attributes.get((relation, attribute))
        entry = self.facts.types.get(column.type) if column else None
        while entry is not None and entry.kind == "d":
            entry = self.facts.types.get(entry.base)
        return (
            entry is not None
            and bool(entry.element)
            and not self._refuses_null(entry.element)
            and not elements_checked(self.facts, relation, attribute)
        )

    def _with_elements(self, expr: Node, relation: int, attribute: int, scope: Scope) -> None:
        """Record the array parameters whose elements are stored, by `unnest` or concatenation."""
        function = self.facts.built_in(called(expr)) if expr.kind in _CALLS else ""
        if function in _JOINING and self._holds_null(relation, attribute):
            for operand in expr.list_of("args"):
                self._elements(operand)
                self._element(operand)
        arrays = unnested(expr, scope, self.facts)
        if arrays and self._assignment(relation, attribute).tolerant:
            for array in arrays:
                self._elements(array)

    def _elements(self, array: Node) -> None:
        param = _unwrap(array)
        if param is not None and _is_param(param):
            self.add(param["paramid"], Use("other", elements=True))

    def _element(self, operand: Node) -> None:
        """Record a parameter that becomes an array element and thus may be NULL."""
        param = _unwrap(operand)
        if param is not None and _is_param(param) and not self.facts.is_array(param["paramtype"]):
            reason = "an element of the array may be NULL"
            self.add(param["paramid"], Use("other", tolerant=True, reason=reason))

    def _kept(self, params: Iterable[int], column: tuple[int, int]) -> None:
        """Record the parameters whose values are stored in a column."""
        for number in params if column[0] else ():
            self.add(number, Use("other", kept=column))

    def _refuses_null(self, oid: int) -> bool:
        entry = self.facts.types.get(oid)
        while entry is not None and entry.kind == "d":
            if entry.not_null:
                return True
            entry = self.facts.types.get(entry.base)
        return False

    # --- expressions --------------------------------------------------------------------------

    def value(self, value: Any, scope: Scope, skip: set[int] | None = None) -> None:
        """Visit each expression in a node or list of nodes; `scope` is the query around it."""
        if isinstance(value, list):
            for item in value:
                if not isinstance(item, Node) or "{PARAM " in item.text:
                    self.value(item, scope, skip)
        elif isinstance(value, Node) and "{PARAM " in value.text:
            if skip and id(value) in skip and _is_param(_unwrap(value["expr"]) or value):
                return
            self._node(value, scope, skip)

    def _node(self, node: Node, scope: Scope, skip: set[int] | None) -> None:
        if node.kind == "QUERY":
            self.query(scope.inner(node))
            return
        if node.kind == "RANGETBLENTRY":
            for name in ("subquery", "functions", "values_lists", "tablefunc", "tablesample"):
                if name in node:
                    self.value(node[name], scope)
            return
        self._met(node, scope)
        for _, value in node.children():
            self.value(value, scope, skip)

    def _met(self, node: Node, scope: Scope) -> None:
        """Record the parameters that are direct operands of a node."""
        if node.kind == "ARRAYEXPR" or node.kind in _CALLS:
            alike = operands_alike(node, scope)
            self._kept(alike.params, alike.column)
        if node.kind in {"OPEXPR", "DISTINCTEXPR", "NULLIFEXPR"} and len(node["args"]) == 2:
            left, right = node["args"]
            for operand, other in ((left, right), (right, left)):
                self._compared(node, operand, other, scope)
        elif node.kind == "SCALARARRAYOPEXPR":
            left, right = node["args"]
            self._compared(node, right, left, scope, role="any")
            for element in [
                left,
                *(right.list_of("elements") if right.kind == "ARRAYEXPR" else []),
            ]:
                self._compared(node, element, left, scope)
            self._among(left, right, scope)
        elif node.kind == "ROWCOMPAREEXPR":  # `(a, b) < ($1, $2)`, compared column by column
            for left, right in zip(node.list_of("largs"), node.list_of("rargs"), strict=True):
                for operand, other in ((left, right), (right, left)):
                    self._compared(node, operand, other, scope)
        elif node.kind == "FUNCEXPR":
            self._passed(node)
        elif node.kind in _NULL_TOLERANT or node.kind == "CASEEXPR":
            self._tolerated(node, scope)
            if node.kind in _ALTERNATIVES:
                self._beside_a_column(node, scope)

    def _compared(
        self, node: Node, operand: Node, other: Node, scope: Scope, role: str = "compare"
    ) -> None:
        param = _unwrap(operand)
        if param is None or not (_is_param(param) or param.kind in _ALTERNATIVES):
            return
        relation, attribute = origin(_element_of(_unwrap(other)), scope)
        column = self.facts.attributes.get((relation, attribute))
        if param.kind in _ALTERNATIVES:
            name = column.name if column else _column_name(_unwrap(other), scope)
            self._alternative(param, relation, attribute, name)
            return
        tolerant = node.kind == "DISTINCTEXPR"
        whole = node.kind == "ROWCOMPAREEXPR"
        operator = "" if whole else self.facts.built_in(called(node))
        self.add(
            param["paramid"],
            Use(
                role,
                relation,
                attribute,
                column.name if column else _column_name(_unwrap(other), scope),
                tolerant,
                "IS DISTINCT FROM compares with NULL" if tolerant else "",
                operator,
                part=self._is_part(node),
                elements=operator in _OF_ARRAYS and self._holds_null(relation, attribute),
                via=source_behind(_unwrap(other), scope) if column else None,
            ),
        )
        if not (column or self._is_part(node)):
            self._kept([param["paramid"]], handed_on(other, scope).column)

    def _among(self, operand: Node, array: Node, scope: Scope) -> None:
        """Record a parameter that is compared with a column's array elements: `$1 = ANY(tags)`."""
        param = _unwrap(operand)
        relation, attribute = origin(_unwrap(array), scope)
        if param is not None and _is_param(param) and relation:
            self.add(param["paramid"], Use("compare", relation, attribute))

    def _is_part(self, node: Node) -> bool:
        """Return whether the operand beside a column is not one of its values: `name LIKE $1`."""
        function = self.facts.functions.get(called(node))
        if function is None:
            return False
        built_in = self.facts.built_in(called(node))
        return built_in in _OF_PARTS or bool(_BESIDE_A_VALUE.search(function.name))

    def _beside_a_column(self, node: Node, scope: Scope) -> None:
        """Name a parameter after the column that is the other operand: `COALESCE(bio, $1)`."""
        for operand in node.list_of("args"):
            bare = _unwrap(operand)
            if bare is not None and bare.kind == "VAR":
                relation, attribute = origin(bare, scope)
                self._alternative(node, relation, attribute, variable_name(bare, scope))
                return

    def _alternative(self, node: Node, relation: int, attribute: int, name: str) -> None:
        """Record the parameters that are operands of COALESCE and similar expressions."""
        for operand in node.list_of("args"):
            param = _unwrap(operand)
            if param is not None and _is_param(param):
                elements = self._holds_null(relation, attribute)
                use = Use("alternative", relation, attribute, name, elements=elements)
                self.add(param["paramid"], use)

    def _passed(self, node: Node) -> None:
        function = self.facts.functions.get(node["funcid"])
        if node["funcformat"] in (_IMPLICIT, _EXPLICIT) or function is None:
            return
        bare = [_unwrap(arg) for arg in node.list_of("args")]
        alone = sum(param is not None and _is_param(param) for param in bare) == 1
        for position, (arg, param) in enumerate(zip(node.list_of("args"), bare, strict=True)):
            if param is not None and _is_param(param):
                names = function.arguments
                name = names[position] if position < len(names) else ""
                if arg.kind == "NAMEDARGEXPR":
                    name = str(arg["name"])
                role = "argument" if name else "function"
                self.add(param["paramid"], Use(role, name=name or alone * function.name))

    def _tolerated(self, node: Node, scope: Scope) -> None:
        words = {
            "COALESCEEXPR": "coalesce replaces NULL",
            "MINMAXEXPR": "greatest and least ignore NULL",
            "NULLTEST": "the query tests the parameter for NULL",
            "CASEEXPR": "CASE uses the parameter to select a branch",
            "DISTINCTEXPR": "IS DISTINCT FROM compares with NULL",
        }
        operands = (
            node.list_of("args") if node.kind not in {"NULLTEST", "CASEEXPR"} else [node["arg"]]
        )
        for operand in operands:
            param = _unwrap(operand)
            for array in unnested(param, scope, self.facts) if param is not None else ():
                self._elements(array)
            if param is not None and _is_param(param):
                reason = words.get(node.kind, "the parameter may be NULL at this position")
                self.add(param["paramid"], Use("other", tolerant=True, reason=reason))


def _written_at(target: Node) -> int:
    """Return a sort key that puts assigned columns in the order of their VALUES or SELECT."""
    bare = _unwrap(target["expr"])
    return int(bare["varattno"]) if bare is not None and bare.kind == "VAR" else 0


def _rank(field: tuple[str, Any]) -> int:
    """Return a sort key for a clause of a query in sqlc's order: select list first, WITH last."""
    return {"targetList": 0, "cteList": 2}.get(field[0], 1)


def _is_param(node: Node) -> bool:
    return node.kind == "PARAM" and node["paramkind"] == kinds.Param.EXTERN


def _unwrap(node: Node | None) -> Node | None:
    """Return an expression without its casts."""
    while node is not None:
        if node.kind in _WRAPPERS:
            node = node["arg"]
        elif (
            node.kind == "FUNCEXPR"
            and node["funcformat"] in (_IMPLICIT, _EXPLICIT)
            and node.list_of("args")
        ):
            node = node["args"][0]
        else:
            break
    return node


def _element_of(node: Node | None) -> Node | None:
    """Return `a` if an operand is an array element `a[1]`, or else the operand itself."""
    return _unwrap(node["refexpr"]) if node is not None and node.kind == "SUBSCRIPTINGREF" else node


def origin(node: Node | None, scope: Scope) -> tuple[int, int]:
    """Return the table column (relation, attribute) that a Var refers to, or (0, 0)."""
    while node is not None and node.kind == "VAR":
        owner = scope.up(node["varlevelsup"])
        entry = owner.entry(node["varno"])
        if entry["rtekind"] == kinds.Rte.RELATION:
            return entry["relid"], node["varattno"]
        if entry["rtekind"] == kinds.Rte.JOIN and node["varattno"] > 0:
            node, scope = entry["joinaliasvars"][node["varattno"] - 1], owner
            if node.kind == "COALESCEEXPR":
                node = node["args"][0]
            continue
        step = follow(node, scope)
        if step is None:
            return 0, 0
        node, scope = step
    return 0, 0


def unnested(node: Node, scope: Scope, facts: Facts) -> list[Node]:
    """Return the arrays whose elements become the values of an expression through `unnest`."""
    while node.kind == "VAR":
        owner = scope.up(node["varlevelsup"])
        entry, attribute = owner.entry(node["varno"]), node["varattno"]
        if entry["rtekind"] == kinds.Rte.JOIN and attribute > 0:
            node, scope = entry["joinaliasvars"][attribute - 1], owner
        elif entry["rtekind"] == kinds.Rte.FUNCTION:
            return _of_functions(entry, attribute, facts)
        else:
            step = follow(node, scope)
            if step is None:
                return []
            node, scope = step
        node = _unwrap(node) or node
    return _arrays_of(node, facts)


def _of_functions(entry: Node, attribute: int, facts: Facts) -> list[Node]:
    """Return the array whose elements are the values of a column of a function call in FROM."""
    for function in entry["functions"]:
        width = function["funccolcount"]
        if attribute <= width:
            return _arrays_of(function["funcexpr"], facts) if width == 1 else []
        attribute -= width
    return []


def _arrays_of(node: Node, facts: Facts) -> list[Node]:
    is_unnest = node.kind == "FUNCEXPR" and facts.built_in(node["funcid"]) in _UNNESTING
    return list(node.list_of("args")) if is_unnest else []


_UNNESTING = frozenset({"unnest", "array_unnest"})


def _column_name(node: Node | None, scope: Scope) -> str:
    """Return the name of the column that an operand is, or from which it is computed, or ''."""
    while node is not None and node.kind != "VAR":
        inside = [i for _, value in node.children() for i in _nodes(value) if i.has("VAR")]
        node = inside[0] if inside else None
    return variable_name(node, scope) if node is not None else ""


def _nodes(value: Any) -> list[Node]:
    found = value if isinstance(value, list) else [value]
    return [n for n in found if isinstance(n, Node) and n.kind != "QUERY"]
