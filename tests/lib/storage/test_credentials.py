"""Without keys of its own, the storage uses the credentials of the process's role."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web

from devstack.testing.serving import amazon
from lib.config import ConfigError, load
from lib.errors import AppError, Code
from lib.storage import S3Options, open_s3
from lib.storage.settings import StorageSettings

ROLE = "arn:aws:iam::123456789012:role/pictures"
TOKEN = "a-token-of-the-role"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with amazon() as address:
        yield address


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the machine's own credentials: keys, profiles and the metadata service."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "S3_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)  # where no .env is


async def _signed_by(endpoint: str) -> Mapping[str, str]:
    """Write and read an object; return the signer that a link to it names."""
    async with open_s3(S3Options("pictures", "us-east-1", endpoint_url=endpoint)) as storage:
        await storage._client.create_bucket(Bucket="pictures")
        await storage.put("pfp/a", b"picture", content_type="image/png")
        assert (await storage.get("pfp/a")).data == b"picture"
        link = await storage.link("pfp/a", ttl=timedelta(minutes=5))
    async with aiohttp.ClientSession() as http, http.get(link) as answer:
        assert (answer.status, await answer.read()) == (200, b"picture")
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


async def test_the_role_of_a_pod_is_taken_with_its_web_identity(
    aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    identity = tmp_path / "token"
    identity.write_text("of-the-pod")
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(identity))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", aws)
    said = await _signed_by(aws)
    assert said["X-Amz-Credential"].startswith("ASIA")  # a key that ends, from STS
    assert said["X-Amz-Security-Token"]


async def test_the_role_of_a_task_is_asked_for_where_the_container_says(
    aws: str, monkeypatch: pytest.MonkeyPatch, aiohttp_server
) -> None:
    async def credentials(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "secret-of-the-task"
        ends = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return web.json_response(
            {"AccessKeyId": "ASIAOFTHETASK", "SecretAccessKey": "x", "Token": TOKEN,
             "Expiration": ends}
        )  # fmt: skip

    app = web.Application()
    app.router.add_get("/v2/credentials", credentials)
    server = await aiohttp_server(app)
    monkeypatch.setenv(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI", str(server.make_url("/v2/credentials"))
    )
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret-of-the-task")
    said = await _signed_by(aws)
    assert said["X-Amz-Credential"].startswith("ASIAOFTHETASK/")
    assert said["X-Amz-Security-Token"] == TOKEN


async def test_where_nobody_gives_keys_the_storage_is_unavailable(aws: str) -> None:
    async with open_s3(S3Options("pictures", "us-east-1", endpoint_url=aws)) as storage:
        for call in (storage.ping(), storage.link("pfp/a", ttl=timedelta(minutes=5))):
            with pytest.raises(AppError) as refused:
                await call
            assert refused.value.code is Code.SERVICE_UNAVAILABLE


def test_a_bucket_needs_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY"):
        monkeypatch.setenv(name, "")  # as a deployment says that there are none
    monkeypatch.setenv("S3_BUCKET", "pictures")
    options = load(StorageSettings)._s3()
    assert (options.access_key, options.secret_key) == (None, None)


@pytest.mark.parametrize("name", ["S3_ACCESS_KEY", "S3_SECRET_KEY"])
def test_one_key_without_the_other_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_BUCKET", "pictures")
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigError, match="both S3_ACCESS_KEY and S3_SECRET_KEY, or neither"):
        load(StorageSettings)
