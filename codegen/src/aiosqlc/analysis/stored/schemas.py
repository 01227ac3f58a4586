"""Read the structure of JSON values from a JSON Schema file.

The keywords for structure are read: types, properties, required members, items and choices. The
keywords that limit values, such as `minimum` and `pattern`, are accepted and not checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import yaml
from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.stored.scalars import anything, scalar
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import JsonKind, JsonShape, Shared
from aiosqlc.messages.files import reason
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.source import SourceFile, Span
from aiosqlc.store.disk import read_bytes

_STRUCTURE = (
    "type", "properties", "required", "items", "prefixItems", "additionalProperties", "enum",
    "const", "anyOf", "oneOf", "$ref", "format",
)  # fmt: skip
_ABOUT = frozenset({
    "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default",
    "examples", "deprecated", "readOnly", "writeOnly",
})  # fmt: skip
_LIMITS = frozenset({
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength",
    "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties",
    "maxProperties", "contentEncoding", "contentMediaType",
})  # fmt: skip
_FORMATS = {"date-time": "timestamptz", "date": "date", "time": "time", "uuid": "uuid"}
_SCALARS = {"integer": "int8", "number": "float8", "boolean": "bool"}
_TYPES = (*_SCALARS, "string", "object", "array", "null")
_TAGS = {str: "str", int: "int", float: "float", bool: "bool", type(None): "null"}
# Later steps go through the structure recursively.
_DEEPEST = 64
_TOO_DEEP = f"the schema is nested more than {_DEEPEST} levels deep"
# A tuple has no class that several places could share, so its type is written out.
_MOST_PARTS = 1000
_FLATTER = "write `{}` (any type) for the values below some depth"


class _Problem(Exception):  # noqa: N818 - it becomes a diagnostic, and leaves no module
    """A mistake in a JSON Schema file, with the YAML node that contains the mistake."""

    def __init__(self, node: yaml.Node, message: str, hint: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.hint = hint


def schema_shape(path: Path, shown: str, name: str) -> JsonShape | Diagnostic:
    """Return the structure that a JSON Schema file describes, or an error for the first mistake.

    `name` is the class name, in snake case, for the outermost object. `shown` is the file's name in
    diagnostics.
    """
    try:
        text = read_bytes(path).decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        return Diagnostic("E349", f"cannot read the JSON Schema {shown}: {reason(error)}")
    file = SourceFile(Path(shown), text)
    try:
        json.loads(text)
        root: yaml.Node | None = yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
    except json.JSONDecodeError as error:
        return _diagnostic(file, Span(error.pos, error.pos + 1), f"invalid JSON: {error.msg}", "")
    except RecursionError:
        return _diagnostic(file, Span(0, 1), _TOO_DEEP, _FLATTER)
    except (yaml.YAMLError, ValueError):  # an integer may have too many digits
        return _diagnostic(file, Span(0, 1), "this JSON cannot be read", "")
    if root is None:
        return _diagnostic(file, Span(0, 1), "this JSON cannot be read", "")
    try:
        _read_scalars(root, text)
        return _Reader(root, name).shape(root, name, ())
    except _Problem as problem:
        start = problem.node.start_mark.index
        end = text.find("\n", start)
        stop = problem.node.end_mark.index
        span = Span(start, min(stop, end) if end >= 0 else stop)
        return _diagnostic(file, span, problem.message, problem.hint)


def _diagnostic(file: SourceFile, span: Span, message: str, hint: str) -> Diagnostic:
    return Diagnostic("E349", message, (Label(file, span),), hint)


class _Reader(Struct, frozen=True):
    root: yaml.Node
    name: str
    depth: int = 0
    known: dict[tuple[str, int], JsonShape] = field(default_factory=dict)
    """The structures to which references (`$ref`) point, by reference and depth of nesting."""

    def shape(self, node: yaml.Node, name: str, within: tuple[str, ...]) -> JsonShape:
        """Return the structure of a schema; `within` are the references that led to it."""
        if self.depth >= _DEEPEST:
            raise _Problem(node, _TOO_DEEP, _FLATTER)
        return replace(self, depth=self.depth + 1).of_keywords(node, name, within)

    def of_keywords(self, node: yaml.Node, name: str, within: tuple[str, ...]) -> JsonShape:
        """Return the structure that the keywords of a schema describe."""
        if isinstance(node, yaml.ScalarNode) and _is_constant(node, "true"):
            return anything()
        said = self._members(node, "a schema")
        for key, (at, _) in said.items():
            if key not in _STRUCTURE and key not in _ABOUT | _LIMITS:
                hint = did_you_mean(key, _STRUCTURE, otherwise=f"known are {', '.join(_STRUCTURE)}")
                raise _Problem(at, f"the keyword `{key}` is not supported", hint)
        values = {key: value for key, (_, value) in said.items()}
        if "$ref" in values:
            return self._referenced(values["$ref"], within)
        for key in ("anyOf", "oneOf"):
            if key in values:
                return self._either(values[key], key, name, within)
        if "const" in values:
            return _choice(values["const"], [values["const"]])
        if "enum" in values:
            return _choice(values["enum"], _items(values["enum"], "enum"))
        kind, nullable = self._type(values)
        found = self._of_type(kind, values, name, within)
        return replace(found, nullable=found.nullable or nullable)

    def _members(self, node: yaml.Node, what: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Return the members of an object by name, each with the nodes of its key and its value."""
        if not isinstance(node, yaml.MappingNode):
            raise _Problem(node, f"{what} must be a JSON object", "write `{…}`")
        return {str(key.value): (key, value) for key, value in node.value}

    def _type(self, values: dict[str, yaml.Node]) -> tuple[str, bool]:
        """Return the only type besides `null` ('' for any type), and whether `null` is allowed."""
        at = values.get("type")
        if at is None:
            implied = [key for key in ("properties", "items", "prefixItems") if key in values]
            kind = "" if not implied else "object" if implied[0] == "properties" else "array"
            return kind, False
        several = isinstance(at, yaml.SequenceNode)
        items = _items(at, "type") if several else [at]
        kinds = [str(item.value) for item in items]
        for item in items:
            if not isinstance(item, yaml.ScalarNode):
                message = "`type` must be a text or a list of texts"
                raise _Problem(item, message, f"one of {', '.join(_TYPES)}")
            if item.value not in _TYPES:
                hint = did_you_mean(str(item.value), _TYPES, otherwise=", ".join(_TYPES))
                raise _Problem(item, f"`{item.value}` is not a type of JSON", hint)
        others = [kind for kind in kinds if kind != "null"]
        if len(others) != 1:
            message = "a value must have exactly one type besides `null`"
            raise _Problem(at, message, "to allow any type, leave `type` out")
        return others[0], len(kinds) > len(others)

    def _of_type(
        self, kind: str, values: dict[str, yaml.Node], name: str, within: tuple[str, ...]
    ) -> JsonShape:
        if kind == "string":
            at = values.get("format")
            return scalar(_FORMATS.get(str(at.value), "text") if at else "text")
        if kind in _SCALARS:
            return scalar(_SCALARS[kind])
        if kind == "array":
            return self._array(values, name, within)
        return self._object(values, name, within) if kind == "object" else anything()

    def _array(self, values: dict[str, yaml.Node], name: str, within: tuple[str, ...]) -> JsonShape:
        if "prefixItems" in values:
            listed = _items(values["prefixItems"], "prefixItems")
            kinds = [self.shape(item, f"{name}_{n}", within) for n, item in enumerate(listed, 1)]
            if not _is_length(values, len(kinds)):  # a list may be shorter or longer
                return JsonShape(JsonKind.ARRAY, members=(("", anything()),), declared=True)
            members = tuple(("", kind) for kind in kinds)
            if sum(map(_parts, kinds)) > _MOST_PARTS:
                message = f"the fixed-length lists have more than {_MOST_PARTS} elements in total"
                raise _Problem(values["prefixItems"], message, "use `items`, or fewer `$ref`")
            return JsonShape(JsonKind.TUPLE, members=members, declared=True)
        items = values.get("items")
        item = self.shape(items, f"{name}_item", within) if items else anything()
        return JsonShape(JsonKind.ARRAY, members=(("", item),), declared=True)

    def _object(
        self, values: dict[str, yaml.Node], name: str, within: tuple[str, ...]
    ) -> JsonShape:
        properties = values.get("properties")
        members = self._members(properties, "`properties`") if properties else {}
        if not members:
            more = values.get("additionalProperties")
            item = anything()
            if isinstance(more, yaml.MappingNode):
                item = self.shape(more, f"{name}_value", within)
            return JsonShape(JsonKind.MAP, members=(("", item),), declared=True)
        at = values.get("required")
        required = {str(item.value) for item in _items(at, "required")} if at else set()
        found = [
            (key, replace(self.shape(value, f"{name}_{key}", within), absent=key not in required))
            for key, (_, value) in members.items()
        ]
        return JsonShape(JsonKind.OBJECT, members=Shared(found), declared=True, name=name)

    def _either(self, node: yaml.Node, key: str, name: str, within: tuple[str, ...]) -> JsonShape:
        """Return the structure of the only alternative besides `null` in `anyOf` or `oneOf`."""
        items = _items(node, key)
        others = [item for item in items if not _is_null_schema(item)]
        if len(others) != 1:
            message = f"`{key}` must have exactly one alternative besides `null`"
            raise _Problem(node, message, f"to allow any type, leave `{key}` out")
        found = self.shape(others[0], name, within)
        return replace(found, nullable=found.nullable or len(items) > 1)

    def _referenced(self, node: yaml.Node, within: tuple[str, ...]) -> JsonShape:
        pointer = str(node.value)
        if pointer in within or pointer == "#":  # the whole file is around every reference
            hint = "describe a limited number of levels"
            raise _Problem(node, f"`{pointer}` contains itself", hint)
        place = pointer, self.depth
        if place not in self.known:
            self.known[place] = self._target(node, pointer, within)
        return self.known[place]

    def _target(self, node: yaml.Node, pointer: str, within: tuple[str, ...]) -> JsonShape:
        """Return the structure to which a reference (`$ref`) points."""
        found = self.root
        steps = pointer.removeprefix("#/").split("/") if pointer.startswith("#/") else [""]
        for step in steps:
            inside = self._members(found, "a schema") if isinstance(found, yaml.MappingNode) else {}
            if step not in inside:
                hint = "a reference must be `#/$defs/name` of the same file"
                raise _Problem(node, f"`{pointer}` is not in this file", hint)
            found = inside[step][1]
        return self.shape(found, f"{self.name}_{steps[-1]}", (*within, pointer))


