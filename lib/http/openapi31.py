"""Convert the API document to OpenAPI 3.1 with JSON Schema, for client generators.

aiohttp-apispec writes Swagger 2.0. The schemas come directly from msgspec, so null, unions and
constants keep their meaning. The operations come from the Swagger document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from lib.http import examples

TEMPLATE: Final = "#/components/schemas/{name}"
FORM: Final = "multipart/form-data"
_SWAGGER: Final = "#/definitions/"
# In this order: where PATCH and PUT have one handler, PUT is the alias.
_METHODS: Final = ("get", "post", "patch", "put", "delete")
_PLACE: Final = frozenset({"in", "name", "required", "description"})
_DROPPED: Final = frozenset({"allowEmptyValue", "collectionFormat", "x-example", "x-sample"})


def convert(swagger: Mapping[str, Any], types: Sequence[Any]) -> dict[str, Any]:
    """Return the document in OpenAPI 3.1.

    Args:
        swagger: the Swagger 2.0 document.
        types: the Structs of the bodies and responses. Each type that they refer to becomes a
            component.
    """
    _, native = examples.components(types, TEMPLATE)
    schemas = {name: _schema(one) for name, one in swagger.get("definitions", {}).items()}
    schemas |= {name: _textual(one) for name, one in native.items()}
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {**swagger["info"], "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": swagger.get("basePath", "/")}],
        "security": [{"bearer": []}],
        "paths": _paths(swagger["paths"], swagger.get("definitions", {})),
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


def _paths(found: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Convert every operation. A handler's second path is a deprecated alias."""
    seen: dict[str, int] = {}
    paths: dict[str, Any] = {}
    for path, operations in found.items():
        for method in _METHODS:
            if method not in operations:
                continue
            operation = _operation(operations[method], definitions)
            name = operation["operationId"]
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                operation |= {"operationId": f"{name}_{seen[name]}", "deprecated": True}
            paths.setdefault(path, {})[method] = operation
    return paths


def _operation(given: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("tags", "summary", "description", "operationId", "security")
    operation = {key: given[key] for key in kept if key in given}
    parameters = [
        one for one in given.get("parameters", ()) if one["in"] not in ("body", "formData")
    ]
    operation["parameters"] = [_parameter(one) for one in parameters]
    for one in given.get("parameters", ()):
        if one["in"] == "body":
            body = definitions[one["schema"]["$ref"].removeprefix(_SWAGGER)]
            operation["requestBody"] = {
                "required": True,
                "content": _content(one["schema"], body["example"]),
            }
    if files := [one for one in given.get("parameters", ()) if one["in"] == "formData"]:
        operation["requestBody"] = {"required": True, "content": {FORM: _form(files)}}
    operation["responses"] = {
        status: {
            "description": one["description"],
            **(
                {"content": _content(one["schema"], one["examples"][examples.JSON])}
                if "schema" in one
                else {}
            ),
        }
        for status, one in given["responses"].items()
    }
    return operation


def _form(files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe the files of an HTML form as client generators expect."""
    return {
        "schema": {
            "type": "object",
            "required": [one["name"] for one in files],
            "properties": {
                one["name"]: {
                    "type": "string",
                    "format": "binary",
                    "description": one["description"],
                }
                for one in files
            },
        },
        "example": {one["name"]: "picture.png" for one in files},
    }


def _content(schema: Mapping[str, Any], example: Any) -> dict[str, Any]:
    return {examples.JSON: {"schema": _schema(schema), "example": example}}


def _parameter(given: Mapping[str, Any]) -> dict[str, Any]:
    schema = _schema({key: one for key, one in given.items() if key not in _PLACE | _DROPPED})
    placed = {key: value for key, value in given.items() if key in _PLACE}
    if "x-sample" in given:  # readers see it, Swagger UI does not fill it in
        return {**placed, "schema": schema | {"examples": [given["x-sample"]]}}
    return {**placed, "schema": schema, "example": given["x-example"]}


def _schema(given: Any) -> Any:
    """Translate a Swagger 2.0 schema, and the schemas inside it, to JSON Schema."""
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
        elif key == "example":
            schema["examples"] = [value]
        elif key == "enum" and len(value) == 1:
            schema["const"] = value[0]
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
    # One value of any type is a constant; some generators know only texts and numbers in an enum.
    if isinstance(only := schema.get("enum"), list) and len(only) == 1:
        schema["const"] = schema.pop("enum")[0]
    if schema.get("format") == "decimal":
        schema["type"] = "string"
    return schema
