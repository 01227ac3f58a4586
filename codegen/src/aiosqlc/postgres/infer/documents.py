"""Infer the shape of a JSON value, with nullability, from the expression that builds the value.

A value without a rule is `ANY`: a stored JSON value, or the result of another function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from aiosqlc.ir import JsonKind, JsonShape, SqlType, TypeKind
from aiosqlc.postgres.catalog.elements import elements_checked
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.dimensions import dimensions
from aiosqlc.postgres.infer.elements import array_elements
from aiosqlc.postgres.infer.outputs import expression_type, follow, output_targets
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.relations import entry_column
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Datum, Node

ANY = JsonShape(JsonKind.ANY, nullable=True)
_EMPTY = JsonShape(JsonKind.ARRAY)
_NULL = JsonShape(JsonKind.ARRAY, nullable=True)

_JSON, _JSONB, _RECORD, _TEXT, _UNKNOWN = 114, 3802, 2249, 25, 705
_IS_JSON = frozenset({_JSON, _JSONB})
_OBJECTS = frozenset({"json_build_object", "jsonb_build_object"})
_TUPLES = frozenset({"json_build_array", "jsonb_build_array"})
_OF_VALUE = frozenset({"to_json", "to_jsonb", "row_to_json", "array_to_json"})
_COLLECTS = frozenset({"json_agg", "jsonb_agg"})
_LENGTH = 4  # bytes of the length word before a value
_EMPTY_ARRAYS = {_JSON: b"[]", _JSONB: (0x40000000).to_bytes(4, "little")}
_DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Documents:
    """Infers the shapes of one statement's JSON values."""

    prover: Prover
    types: Types

    @property
    def _facts(self) -> Facts:
        return self.prover.facts

    def column(self, node: Node, scope: Scope) -> JsonShape | None:
        """Return the shape of a column, or None if it is unknown or not JSON."""
        if expression_type(node) not in _IS_JSON:
            return None
        before, scope.returned = scope.returned, scope.command != kinds.Command.SELECT
        try:
            with self.prover.assuming(scope, "returned"):
                found = self.shape(node, scope)
        finally:
            scope.returned = before
        return None if found.kind is JsonKind.ANY or found == _NULL else found

    def shape(self, node: Node, scope: Scope, depth: int = 0) -> JsonShape:
        """Return the shape of an expression whose type is JSON."""
        if depth > _DEEPEST:
            return ANY
        found = self._made(node, scope, depth + 1)
        if found.kind is JsonKind.ANY:
            return ANY
        return replace(found, nullable=self.prover.judge(node, scope).null)

    def _made(self, node: Node, scope: Scope, depth: int) -> JsonShape:
        """Return the shape of an expression's values, ignoring NULL."""
        if node.kind == "COERCEVIAIO" and expression_type(node["arg"]) in _IS_JSON:
            return self._made(node["arg"], scope, depth)
        if node.kind == "FUNCEXPR":
            return self._called(node, scope, depth)
        if node.kind in {"AGGREF", "WINDOWFUNC"}:
            return self._collected(node, scope, depth)
        if node.kind == "COALESCEEXPR":
            return _either(self._made(arg, scope, depth) for arg in node["args"])
        if node.kind == "CASEEXPR":
            results = [when["result"] for when in node["args"]]
            results += [node["defresult"]] if node["defresult"] else []
            return _either(self._made(result, scope, depth) for result in results)
        if node.kind == "CONST":
            return _constant(node)
        if node.kind == "SUBLINK" and node["subLinkType"] == kinds.SubLink.EXPR:
            query = node["subselect"]
            if query["setOperations"] is not None:
                return ANY
            target = output_targets(query)[0]["expr"]
            return self.shape(target, scope.inner(query), depth)
        if node.kind == "VAR" and node["varattno"] > 0:
            behind = follow(node, scope)
            return self.shape(*behind, depth) if behind else ANY
        return ANY

    def _called(self, node: Node, scope: Scope, depth: int) -> JsonShape:
        name = self._facts.built_in(node["funcid"])
        args: list[Node] = node.list_of("args")
        if node.get("funcvariadic", False) or not args:
            return _EMPTY if name in _TUPLES and not args else ANY
        if name in _OBJECTS:
            return _object(
                (_key(key), self.value(value, scope, depth))
                for key, value in zip(args[::2], args[1::2], strict=True)
            )
        if name in _TUPLES:
            members = tuple(("", self.value(arg, scope, depth)) for arg in args)
            return JsonShape(JsonKind.TUPLE, members=members)
        if name in _OF_VALUE:
            return self.value(args[0], scope, depth)
        return ANY

    def _collected(self, node: Node, scope: Scope, depth: int) -> JsonShape:
        aggregate = node.kind == "AGGREF"
        name = self._facts.built_in(node["aggfnoid" if aggregate else "winfnoid"])
        args = node.list_of("args")
        if name not in _COLLECTS or (aggregate and node["agglevelsup"]):
            return ANY
        collected = args[0]["expr"] if aggregate else args[0]
        condition = node["aggfilter"]
        with scope.rows_of(condition), self.prover.assuming(scope, "each row", condition):
            return _array(self.value(collected, scope, depth))

    # --- values -----------------------------------------------------------------------------------

    def value(self, node: Node, scope: Scope, depth: int = 0) -> JsonShape:
        """Return the shape of the JSON value that an expression of any type is converted to."""
        kind = self._facts.base_type(expression_type(node))
        kind = _TEXT if kind == _UNKNOWN else kind
        if kind in _IS_JSON:
            return self.shape(node, scope, depth)
        if depth > _DEEPEST:
            return ANY
        nullable = self.prover.judge(node, scope).null
        if kind == _RECORD or self._is_composite(kind):
            found = self._row(node, scope, kind, depth + 1)
        elif self._facts.is_array(kind):
            full = not array_elements(self.prover, node, scope).null
            found = self._list(kind, dimensions(node, scope), full=full)
        else:
            found = self._of_type(kind)
        return ANY if found.kind is JsonKind.ANY else replace(found, nullable=nullable)

    def _is_composite(self, kind: int) -> bool:
        entry = self._facts.types.get(kind)
        return entry is not None and entry.kind == "c"

    def _list(self, kind: int, dims: int, *, full: bool, depth: int = 0) -> JsonShape:
        """Return the shape of an array; `full` is whether no element is NULL."""
        entry = self._facts.types.get(kind)
        item = self._of_type(entry.element, depth + 1) if entry else ANY
        found = item if item.kind is JsonKind.ANY else replace(item, nullable=not full)
        for _ in range(max(dims, 1)):
            found = _array(found)
        return found

    def _of_type(self, kind: int, depth: int = 0) -> JsonShape:
        """Return the shape of a type's values, as far as the type alone determines it."""
        kind = self._facts.base_type(kind)
        entry = self._facts.types.get(kind)
        if entry is None or kind in _IS_JSON or kind in self._facts.cast_to_json:
            return ANY
        if depth > _DEEPEST or entry.kind == "p":
            return ANY
        if entry.element:
            return self._list(kind, 1, full=False, depth=depth)
        if entry.kind != "c":
            return JsonShape(JsonKind.SCALAR, type=_bare(self.types.get(kind)))
        return _object(
            (c.name, _optional(self._of_column(c.type, c.dims, full=False, depth=depth + 1)))
            for c in self._facts.columns.get(entry.relation, ())
        )

    def _of_column(self, kind: int, dims: int, *, full: bool, depth: int) -> JsonShape:
        base = self._facts.base_type(kind)
        if not self._facts.is_array(base):
            return self._of_type(base, depth)
        declared = self._facts.types.get(kind)
        dims = dims if base == kind or declared is None else declared.dims
        return self._list(base, dims, full=full, depth=depth)

    # --- rows -------------------------------------------------------------------------------------

    def _row(self, node: Node, scope: Scope, kind: int, depth: int) -> JsonShape:
        """Return the shape of a row's values, assuming that the row is present."""
        names = self._names(kind)
        if node.kind == "ROWEXPR":
            names = names or [str(name) for name in node["colnames"] or []]
            return self._fields(names, [(arg, scope) for arg in node.list_of("args")], depth)
        if node.kind == "VAR" and node["varattno"] == 0:
            return self._whole(node, scope, names, depth)
        return self._of_type(kind) if kind != _RECORD else ANY

    def _names(self, kind: int) -> list[str]:
        entry = self._facts.types.get(kind)
        return [c.name for c in self._facts.columns.get(entry.relation, ())] if entry else []

    def _fields(
        self, names: Sequence[str], values: Sequence[tuple[Node, Scope]], depth: int
    ) -> JsonShape:
        if len(names) != len(values):
            return ANY
        return _object(
            (name, self.value(*value, depth)) for name, value in zip(names, values, strict=True)
        )

    def _whole(self, node: Node, scope: Scope, names: list[str], depth: int) -> JsonShape:
        """Return the shape of a whole row of a table, a view, a sub-select or a WITH query."""
        owner = scope.up(node["varlevelsup"])
        if owner.query["groupingSets"] or owner.command != kinds.Command.SELECT:
            return ANY
        varno = node["varno"]
        entry = owner.entry(varno)
        nulling: frozenset[int] = node["varnullingrels"] or frozenset()

        def certain(attribute: int) -> bool:
            if owner.is_known(varno, attribute, nulling, old=False):
                return True
            return not entry_column(self.prover, varno, attribute, owner).null

        if entry["rtekind"] == kinds.Rte.RELATION:
            return _object(self._columns(entry["relid"], certain, depth))
        inner = _query_of(entry, owner)
        if inner is None:
            return ANY
        targets = output_targets(inner.query)
        names = names or [str(name) for name in entry["eref"]["colnames"] or []]
        if len(names) != len(targets):
            return ANY
        found = []
        for number, (name, target) in enumerate(zip(names, targets, strict=True), 1):
            value = self.value(target["expr"], inner, depth)
            kept = value.kind is JsonKind.ANY
            found.append((name, value if kept else replace(value, nullable=not certain(number))))
        return _object(found)

    def _columns(
        self, relation: int, certain: Callable[[int], bool], depth: int
    ) -> Iterator[tuple[str, JsonShape]]:
        for column in self._facts.columns.get(relation, ()):
            full = elements_checked(self._facts, relation, column.number)
            value = self._of_column(column.type, column.dims, full=full, depth=depth)
            known = certain(column.number) or value.kind is JsonKind.ANY
            yield column.name, value if known else _optional(value)


