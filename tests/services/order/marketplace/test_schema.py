"""The marketplace keeps the promises of the OpenAPI document, whatever a caller may send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from schemathesis.specs.openapi.checks import content_type_conformance, positive_data_acceptance

from lib.auth import Role
from services.order.app import create_app
from services.order.config import OrderConfig
from services.order.marketplace.routes import ROUTES
from tests.conftest import Full
from tests.services.documents import (
    MODES,
    document,
    documented,
    hold,
    on_a_thread,
    operations,
    served,
)
from tests.services.order.conftest import CUSTOMER, PROVIDER

OPERATIONS = operations(ROUTES)
# What is well-formed and still no window, no time of a window, or no place on the globe.
RULES = {
    ("/api/v1/service-orders", "POST"),
    ("/api/v1/service-orders", "GET"),
    ("/api/v1/offers", "POST"),
}


@pytest.fixture(scope="module")
def schema(postgres_server, issuer) -> Iterator:
    url = postgres_server.create("order", demo=True)
    config = OrderConfig(
        _env_file=None,
        database_url=SecretStr(url),
        db_pool_min=1,
        auth_jwks_url=issuer.url,
        rate_limit_burst=100_000,
        user_rate_limit=100_000,
    )
    with on_a_thread(served(create_app(config))) as address:
        yield document(address)
    postgres_server.drop(url)


def test_every_route_is_in_the_document(schema) -> None:
    assert set(OPERATIONS) <= documented(schema)
    # The 46 of the design, accepting an offer under its own address, the nearest providers, and
    # saying where I work from.
    assert len(OPERATIONS) == 50


def role_for(path: str, method: str) -> tuple[str, Role]:
    """Return whose request gets past the guards of most routes."""
    if "/providers/me" in path or (path.startswith("/api/v1/offers") and method != "DELETE"):
        return PROVIDER, Role.PROVIDER
    if "/customers/me" in path or (path, method) == ("/api/v1/service-orders", "POST"):
        return CUSTOMER, Role.CUSTOMER
    return PROVIDER, Role.ADMIN


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(
    schema, issuer, path, method, mode, full: Full
) -> None:
    def excluded(case, answer):
        # A version that is not the present one is valid, and refused with 412 all the same.
        if "If-Match" in case.headers or (path, method) in RULES:
            yield positive_data_acceptance
        if answer.status_code == 304:
            yield content_type_conformance  # of nothing

    subject, role = role_for(path, method)
    headers = issuer.authorized(subject=subject, role=role)
    hold(schema[path][method], mode, headers, examples=full(40, sample=5), excluded=excluded)
