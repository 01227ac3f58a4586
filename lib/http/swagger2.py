"""Convert msgspec's JSON Schema to the dialect of Swagger 2.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from lib.http import examples
from lib.resource.lists import ByCursor

_TEMPLATE = "#/definitions/{name}"
# Keywords of JSON Schema that Swagger 2.0 does not know.
_UNKNOWN = frozenset(("prefixItems", "propertyNames", "patternProperties", "$defs"))


def definitions(types: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return the schema of every Struct and enum that `types` refer to, by name."""
    _, components = examples.components(types, _TEMPLATE)
    return {name: convert(schema) for name, schema in components.items()}


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the schema of any type, with references to Structs and enums."""
    (schema,), _ = examples.components((kind,), _TEMPLATE)
    return convert(schema)


def reference(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the reference to a Struct's definition."""
    return schema_of(struct)


def parameters_of(struct: type[msgspec.Struct]) -> list[dict[str, Any]]:
    """Return the fields of a Struct as query parameters.

    An empty value counts as a missing value, so a required parameter refuses it.
    """
    found = definitions((struct,))
    own = found[struct.__name__]
    required = own.get("required", ())
    if issubclass(struct, ByCursor):
        # Generated clients send a default, and a page is refused beside a cursor.
        own["properties"]["page"].pop("default")
    return [
        {
            "in": "query",
            "name": name,
            "required": name in required,
            "allowEmptyValue": name not in required,
            **with_example(_inlined(schema, found), required=name in required),
        }
        for name, schema in own["properties"].items()
    ]


def with_example(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """Return the schema of a parameter with its example, for which Swagger 2.0 has no keyword.

    Swagger UI fills in `x-example`. A filter with an example value would hide rows, so optional
    parameters have `x-sample` instead.
    """
    example = examples.compose(schema, {}, whole=True)
    plain = {key: value for key, value in schema.items() if key != "example"}
    if "items" in plain:
        plain["items"] = {key: one for key, one in plain["items"].items() if key != "example"}
    return plain | {"x-example" if required else "x-sample": example}


def convert(schema: dict[str, Any]) -> dict[str, Any]:
    """Translate a JSON schema, and the schemas inside it, to Swagger 2.0."""
    if "anyOf" in schema:
        return _optional(schema)
    converted: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "examples":
            converted["example"] = value[0]
        elif key == "const":
            converted["enum"] = [value]
        elif key == "properties":
            converted[key] = {name: convert(inner) for name, inner in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            converted[key] = convert(value)
        elif key in ("exclusiveMinimum", "exclusiveMaximum"):
            converted[key.replace("exclusiveM", "m")], converted[key] = value, True
        elif key not in _UNKNOWN:
            converted[key] = value
    return _typed(converted)


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    """Convert `anyOf: [X, null]` to a nullable X. The schema of any other union gets no type."""
    kinds = [kind for kind in schema["anyOf"] if kind.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key in ("description", "title")}
    nullable = len(kinds) < len(schema["anyOf"])
    if len(kinds) == 1:
        inner = convert(kinds[0])
        # Beside a reference nothing else is read, hence the wrapper.
        rest |= {"allOf": [inner]} if "$ref" in inner else inner
    if nullable:
        rest["x-nullable"] = True
    return rest


def _typed(schema: dict[str, Any]) -> dict[str, Any]:
    if "enum" in schema and "type" not in schema:
        values = schema["enum"]
        schema["type"] = "boolean" if isinstance(values[0], bool) else "string"
        if "default" in schema:
            # Last, as where the type was there before.
            schema["default"] = schema.pop("default")
    if schema.get("format") == "decimal":
        # What we send; what we take may be a number too, which Swagger 2.0 cannot say.
        schema["type"] = "string"
    return schema


def _inlined(schema: dict[str, Any], found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Inline a parameter's type, because parameters allow no `$ref`, `allOf` or null."""
    target = schema
    if "allOf" in target:
        target = target["allOf"][0]
    if "$ref" in target:
        target = found[target["$ref"].rpartition("/")[2]]
    keys = ("x-nullable", "title", "allOf", "$ref")
    plain = {**target, **{k: v for k, v in schema.items() if k in ("description", "default")}}
    plain = {key: value for key, value in plain.items() if key not in keys and value is not None}
    if plain.get("type") == "array":
        plain["collectionFormat"] = "multi"
    return plain