def _query_of(entry: Node, owner: Scope) -> Scope | None:
    """Return the query of a range table entry, or None for a table or a set operation."""
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
    return None if query["setOperations"] is not None else parent.inner(query)


def _object(members: Iterable[tuple[str, JsonShape]]) -> JsonShape:
    """Return the shape of an object, or ANY if a key is unknown or repeated."""
    found = tuple(members)
    keys = [key for key, _ in found]
    if not all(keys) or len(set(keys)) < len(keys):
        return ANY
    return JsonShape(JsonKind.OBJECT, members=found)


def _array(item: JsonShape) -> JsonShape:
    return JsonShape(JsonKind.ARRAY, members=(("", item),))


def _optional(shape: JsonShape) -> JsonShape:
    return replace(shape, nullable=True)


def _key(node: Node) -> str:
    """Return the key in a text constant, or '' for any other expression."""
    value = node.get("constvalue") if node.kind == "CONST" else None
    if not isinstance(value, Datum):
        return ""
    if node["consttype"] == _UNKNOWN:  # the literal's text with a final zero byte
        return value.data[:-1].decode(errors="replace")
    return value.data[_LENGTH:].decode(errors="replace") if node["consttype"] == _TEXT else ""


def _constant(node: Node) -> JsonShape:
    if node["constisnull"]:
        return _NULL
    value = node["constvalue"]
    if not isinstance(value, Datum):
        return ANY
    return _EMPTY if value.data[_LENGTH:] == _EMPTY_ARRAYS.get(node["consttype"]) else ANY


