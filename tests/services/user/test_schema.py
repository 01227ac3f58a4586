"""The service's responses match its own OpenAPI document, for all requests."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pytest
import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from codegen.tests.documents import read_yaml
from devstack.testing.auth import SUBJECT
from devstack.testing.postgres import TestPostgres
from lib.auth import Role
from services.user.service.roles import BUILT_IN
from tests.conftest import Full
from tests.services.documents import MODES, Check, hold, on_a_thread
from tests.services.running import ISSUER, running_point, running_user

# Asks in the name of an administrator: what is refused is refused for what was sent.
ADMIN = ISSUER.authorized(*BUILT_IN, subject=SUBJECT, role=Role.ADMIN)
# What may be open to everyone: anything else that is marked so was marked by mistake.
OPEN = ("auth/", "profile/{id}", "profiles/{id}", "files/pfp/")


@pytest.fixture(scope="module")
def base(postgres_server: TestPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service in a loop in its own thread, because the library sends requests from this one."""
    user = postgres_server.create("user", demo=True)
    point = postgres_server.create("point", demo=True)
    with psycopg.connect(user) as connection:
        connection.execute(
            "INSERT INTO account (id, email, first_name, last_name, role, verified, password_hash)"
            " VALUES (%s, 'root@example.com', 'Root', '', 'ADMIN', true, 'none')",
            (SUBJECT,),
        )
    mails = tmp_path_factory.mktemp("mails")

    @asynccontextmanager
    async def served() -> AsyncIterator[str]:
        async with (
            running_point(point) as points,
            running_user(
                user,
                points.grpc_address,
                mail_folder=mails,
                files_folder=mails,
                rate_limit_burst=100_000,
                user_rate_limit=100_000,
                # What is asked here is what the answers are, not how soon: a busy machine may take
                # its time, and what is given up then is a 504, which is a fault anywhere else.
                request_seconds=60,
            ) as address,
        ):
            yield address

    with on_a_thread(served()) as address:
        yield address


@pytest.fixture(scope="module")
def schema(base: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{base}/docs/swagger.json")


def operations() -> list[tuple[str, str]]:
    """Return every path and method of the committed document."""
    kept = Path(__file__).parents[3] / "api" / "swagger" / "user.swagger.yaml"
    # The kept document is the public one; this is asked for between services.
    paths = read_yaml(kept)["paths"] | {"/auth/token": {"post": {}}}
    return [
        (f"/api/v1{path}", method.upper())
        for path, methods in paths.items()
        for method in methods
        if method in ("get", "put", "post", "delete", "patch")
    ]


def checks(answer: requests.Response) -> list[Check]:
    of_content = [content_type_conformance, response_schema_conformance]
    return [status_code_conformance, *(of_content if answer.content else [])]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("path", "method"), operations())
def test_answers_keep_to_the_document(
    schema: schemathesis.BaseSchema, path: str, method: str, mode: GenerationMode, full: Full
) -> None:
    hold(schema[path][method], mode, ADMIN, examples=full(40, sample=5), checks=checks)


@pytest.mark.parametrize(("path", "method"), operations())
def test_what_the_document_closes_is_closed(
    base: str, schema: schemathesis.BaseSchema, path: str, method: str
) -> None:
    operation = schema[path][method]
    if operation.definition.raw.get("security") == []:
        assert path.removeprefix("/api/v1/").startswith(OPEN)
        return
    filled = re.sub(r"{.*?}", SUBJECT, path)
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(base + filled, method=method), timeout=30)
    with refused.value as answer:
        assert (answer.code, json.load(answer)["error"]["code"]) == (401, "UNAUTHORIZED")


def test_an_upload_is_a_form_with_one_file_in_both_documents() -> None:
    root = Path(__file__).parents[3] / "api"
    swagger = read_yaml(root / "swagger/user.swagger.yaml")
    openapi = read_yaml(root / "openapi/user.openapi.yaml")
    upload = swagger["paths"]["/users/{id}/picture"]["put"]
    assert upload["consumes"] == ["multipart/form-data"]
    assert [
        (one["name"], one["type"]) for one in upload["parameters"] if one["in"] == "formData"
    ] == [("image", "file")]
    form = openapi["paths"]["/users/{id}/picture"]["put"]["requestBody"]["content"]
    assert form["multipart/form-data"]["schema"]["properties"]["image"]["format"] == "binary"
    assert form["multipart/form-data"]["example"] == {"image": "picture.png"}