def _parts(shape: JsonShape) -> int:
    """Count a structure and those inside it, such as list elements, but not members of objects."""
    inner = () if shape.kind is JsonKind.OBJECT else shape.members
    return 1 + sum(_parts(member) for _, member in inner)


def _items(node: yaml.Node, what: str) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _Problem(node, f"`{what}` must be a list", "write `[…]`")
    return list(node.value)


def _read_scalars(root: yaml.Node, text: str) -> None:
    """Set each scalar node to its JSON value; YAML reads some differently (`1e5` as text)."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.MappingNode):
            nodes += [item for pair in node.value for item in pair]
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value
        else:
            source = text[node.start_mark.index : node.end_mark.index]
            value = json.loads(source)
            node.value = value if isinstance(value, str) else source
            node.tag = f"tag:yaml.org,2002:{_TAGS[type(value)]}"
            if any("\ud800" <= char <= "\udfff" for char in node.value):
                raise _Problem(node, "this text is not valid Unicode", "write both surrogates")


def _is_constant(node: yaml.Node | None, word: str) -> bool:
    """Return whether a node is the constant `word` (number, `true` or `false`), and not a text."""
    return node is not None and node.value == word and not node.tag.endswith(":str")


def _is_length(values: dict[str, yaml.Node], length: int) -> bool:
    """Return whether the keywords of a list allow only lists of this length."""
    most = _is_constant(values.get("maxItems"), str(length))
    most = most or _is_constant(values.get("items"), "false")
    return most and _is_constant(values.get("minItems"), str(length))


def _is_null_schema(node: yaml.Node) -> bool:
    pairs = dict(_pairs(node))
    return len(pairs) == 1 and str(pairs.get("type")) == "null"


def _pairs(node: yaml.Node) -> Iterator[tuple[str, object]]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        yield str(key.value), value.value


def _choice(node: yaml.Node, items: list[yaml.Node]) -> JsonShape:
    """Return the structure of a value that is one of several constants."""
    others = [item for item in items if not item.tag.endswith(":null")]
    tags = {item.tag.rpartition(":")[2] for item in others}
    names = {"str": "text", "int": "int8", "bool": "bool", "float": "float8"}
    tags = {"float"} if tags == {"int", "float"} else tags
    if len(tags) != 1 or not tags <= names.keys():
        message = "the choices must have one type: texts, numbers or booleans"
        raise _Problem(node, message, "leave the choices out, and write only `type`")
    texts = tuple(str(item.value) for item in others) if tags == {"str"} else ()
    found = scalar(names[tags.pop()], texts)
    return replace(found, nullable=len(others) < len(items))
