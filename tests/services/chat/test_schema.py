"""The service keeps the promises of its own OpenAPI document, for whatever a caller may send."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from lib.auth import Role
from services.chat.app import create_app
from services.chat.routes import ROUTES
from tests.conftest import Full
from tests.services.chat.conftest import config_for
from tests.services.chat.talking import CUSTOMER, ORDER, PROVIDER
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
CHANNEL = "01890000-0000-7000-8000-00000000ca11"


@pytest.fixture(scope="module")
def schema(postgres_server, redis_server, issuer) -> Iterator:
    url = postgres_server.create("chat")
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO channel (id, kind, subject_id, customer_id, provider_id)"
            " VALUES (%s, 'order', %s, %s, %s)",
            (CHANNEL, ORDER, CUSTOMER, PROVIDER),
        )
        for user in (CUSTOMER, PROVIDER):
            connection.execute(
                "INSERT INTO member (channel_id, user_id) VALUES (%s, %s)", (CHANNEL, user)
            )
    redis_url = f"{redis_server.url.rpartition('/')[0]}/10"
    with on_a_thread(served(create_app(config_for(url, issuer, redis_url)))) as address:
        yield document(address)
    postgres_server.drop(url)


def test_every_route_is_in_the_document(schema) -> None:
    assert set(OPERATIONS) <= documented(schema)
    assert len(OPERATIONS) == 5
    sent = schema.raw_schema["paths"]["/api/v1/channels/{id}/messages"]["post"]
    assert {"200", "201"} <= set(sent["responses"])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(
    schema, issuer, path, method, own, mode, full: Full
) -> None:
    def put_right(case):
        if own and "id" in case.path_parameters:
            case.path_parameters["id"] = CHANNEL

    def excluded(*_):
        # What is valid may still be about no message, or a client id that was used before; and
        # where the path is put right here, what was wrong with the case may have been that.
        return [positive_data_acceptance, *([negative_data_rejection] if own else [])]

    headers = issuer.authorized(subject=CUSTOMER, role=Role.CUSTOMER)
    examples = full(40, sample=5)
    operation = schema[path][method]
    hold(operation, mode, headers, examples=examples, excluded=excluded, prepare=put_right)
