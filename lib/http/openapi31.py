"""The same document as OpenAPI 3.1 with JSON Schema, for client generators.

aiohttp-apispec writes Swagger 2.0. Schemas come from msgspec as they are, so that null, unions and
constants keep their meaning; operations are those of the Swagger document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

TEMPLATE: Final = "#/components/schemas/{name}"
_SWAGGER: Final = "#/definitions/"
# In this order: where PATCH and PUT have one handler, PUT is the alias.
_METHODS: Final = ("get", "post", "patch", "put", "delete")
_PLACE: Final = frozenset({"in", "name", "required", "description"})
# What is an example of a text in this format.
_TEXTS: Final[Mapping[str, str]] = {
    "uuid": "01890000-0000-7000-8000-0000000000aa",
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "decimal": "12.50",
    "email": "ada@example.com",
}
_NAMED: Final[Mapping[str, str]] = {
    "code": "123456",
    "country": "DE",
    "name": "Lamp",
    "permissions": "users:read",
    "personal_id": "12345678901",
    "role": "CUSTOMER",
    "token": "a-token-of-a-mail-0123456789abcdefghijklmno",
    "currency": "EUR",
    "email": "ada@example.com",
    "phone_number": "+4915112345678",
    "password": "correct horse battery staple",
}


def convert(swagger: Mapping[str, Any], types: Sequence[Any]) -> dict[str, Any]:
    """Return the document in OpenAPI 3.1.

    Args:
        swagger: the Swagger 2.0 document.
        types: the Structs of its bodies and answers; what they reach becomes a component.
    """
    _, native = msgspec.json.schema_components(types, ref_template=TEMPLATE)
    schemas = {name: _schema(one) for name, one in swagger.get("definitions", {}).items()}
    schemas |= {name: _textual(one) for name, one in native.items()}
    by_name = {kind.__name__: kind for kind in types if isinstance(kind, type)}
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {**swagger["info"], "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": swagger.get("basePath", "/")}],
        "security": [{"bearer": []}],
        "paths": _paths(swagger["paths"], schemas, by_name),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
            "schemas": schemas,
        },
    }
    # Plain lists and texts: defaults may be tuples, names of headers a kind of text.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found, enc_hook=str))
    return plain


def _paths(
    found: Mapping[str, Any], schemas: Mapping[str, Any], kinds: Mapping[str, type]
) -> dict[str, Any]:
    """Convert every operation. A handler's second path is a deprecated alias."""
    seen: dict[str, int] = {}
    paths: dict[str, Any] = {}
    for path, operations in found.items():
        for method in _METHODS:
            if method not in operations:
                continue
            operation = _operation(operations[method], schemas, kinds)
            name = operation["operationId"]
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                operation |= {"operationId": f"{name}_{seen[name]}", "deprecated": True}
            paths.setdefault(path, {})[method] = operation
    return paths


def _operation(
    given: Mapping[str, Any], schemas: Mapping[str, Any], kinds: Mapping[str, type]
) -> dict[str, Any]:
    kept = ("tags", "summary", "description", "operationId", "security")
    operation = {key: given[key] for key in kept if key in given}
    parameters = [
        one for one in given.get("parameters", ()) if one["in"] not in ("body", "formData")
    ]
    operation["parameters"] = [_parameter(one) for one in parameters]
    for one in given.get("parameters", ()):
        if one["in"] == "body":
            content: dict[str, Any] = {"schema": _schema(one["schema"])}
            name = str(one["schema"].get("$ref", "")).removeprefix(_SWAGGER)
            if (example := example_of(kinds.get(name), schemas.get(name), schemas)) is not None:
                content["example"] = example
            operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    operation["responses"] = {
        status: {
            "description": one["description"],
            **(
                {"content": {"application/json": {"schema": _schema(one["schema"])}}}
                if "schema" in one
                else {}
            ),
        }
        for status, one in given["responses"].items()
    }
    return operation


def _parameter(given: Mapping[str, Any]) -> dict[str, Any]:
    schema = {
        key: value
        for key, value in given.items()
        if key not in _PLACE and key not in ("allowEmptyValue", "collectionFormat")
    }
    placed = {key: value for key, value in given.items() if key in _PLACE}
    return {**placed, "schema": _schema(schema)}


def _schema(given: Any) -> Any:
    """Translate a Swagger 2.0 schema and its parts."""
    if isinstance(given, list):
        return [_schema(one) for one in given]
    if not isinstance(given, dict):
        return given
    schema: dict[str, Any] = {}
    for key, value in given.items():
        if key == "$ref":
            schema[key] = value.replace(_SWAGGER, TEMPLATE.format(name=""))
        elif key in ("exclusiveMinimum", "exclusiveMaximum") and value is True:
            limit = key.replace("exclusiveM", "m")
            schema[key] = given[limit]
        elif key != "x-nullable":
            schema[key] = _schema(value)
    for bound in ("minimum", "maximum"):
        if given.get(f"exclusiveM{bound[1:]}") is True:
            schema.pop(bound, None)
    if given.get("x-nullable"):
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


def _textual(given: Any) -> Any:
    """Mark decimals as strings, as the services send them."""
    if isinstance(given, list):
        return [_textual(one) for one in given]
    if not isinstance(given, dict):
        return given
    schema = {key: _textual(value) for key, value in given.items()}
    if schema.get("format") == "decimal":
        schema["type"] = "string"
    return schema


def example_of(kind: Any, schema: Any, schemas: Mapping[str, Any]) -> Any:
    """Return an example body that the service would decode, or None."""
    if kind is None or schema is None:
        return None
    found = _example("", schema, schemas)
    try:
        msgspec.convert(json.loads(json.dumps(found)), kind, strict=False)
    except (msgspec.ValidationError, TypeError, ValueError):
        return None
    return found


def _example(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(name, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return _example(name, schema["anyOf"][0], schemas)
    if schema.get("default") not in (None, "", [], {}):
        return schema["default"]
    kind = schema.get("type")
    if kind == "object":
        return dict(_members(schema, schemas))
    if kind == "array":
        return [_example(name, schema.get("items") or {"type": "string"}, schemas)]
    if kind in ("integer", "number"):
        return _number(schema)
    if kind == "boolean":
        return True
    return None if kind == "null" else _text(name, schema)


def _members(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    # Of a change every field may be left out: the first one shows how it is sent.
    shown = required or list(properties)[:1]
    for name in properties:
        if name in shown:
            yield name, _example(name, properties[name], schemas)


def _number(schema: Mapping[str, Any]) -> Any:
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return max(least, 1) if "maximum" not in schema else min(max(least, 1), schema["maximum"])


def _text(name: str, schema: Mapping[str, Any]) -> str:
    text = _TEXTS.get(schema.get("format", "")) or _NAMED.get(name) or name.replace("_", " ")
    text = (text or "text").capitalize() if text == name.replace("_", " ") else text
    while len(text) < schema.get("minLength", 0):
        text += " and more"
    return text[: schema.get("maxLength", 200)]
