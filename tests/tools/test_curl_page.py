"""Pages of cURL commands have every operation, and no value that only one caller could use."""

from __future__ import annotations

import re

import pytest

from devstack.settings import Settings
from tools import curl_page, specs

PUBLIC = [service.name for service in Settings.read({}).services if service.public]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_page_has_a_command_for_every_operation(name):
    document = specs.openapi(name)
    listed = {one["operationId"] for verbs in document["paths"].values() for one in verbs.values()}
    assert (
        set(
            re.findall(r"\(`(\w+)`\)\. The response has the status", curl_page.page(name, document))
        )
        == listed
    )


def operation(**more: object) -> dict[str, object]:
    return {"operationId": "change", "parameters": [], "responses": {"200": {}}, **more}


def test_ids_times_and_addresses_of_a_body_are_variables():
    example = {
        "city_id": "01890000-0000-7000-8000-0000000000aa", "time_start": "2026-01-31T12:00:00Z",
        "email": "ada@example.com", "credential": {"id": "AQIDBA"}, "lines": [{"quantity": 1}],
    }  # fmt: skip
    body = {"content": {"application/json": {"example": example}}}
    text = curl_page.command("POST", "/api/x", operation(requestBody=body))
    assert text.splitlines()[-2] == (
        '{"city_id": "$CITY_ID", "time_start": "$TIME_START", "email": "$EMAIL", '
        '"credential": $CREDENTIAL, "lines": [{"quantity": 1}]}'
    )


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/x/cities/{id}", "cities/$CITY_ID"),
        ("/api/x/boxes/{id}", "boxes/$BOX_ID"),
        ("/api/x/service-orders/{id}/offers", "service-orders/$SERVICE_ORDER_ID/offers"),
        ("/api/x/providers/{provider_id}/services", "providers/$PROVIDER_ID/services"),
        ("/api/x/roles/{name}", "roles/$ROLE_NAME"),
    ],
)
def test_a_variable_of_the_path_is_named_like_the_resource(path, shown):
    assert f'$GATEWAY/api/x/{shown}"' in curl_page.command("GET", path, operation())


def test_a_public_operation_sends_no_token_and_one_that_wants_a_version_sends_it():
    assert "Bearer $TOKEN" in curl_page.command("GET", "/x", operation())
    assert "Bearer $TOKEN" not in curl_page.command("GET", "/x", operation(security=[]))
    needs = operation(responses={"200": {}, "428": {}})
    assert '-H "If-Match: $ETAG"' in curl_page.command("PATCH", "/x", needs)


def test_a_query_has_what_is_required():
    parameters = [
        {"in": "query", "name": "longitude", "required": True, "example": 13.4},
        {"in": "query", "name": "page", "required": False, "example": 1},
    ]
    text = curl_page.command("GET", "/x", operation(parameters=parameters))
    assert '"$GATEWAY/x?longitude=13.4"' in text
