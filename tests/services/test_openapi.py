"""The OpenAPI 3.1 documents are valid, and have facts that Swagger 2.0 cannot express."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from devstack.settings import Settings
from lib.http.openapi import app_openapi, document
from tools import specs

PUBLIC = [service.name for service in Settings.read({}).services if service.public]
ALIASES = {
    "order": {("put", "/orders/{id}")},
    "user": {
        ("post", "/auth/resend-confirmation"), ("patch", "/me/change-password"),
        ("put", "/users/{id}"), ("get", "/profile/{id}"), ("patch", "/users/{id}/pfp"),
        ("get", "/user/{id}"), ("delete", "/user/{id}"), ("patch", "/user/{id}"),
        ("patch", "/user/{id}/pfp"), ("patch", "/user/me/change-password"),
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=PUBLIC)
def named(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param, specs.openapi(request.param)


def operations(found: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (verb, path): one for path, verbs in found["paths"].items() for verb, one in verbs.items()
    }


def test_a_document_is_valid_openapi_3_1(named):
    found = named[1]
    assert found["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []


def test_a_document_has_every_operation_of_the_swagger_document(named):
    name, found = named
    (service,) = [one for one in Settings.read({}).services if one.name == name]
    older = specs.through_gateway(document(specs.application(name)), service)
    assert operations(found).keys() == operations(older).keys()


def test_bearer_tokens_have_the_scheme_of_http(named):
    scheme = named[1]["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_aliases_are_deprecated_and_every_operation_has_a_name_of_its_own(named):
    name, found = named
    listed = operations(found)
    assert {key for key, one in listed.items() if one.get("deprecated")} == ALIASES.get(name, set())
    assert len({one["operationId"] for one in listed.values()}) == len(listed)


def test_decimals_are_texts_and_null_is_a_type():
    text = msgspec.json.encode(specs.openapi("product")).decode()
    assert '"format":"decimal"' in text
    assert "x-nullable" not in text
    assert "#/definitions/" not in text


@pytest.mark.parametrize("name", PUBLIC)
def test_a_service_makes_the_document_that_it_serves(name):
    found = app_openapi(specs.application(name))
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []
    assert found["paths"]


def test_the_page_of_a_list_with_cursors_has_no_default(named):
    # A generated client would send it, and a page is refused beside a cursor.
    for one in operations(named[1]).values():
        by_name = {part["name"]: part for part in one.get("parameters", ()) if "name" in part}
        if "cursor" in by_name:
            assert "default" not in by_name["page"]["schema"]
