"""The service keeps the promises of its own OpenAPI document, for whatever a caller may send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from schemathesis.specs.openapi.checks import positive_data_acceptance

from lib.auth import Role
from services.product.app import create_app
from services.product.config import ProductConfig
from services.product.routes import ROUTES
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

OPERATIONS = operations(ROUTES)
# What these refuse depends on what there is, not on what is said: a version, a stock, a step.
BY_STATE = {"If-Match", "Idempotency-Key"}


@pytest.fixture(scope="module")
def schema(postgres_server, issuer) -> Iterator:
    url = postgres_server.create("product", demo=True)
    config = ProductConfig(
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
    assert len(OPERATIONS) == 11


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(
    schema, issuer, path, method, mode, full: Full
) -> None:
    def excluded(case, _):
        reserves = path == "/api/v1/reservations"
        by_state = method in {"PATCH", "DELETE"} or reserves or BY_STATE & {*case.headers}
        return [positive_data_acceptance] if by_state else []

    staff = issuer.authorized(subject="clerk", role=Role.STAFF)
    hold(schema[path][method], mode, staff, examples=full(60, sample=8), excluded=excluded)
