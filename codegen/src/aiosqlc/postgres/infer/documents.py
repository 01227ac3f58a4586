"""Infer the shape of a JSON value (members, types, nullability) from the SQL that builds it.

A JSON value that a table stores has the kind `STORED`. A value without a rule, such as the result
of most functions, has the kind `ANY`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.json_shapes import (
    ANY,
    EMPTY,
    EMPTY_OBJECT,
    NULL,
    array_of,
    either,
    joined,
    object_of,
    optional,
    part,
    stored_in,
    stripped,
    text_of,
)
from aiosqlc.ir import JsonKind, JsonShape, SqlType, TypeKind
from aiosqlc.postgres.catalog.elements import elements_checked
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import called
from aiosqlc.postgres.infer.constants import constant_int, text_array
from aiosqlc.postgres.infer.dimensions import dimensions
from aiosqlc.postgres.infer.elements import array_elements
from aiosqlc.postgres.infer.outputs import expression_type, follow, output_targets
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.relations import entry_column
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.values import branches_of
from aiosqlc.postgres.tree import Datum, Node

_JSON, _JSONB, _RECORD, _TEXT, _UNKNOWN = 114, 3802, 2249, 25, 705
IS_JSON = frozenset({_JSON, _JSONB})
_OBJECTS = frozenset({"json_build_object", "jsonb_build_object"})
_TUPLES = frozenset({"json_build_array", "jsonb_build_array"})
_OF_VALUE = frozenset({"to_json", "to_jsonb", "row_to_json", "array_to_json"})
_COLLECTS = frozenset({"json_agg", "jsonb_agg", "json_agg_strict", "jsonb_agg_strict"})
_MAPS = frozenset({
    "json_object_agg", "jsonb_object_agg", "json_object_agg_strict", "jsonb_object_agg_strict",
    "json_object_agg_unique", "jsonb_object_agg_unique", "json_object_agg_unique_strict",
    "jsonb_object_agg_unique_strict",
})  # fmt: skip
_STRIPS = frozenset({"json_strip_nulls", "jsonb_strip_nulls"})
_MEMBER = frozenset({"json_object_field", "jsonb_object_field"})
_ELEMENT = frozenset({"json_array_element", "jsonb_array_element"})
_PATHS = frozenset({"json_extract_path", "jsonb_extract_path"})
# The operators and functions that return a member or an element as a text.
_TEXTS_AT = frozenset({
    "json_object_field_text", "jsonb_object_field_text", "json_array_element_text",
    "jsonb_array_element_text",
})  # fmt: skip
_TEXTS_AT_PATH = frozenset({"json_extract_path_text", "jsonb_extract_path_text"})
_AT = _MEMBER | _ELEMENT | _PATHS | _TEXTS_AT | _TEXTS_AT_PATH
_INT = 23
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_IS_OBJECT, _IS_ARRAY, _OBJECT_AGG, _ARRAY_AGG, _IS_SCALAR = 1, 2, 3, 4, 6  # JsonConstructorType
_LENGTH = 4  # bytes of the length word before a value
# As the server stores them: text, or the header of a container.
_CONSTANTS = {
    (_JSON, b"[]"): EMPTY,
    (_JSON, b"{}"): EMPTY_OBJECT,
    (_JSONB, (0x40000000).to_bytes(4, "little")): EMPTY,
    (_JSONB, (0x20000000).to_bytes(4, "little")): EMPTY_OBJECT,
}
_DEEPEST = 30


class Documents(Struct, frozen=True):
    """Infers the shapes of the JSON values of one statement."""

    prover: Prover
    types: Types

    @property
    def _facts(self) -> Facts:
        return self.prover.facts

    def column(self, node: Node, scope: Scope) -> JsonShape | None:
        """Return the JSON shape of a result column, or None if it is unknown or not JSON."""
        kind = expression_type(node)
        if self._facts.base_type(kind) not in IS_JSON and kind != _TEXT:
            return None
        before, scope.returned = scope.returned, scope.command != kinds.Command.SELECT
        try:
            with self.prover.assuming(scope, "returned"):
                if kind == _TEXT:
                    return self._text_at(node, scope, 0)
                found = self._made(node, scope, 0)
                found = self._at_stored(found, node, scope)
        finally:
            scope.returned = before
        if found.kind is JsonKind.STORED:
            return found
        return (
            None if kind not in IS_JSON or found.kind is JsonKind.ANY or found.nullable else found
        )

    def shape(self, node: Node, scope: Scope, depth: int = 0) -> JsonShape:
        """Return the JSON shape of an expression whose type is json or jsonb."""
        found = self._made(node, scope, depth)
        if found.kind is JsonKind.ANY:
            return ANY
        if found.path:
            return self._at_stored(found, node, scope)
        null = found.nullable or self.prover.infer(node, scope).null
        return replace(found, nullable=null)

    # --- paths into stored values -----------------------------------------------------------------

    def _at_stored(self, found: JsonShape, node: Node, scope: Scope) -> JsonShape:
        """Set `nullable` of a shape that is read from a stored JSON value by a path."""
        return replace(found, nullable=not self._is_there(node, scope)) if found.path else found

    def _is_there(self, node: Node, scope: Scope) -> bool:
        """Return whether a path into a stored JSON value is NULL only if the member is missing."""
        if node.kind == "VAR":
            behind = follow(node, scope)
            if behind is None:
                return not self.prover.infer(node, scope).null
            # An outer join can omit the row, but a stored column that is never NULL is proved so.
            if node["varnullingrels"] or node["varlevelsup"]:
                return False
            return self._is_there(*behind)
        if node.kind == "RELABELTYPE":
            return self._is_there(node["arg"], scope)
        if called(node) and self._facts.built_in(called(node)) in _AT:
            return self._is_there(node.list_of("args")[0], scope)
        return not self.prover.infer(node, scope).null

    def _text_at(self, node: Node, scope: Scope, depth: int) -> JsonShape | None:
        """Return the shape of a text such as `stored ->> key`, or None if it is unknown."""
        if depth > _DEEPEST:
            return None
        if node.kind == "VAR" and node["varattno"] > 0:
            behind = follow(node, scope)
            found = self._text_at(*behind, depth + 1) if behind else None
            return None if found is None or not self._is_there(node, scope) else found
        name = self._facts.built_in(called(node)) if called(node) else ""
        args = node.list_of("args") if name else []
        if name in _TEXTS_AT:
            found = _part(self._made(args[0], scope, depth + 1), args[1])
        elif name in _TEXTS_AT_PATH and len(args) == 2:
            found = self._at_path(args, scope, depth + 1)
        else:
            return None
        if not found.path or not self._is_there(node, scope):
            return None
        return text_of(replace(found, nullable=False))

    def _made(self, node: Node, scope: Scope, depth: int) -> JsonShape:
        """Return the JSON shape of an expression's values that are not SQL NULL."""
        if depth > _DEEPEST:
            return ANY
        depth += 1
        if node.kind == "COERCEVIAIO" and expression_type(node["arg"]) in IS_JSON:
            return self._made(node["arg"], scope, depth)
        if node.kind == "RELABELTYPE" and self._is_json(node["arg"]):  # of a domain
            return self._made(node["arg"], scope, depth)
        if node.kind == "FUNCEXPR":
            return self._called(node, scope, depth)
        if node.kind in {"AGGREF", "WINDOWFUNC"}:
            return self._collected(node, scope, depth)
        if node.kind == "COALESCEEXPR":
            return either(self._made(arg, scope, depth) for arg in node["args"])
        if node.kind == "CASEEXPR":
            return either(self._branches(node, scope, depth))
        if node.kind == "CONST":
            return _constant(node)
        if node.kind == "SUBLINK" and node["subLinkType"] == kinds.SubLink.EXPR:
            query = node["subselect"]
            if query["setOperations"] is not None:
                return ANY
            target = output_targets(query)[0]["expr"]
            return self._made(target, scope.inner(query), depth)
        if node.kind == "VAR" and node["varattno"] > 0:
            behind = follow(node, scope)
            return self._made(*behind, depth) if behind else self._stored(node, scope)
        return self._other(node, scope, depth)

    def _stored(self, node: Node, scope: Scope) -> JsonShape:
        """Return the JSON shape of a table's column, or ANY for any other Var."""
        entry = scope.up(node["varlevelsup"]).entry(node["varno"])
        if entry["rtekind"] != kinds.Rte.RELATION:
            return ANY
        column = self._facts.column_ref(entry["relid"], node["varattno"])
        return stored_in(column) if column else ANY

    def _branches(self, node: Node, scope: Scope, depth: int) -> Iterator[JsonShape]:
        """Yield the JSON shape of each result of a CASE, inferred under the result's conditions."""
        for result, facts in branches_of(self.prover, node):
            with scope.given(facts), self.prover.assuming(scope, "branch", facts):
                found = self._made(result, scope, depth)
            yield found

    def _other(self, node: Node, scope: Scope, depth: int) -> JsonShape:
        if node.kind == "JSONCONSTRUCTOREXPR":
            return self._constructed(node, scope, depth)
        if node.kind == "JSONVALUEEXPR":
            return self._made(node["formatted_expr"] or node["raw_expr"], scope, depth)
        if node.kind == "OPEXPR":
            return self._operated(node, scope, depth)
        if node.kind == "SUBSCRIPTINGREF" and not node["reflowerindexpr"]:
            found = self._made(node["refexpr"], scope, depth)
            for place in node.list_of("refupperindexpr"):
                found = _part(found, place)
            return found
        return ANY

    def _operated(self, node: Node, scope: Scope, depth: int) -> JsonShape:
        """Return the JSON shape of `document -> key` and of `object || object`."""
        name = self._facts.built_in(called(node))
        args = node.list_of("args")
        if name in _MEMBER | _ELEMENT:
            return _part(self._made(args[0], scope, depth), args[1])
        if name in _PATHS:
            return self._at_path(args, scope, depth)
        if name == "jsonb_concat":
            return joined(*(self._made(arg, scope, depth) for arg in args))
        return ANY

    def _at_path(self, args: Sequence[Node], scope: Scope, depth: int) -> JsonShape:
        """Return the JSON shape of `document #> path`, if the path is constant."""
        path = text_array(args[1])
        if path is None:
            return ANY
        found = self._made(args[0], scope, depth)
        for step in path:
            found = part(found, step, _index(step))
        return found

    def _constructed(self, node: Node, scope: Scope, depth: int) -> JsonShape:
        """Return the shape of JSON_OBJECT(…) and similar constructors."""
        kind, strict = node["type"], node["absent_on_null"]
        if expression_type(node) not in IS_JSON:
            return ANY
        args: list[Node] = node.list_of("args")
        if kind in {_OBJECT_AGG, _ARRAY_AGG} and node["func"]:
            return self._made(node["func"], scope, depth)
        if kind == _IS_SCALAR and len(args) == 1:
            return replace(self.value(args[0], scope, depth), nullable=False)
        if kind == _IS_OBJECT:
            members = _members(args)
            found = [(_key(key), of, self.value(of, scope, depth)) for key, of in members]
            return object_of(
                (key, replace(self._without_null(shape, of), absent=shape.nullable))
                if strict
                else (key, shape)
                for key, of, shape in found
            )
        if kind == _IS_ARRAY:
            items = [self.value(arg, scope, depth) for arg in args]
            if strict and any(item.nullable for item in items):
                merged = either(map(self._without_null, items, args))
                return ANY if merged.kind is JsonKind.ANY else array_of(merged)
            return JsonShape(JsonKind.TUPLE, members=tuple(("", item) for item in items))
        return ANY

    def _called(self, node: Node, scope: Scope, depth: int) -> JsonShape:
        name = self._facts.built_in(node["funcid"])
        args: list[Node] = node.list_of("args")
        if name in _PATHS and len(args) == 2:
            return self._at_path(args, scope, depth)
        if node.get("funcvariadic", False) or not args:
            return EMPTY if name in _TUPLES and not args else ANY
        if name in _OBJECTS and len(args) % 2:
            return ANY  # the server refuses an odd number of arguments when it runs the query
        if name in _OBJECTS:
            return object_of(
                (_key(key), self.value(of, scope, depth)) for key, of in _members(args)
            )
        if name in _TUPLES:
            items = tuple(("", self.value(arg, scope, depth)) for arg in args)
            return JsonShape(JsonKind.TUPLE, members=items)
        if name in _OF_VALUE:
            if self._is_json(args[0]):
                return self._made(args[0], scope, depth)
            return replace(self.value(args[0], scope, depth), nullable=False)
        if name in _STRIPS and (len(args) == 1 or _is_false(args[1])):
            return stripped(self._made(args[0], scope, depth))
        return ANY

    def _collected(self, node: Node, scope: Scope, depth: int) -> JsonShape:
        aggregate = node.kind == "AGGREF"
        name = self._facts.built_in(node["aggfnoid" if aggregate else "winfnoid"])
        args = node.list_of("args")
        if name not in _COLLECTS | _MAPS or (aggregate and node["agglevelsup"]):
            return ANY
        collected = args[1 if name in _MAPS else 0]
        collected = collected["expr"] if aggregate else collected
        condition = node["aggfilter"]
        with scope.rows_of(condition), self.prover.assuming(scope, "each row", condition):
            item = self.value(collected, scope, depth)
        if name.endswith("_strict"):
            item = self._without_null(item, collected)
        return (
            array_of(item) if name in _COLLECTS else JsonShape(JsonKind.MAP, members=(("", item),))
        )

    def _is_json(self, node: Node) -> bool:
        return self._facts.base_type(expression_type(node)) in IS_JSON

    def _without_null(self, shape: JsonShape, node: Node) -> JsonShape:
        """Return the shape without SQL NULL; the shape of JSON may still include JSON `null`."""
        return shape if self._is_json(node) else replace(shape, nullable=False)

    # --- values -----------------------------------------------------------------------------------

    def value(self, node: Node, scope: Scope, depth: int = 0) -> JsonShape:
        """Return the shape of the JSON value to which an expression of any type is converted."""
        if node.kind == "JSONVALUEEXPR":
            return self.shape(node, scope, depth)
        kind = self._facts.base_type(expression_type(node))
        kind = _TEXT if kind == _UNKNOWN else kind
        if kind in IS_JSON:
            return self.shape(node, scope, depth)
        if depth > _DEEPEST:
            return ANY
        nullable = self.prover.infer(node, scope).null
        if nullable and kind == _TEXT and (text := self._text_at(node, scope, depth)):
            return text
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
        """Return the JSON shape of an SQL array; `full` means that no element is NULL."""
        entry = self._facts.types.get(kind)
        item = self._of_type(entry.element, depth + 1) if entry else ANY
        found = item if item.kind is JsonKind.ANY else replace(item, nullable=not full)
        for _ in range(max(dims, 1)):
            found = array_of(found)
        return found

    def _of_type(self, kind: int, depth: int = 0) -> JsonShape:
        """Return the JSON shape of the values of an SQL type, or ANY if the shape is unknown."""
        kind = self._facts.base_type(kind)
        entry = self._facts.types.get(kind)
        if entry is None or kind in IS_JSON or kind in self._facts.cast_to_json:
            return ANY
        if depth > _DEEPEST or entry.kind == "p":
            return ANY
        if entry.element:
            return self._list(kind, 1, full=False, depth=depth)
        if entry.kind != "c":
            return JsonShape(JsonKind.SCALAR, type=_bare(self.types.get(kind)))
        return object_of(
            (c.name, optional(self._of_column(c.type, c.dims, full=False, depth=depth + 1)))
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
        """Return the JSON shape of a row that no outer join replaces by NULL."""
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
        return object_of(
            (name, self.value(*value, depth)) for name, value in zip(names, values, strict=True)
        )

    def _whole(self, node: Node, scope: Scope, names: list[str], depth: int) -> JsonShape:
        """Return the JSON shape of a whole row of a table, a view, a sub-select or a WITH query."""
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
            return object_of(self._columns(entry["relid"], certain, depth))
        if types := _listed_types(entry):
            names = names or [str(name) for name in entry["eref"]["colnames"] or []]
            return self._listed(names, types, certain, depth)
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
        return object_of(found)

    def _listed(
        self, names: list[str], types: list[int], certain: Callable[[int], bool], depth: int
    ) -> JsonShape:
        """Return the JSON shape of a row whose columns the query declares, as in `AS x (a int)`."""
        if len(names) != len(types):
            return ANY
        values = [self._of_column(kind, 1, full=False, depth=depth) for kind in types]
        return object_of(
            (name, value if certain(number) or value.kind is JsonKind.ANY else optional(value))
            for number, (name, value) in enumerate(zip(names, values, strict=True), 1)
        )

    def _columns(
        self, relation: int, certain: Callable[[int], bool], depth: int
    ) -> Iterator[tuple[str, JsonShape]]:
        for column in self._facts.columns.get(relation, ()):
            full = elements_checked(self._facts, relation, column.number)
            value = self._of_column(column.type, column.dims, full=full, depth=depth)
            at = self._facts.column_ref(relation, column.number)
            if at and self._facts.base_type(column.type) in IS_JSON:
                value = stored_in(at)
            known = certain(column.number) or value.kind is JsonKind.ANY
            yield column.name, value if known else optional(value)


def _listed_types(entry: Node) -> list[int]:
    """Return the types of the columns that `AS x (a int)` or JSON_TABLE declares."""
    if entry["rtekind"] == kinds.Rte.TABLEFUNC:
        found: list[int] = entry["tablefunc"]["coltypes"] or []
        return found
    functions = entry["functions"] if entry["rtekind"] == kinds.Rte.FUNCTION else None
    if not functions or len(functions) > 1 or entry["funcordinality"]:
        return []
    listed: list[int] = functions[0]["funccoltypes"] or []
    return listed


def _query_of(entry: Node, owner: Scope) -> Scope | None:
    """Return the query of a range table entry, or None for a table or a set operation."""
    if entry["rtekind"] == kinds.Rte.SUBQUERY:
        query, parent = entry["subquery"], owner
    elif entry["rtekind"] == kinds.Rte.CTE:
        parent = owner.up(entry["ctelevelsup"])
        query = parent.cte(entry["ctename"])["ctequery"]
    else:
        return None
    return None if query["setOperations"] is not None else parent.inner(query)


def _members(args: Sequence[Node]) -> Iterator[tuple[Node, Node]]:
    """Yield the key and the value of each member that the arguments of a JSON constructor list."""
    return zip(args[::2], args[1::2], strict=True)


def _part(document: JsonShape, place: Node) -> JsonShape:
    """Return the JSON shape of a document's member (at a key) or element (at an index)."""
    kind = expression_type(place)
    if kind == _INT:
        return part(document, None, constant_int(place), any_index=True)
    return part(document, _key(place), None, any_key=kind == _TEXT)


def _index(step: str) -> int | None:
    """Return a step of a JSON path as an index of a list, or None if the step is a key."""
    return int(step) if _NUMBER.fullmatch(step) else None


def _is_false(node: Node) -> bool:
    value = node["constvalue"] if node.kind == "CONST" else None
    return isinstance(value, Datum) and not any(value.data)


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
        return NULL
    value = node["constvalue"]
    if not isinstance(value, Datum):
        return ANY
    return _CONSTANTS.get((node["consttype"], value.data[_LENGTH:]), ANY)


def _bare(kind: SqlType) -> SqlType:
    """Return a scalar type without the attributes, such as a length, that JSON does not show."""
    if kind.kind is TypeKind.ENUM:
        return kind
    return SqlType(kind.schema, kind.name, kind.kind)
