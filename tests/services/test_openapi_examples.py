"""Every field, parameter, body and response has an example, and services accept the examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker

from devstack.settings import Settings
from lib.http.examples import compose
from lib.http.openapi import document, types_of
from tools import specs

PUBLIC = [service.name for service in Settings.read({}).services if service.public]


@pytest.fixture(scope="module", params=PUBLIC)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def found(name: str) -> dict[str, Any]:
    return specs.openapi(name)


def operations(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, verbs in found["paths"].items():
        for verb, one in verbs.items():
            yield f"{verb.upper()} {path}", one


def errors(schema: dict[str, Any], example: Any, found: dict[str, Any]) -> list[str]:
    """Return the errors of an example; null would be refused."""
    whole = {**schema, "components": found["components"]}
    validator = OAS31Validator(whole, format_checker=oas31_format_checker)
    return [error.message for error in validator.iter_errors(example)]


def leaf(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a field's schema to which an example belongs."""
    if "anyOf" in schema:
        return leaf(next(one for one in schema["anyOf"] if one.get("type") != "null"))
    if schema.get("type") == "array" and "examples" not in schema:
        return leaf(schema["items"])
    return schema


def test_an_optional_field_is_in_an_example_only_if_its_schema_says_so():
    fields = {"token": {"example": "t"}, "password": {"example": "p"}, "device": {"example": "d"}}
    schema = {"properties": fields, "required": ["token"]}
    assert compose(schema, {}, whole=False) == {"token": "t"}
    fields["password"]["x-in-example"] = True
    assert compose(schema, {}, whole=False) == {"token": "t", "password": "p"}


def test_every_field_has_an_example_that_its_schema_takes(found):
    checked = 0
    for title, schema in found["components"]["schemas"].items():
        for field, one in schema.get("properties", {}).items():
            part = leaf(one)
            if any(key in part for key in ("$ref", "const", "enum")):
                continue
            assert part.get("examples"), f"{title}.{field} has no example: Meta(examples=[...])"
            assert errors(part, part["examples"][0], found) == [], f"{title}.{field}"
            checked += 1
    assert checked > 15


def test_every_body_and_response_has_an_example_that_its_schema_takes(found):
    for key, one in operations(found):
        contents = [one["requestBody"]] if "requestBody" in one else []
        contents += [answer for answer in one["responses"].values() if "content" in answer]
        assert contents, key
        for content in (each for one in contents for each in one["content"].values()):
            assert errors(content["schema"], content["example"], found) == [], key


def test_every_parameter_has_an_example_that_its_schema_takes(found):
    for key, one in operations(found):
        for parameter in one["parameters"]:
            where = f"{key} {parameter['name']}"
            example = shown(parameter)
            assert example is not None, where
            assert errors(parameter["schema"], example, found) == [], where


def test_no_example_of_a_parameter_that_may_be_left_out_is_filled_in_by_swagger_ui(name, found):
    (service,) = [one for one in Settings.read({}).services if one.name == name]
    older = specs.through_gateway(document(specs.application(name)), service)
    for key, one in (*operations(found), *operations(older)):
        for parameter in one["parameters"]:
            if not parameter["required"]:
                assert not {"example", "x-example"} & parameter.keys(), f"{key} {parameter['name']}"


def shown(parameter: dict[str, Any]) -> Any:
    """Return the example of a parameter in each document."""
    for key in ("example", "x-example", "x-sample"):
        if key in parameter:
            return parameter[key]
    return parameter["schema"]["examples"][0]


def test_the_service_decodes_the_example_of_each_body(name, found):
    kinds = {kind.__name__: kind for kind in types_of(specs.application(name)) if type_(kind)}
    for key, one in operations(found):
        for content in one.get("requestBody", {}).get("content", {}).values():
            if "$ref" not in content["schema"]:
                continue  # a form with a file
            kind = kinds[content["schema"]["$ref"].rpartition("/")[2]]
            raw = msgspec.json.encode(content["example"])
            assert isinstance(msgspec.json.decode(raw, type=kind), kind), key


def type_(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def test_the_swagger_document_has_the_same_examples(name, found):
    (service,) = [one for one in Settings.read({}).services if one.name == name]
    older = specs.through_gateway(document(specs.application(name)), service)
    listed = dict(operations(found))
    for key, one in operations(older):
        modern = listed[key]
        plain = [p for p in one["parameters"] if p["in"] not in {"body", "formData"}]
        assert list(map(shown, plain)) == list(map(shown, modern["parameters"]))
        for status, answer in one["responses"].items():
            if "schema" in answer:
                content = modern["responses"][status]["content"]["application/json"]
                assert answer["examples"] == {"application/json": content["example"]}, key
        for each in one["parameters"]:
            if each["in"] == "body":
                title = each["schema"]["$ref"].rpartition("/")[2]
                content = modern["requestBody"]["content"]["application/json"]
                assert older["definitions"][title]["example"] == content["example"], key
