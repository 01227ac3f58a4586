"""The service keeps the promises of its own OpenAPI document, for whatever a caller may send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from schemathesis.specs.openapi.checks import content_type_conformance, positive_data_acceptance

from lib.auth import Role
from services.catalog.app import create_app
from services.catalog.routes import ROUTES
from tests.conftest import Full
from tests.services.catalog.conftest import PROVIDER, config_for
from tests.services.documents import (
    MODES,
    document,
    documented,
    hold,
    on_a_thread,
    operations,
    served,
)

OPERATIONS = operations(ROUTES)


@pytest.fixture(scope="module")
def schema(postgres_server, redis_server, issuer) -> Iterator:
    url = postgres_server.create("catalog", demo=True)
    redis_url = f"{redis_server.url.rpartition('/')[0]}/8"
    with on_a_thread(served(create_app(config_for(url, issuer, redis_url)))) as address:
        yield document(address)
    postgres_server.drop(url)


def test_every_route_is_in_the_document(schema) -> None:
    assert set(OPERATIONS) <= documented(schema)
    assert len(OPERATIONS) == 33
    for owner in ("me", "{provider_id}"):
        taken_up = schema.raw_schema["paths"][f"/api/v1/providers/{owner}/services"]["post"]
        assert {"200", "201"} <= set(taken_up["responses"])


def excluded(case, answer):
    # A version that is not the present one is valid, and refused with 412 all the same.
    if "If-Match" in case.headers:
        yield positive_data_acceptance
    if answer.status_code == 304:
        yield content_type_conformance  # of nothing


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(
    schema, issuer, path, method, mode, full: Full
) -> None:
    role = Role.PROVIDER if "/me/" in path else Role.ADMIN
    headers = issuer.authorized(subject=PROVIDER, role=role)
    hold(schema[path][method], mode, headers, examples=full(40, sample=5), excluded=excluded)
