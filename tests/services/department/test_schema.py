"""The service keeps the promises of its own OpenAPI document, for whatever a caller may send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from schemathesis.specs.openapi.checks import positive_data_acceptance

from services.department.app import create_app
from services.department.config import DepartmentConfig
from services.department.routes import ROUTES
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


@pytest.fixture(scope="module")
def schema(postgres_server, issuer) -> Iterator:
    url = postgres_server.create("department", demo=True)
    config = DepartmentConfig(
        _env_file=None,
        database_url=SecretStr(url),
        db_pool_min=1,
        auth_jwks_url=issuer.url,
        rate_limit_burst=10_000,
    )
    with on_a_thread(served(create_app(config))) as address:
        yield document(address)
    postgres_server.drop(url)


def test_every_route_is_in_the_document(schema) -> None:
    assert set(OPERATIONS) <= documented(schema)
    assert len(OPERATIONS) == 5


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(
    schema, issuer, path, method, mode, full: Full
) -> None:
    def excluded(case, _):
        # A version that is not the present one is valid, and refused with 412 all the same.
        return [positive_data_acceptance] if "If-Match" in case.headers else []

    staff = issuer.authorized("departments:write")
    hold(schema[path][method], mode, staff, examples=full(100, sample=12), excluded=excluded)