def _either(shapes: Iterator[JsonShape]) -> JsonShape:
    """Return the common shape of alternative expressions."""
    found = [shape for shape in shapes if shape != _NULL]
    first = next((shape for shape in found if shape != _EMPTY), _EMPTY if found else _NULL)
    for shape in found:
        if replace(shape, nullable=False) == _EMPTY and first.kind is JsonKind.ARRAY:
            continue
        merged = weakest_shape(first, shape)
        if merged is None:
            return ANY
        first = merged
    return first


def weakest_shape(one: JsonShape | None, other: JsonShape | None) -> JsonShape | None:
    """Return the shape of values that have one of two shapes, or None if the shapes differ."""
    if one is None or other is None:
        return None
    if (one.kind, one.type) != (other.kind, other.type):
        return None
    if [key for key, _ in one.members] != [key for key, _ in other.members]:
        return None
    members = []
    for (key, mine), (_, its) in zip(one.members, other.members, strict=True):
        merged = weakest_shape(mine, its)
        if merged is None:
            return None
        members.append((key, merged))
    return replace(one, nullable=one.nullable or other.nullable, members=tuple(members))


def _bare(kind: SqlType) -> SqlType:
    """Return a scalar's type without the attributes that are invisible in JSON."""
    if kind.kind is TypeKind.ENUM:
        return kind
    return SqlType(kind.schema, kind.name, kind.kind)
