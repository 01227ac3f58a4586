"""One suite for every storage: the folder, and the S3 protocol on a real server."""

from __future__ import annotations

import asyncio
import resource
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from devstack.embedded.ports import free_port
from devstack.testing.clock import Clock
from devstack.testing.serving import amazon
from lib.errors import AppError, Code
from lib.ids import new_id
from lib.storage import CloudFrontLinks, LocalStorage, S3Options, S3Storage, Storage, open_s3

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def local_in(folder: Path, clock: Clock[datetime] | None = None) -> LocalStorage:
    return LocalStorage(
        folder, base_url="http://localhost/files", secret=b"s" * 32, clock=clock or Clock(NOW)
    )


@pytest.fixture(scope="module")
def s3_endpoint() -> Any:
    with amazon() as address:
        yield address


def options(endpoint: str, bucket: str = "pictures") -> S3Options:
    return S3Options(bucket, "eu-north-1", "key", "secret", endpoint_url=endpoint)


@pytest.fixture
async def s3(s3_endpoint: str) -> AsyncIterator[S3Storage]:
    bucket = f"pictures-{new_id()}"
    async with open_s3(options(s3_endpoint, bucket)) as storage:
        await storage._client.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
        )
        yield storage


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return local_in(tmp_path)
    found: Storage = request.getfixturevalue("s3")
    return found


async def refused(call: Any) -> Code:
    with pytest.raises(AppError) as error:
        await call
    return error.value.code


async def test_what_was_put_is_what_one_gets(storage: Storage) -> None:
    await storage.put("pfp/a", b"\x00\xff" * 1000, content_type="image/png")
    back = await storage.get("pfp/a")
    assert (back.data, back.content_type) == (b"\x00\xff" * 1000, "image/png")


async def test_a_second_put_replaces_type_and_content(storage: Storage) -> None:
    await storage.put("pfp/b", b"one", content_type="image/png")
    await storage.put("pfp/b", b"two", content_type="image/jpeg")
    back = await storage.get("pfp/b")
    assert (back.data, back.content_type) == (b"two", "image/jpeg")


async def test_what_is_not_there_is_not_found_and_deleting_it_is_no_error(storage: Storage) -> None:
    await storage.put("pfp/c", b"x", content_type="image/png")
    await storage.delete("pfp/c")
    await storage.delete("pfp/c")
    assert await refused(storage.get("pfp/c")) is Code.NOT_FOUND


async def test_a_key_that_could_leave_its_place_is_refused(
    storage: Storage, subtests: pytest.Subtests
) -> None:
    for key in (
        "", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a b", "ä", "a\r", "a\n",
        "x" * 501, "a?b", "a%2e",
    ):  # fmt: skip
        for call in (
            storage.get(key),
            storage.delete(key),
            storage.put(key, b"", content_type="x"),
        ):
            with (
                subtests.test(key=key, call=call.__name__),
                pytest.raises(ValueError, match="not a storage key"),
            ):
                await call


async def test_readers_see_the_old_or_the_new_object_never_a_part(tmp_path: Path) -> None:
    storage = local_in(tmp_path)
    versions = [bytes([number]) * 200_000 for number in range(20)]
    await storage.put("a", versions[0], content_type="x")

    async def write() -> None:
        for version in versions:
            await storage.put("a", version, content_type="x")

    writing = asyncio.create_task(write())
    while not writing.done():
        assert (await storage.get("a")).data in versions
    assert {path.name for path in tmp_path.iterdir()} == {"a"}


async def test_files_are_for_their_owner(tmp_path: Path) -> None:
    await local_in(tmp_path).put("pfp/a", b"x", content_type="image/png")
    assert stat.S_IMODE((tmp_path / "pfp" / "a").stat().st_mode) == 0o600


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "pfp").write_text("a file where a folder should be")
    storage = local_in(tmp_path)
    assert await refused(storage.put("pfp/a", b"", content_type="x")) is Code.SERVICE_UNAVAILABLE


async def test_a_link_to_the_folder_ends_and_opens_one_object_only(tmp_path: Path) -> None:
    clock = Clock(NOW)
    storage = local_in(tmp_path, clock)
    url = urlsplit(await storage.link("pfp/a", ttl=timedelta(hours=24)))
    assert url.path == "/files/pfp/a"
    given = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert storage.is_valid_link("pfp/a", **given)
    assert not storage.is_valid_link("pfp/b", **given)
    later = str(int(given["expires"]) + 1)
    assert not storage.is_valid_link("pfp/a", expires=later, signature=given["signature"])
    for expires in ("", "x", "-1", "9" * 5000, "٣"):
        assert not storage.is_valid_link("pfp/a", expires=expires, signature=given["signature"])
    assert not storage.is_valid_link("pfp/a", expires=given["expires"], signature="é")
    clock.now = NOW + timedelta(hours=24)
    assert not storage.is_valid_link("pfp/a", **given)


async def test_a_link_to_s3_opens_the_object(s3: S3Storage) -> None:
    await s3.put("pfp/linked", b"picture", content_type="image/png")
    url = await s3.link("pfp/linked", ttl=timedelta(minutes=5))
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert await answer.read() == b"picture"


async def test_s3_answers_its_ping_and_a_missing_bucket_does_not(s3: S3Storage) -> None:
    await s3.ping()
    assert await refused(S3Storage(s3._client, "nowhere").ping()) is not None


async def test_an_absent_s3_is_unavailable_within_its_time() -> None:
    away = S3Options(
        "b", "eu-north-1", "k", "s", f"http://127.0.0.1:{free_port()}", 0.2, 0.2, attempts=1
    )
    async with open_s3(away) as storage, asyncio.timeout(60):
        assert await refused(storage.get("a")) is Code.SERVICE_UNAVAILABLE
    assert "secret" not in repr(options("x"))


async def test_a_cloudfront_link_is_signed_for_its_object_and_end() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    links = CloudFrontLinks(
        "https://cdn.example.com/", key_pair_id="K1", private_key_pem=pem, clock=Clock(NOW)
    )
    url = await links.link("pfp/a", ttl=timedelta(hours=24))
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
    ends = int((NOW + timedelta(hours=24)).timestamp())
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://cdn.example.com/pfp/a"
    assert (query["Expires"], query["Key-Pair-Id"]) == ([str(ends)], ["K1"])
    policy = (
        '{"Statement":[{"Resource":"https://cdn.example.com/pfp/a",'
        f'"Condition":{{"DateLessThan":{{"AWS:EpochTime":{ends}}}}}}}]}}'
    )
    signature = _unescaped(query["Signature"][0])
    key.public_key().verify(signature, policy.encode(), padding.PKCS1v15(), hashes.SHA1())


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"no key",
        ed25519.Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    ],
)
def test_a_cloudfront_key_that_is_none_is_said_to_be_so(pem: bytes) -> None:
    with pytest.raises(ValueError, match="the CloudFront key is not"):
        CloudFrontLinks("https://cdn.example.com", key_pair_id="K1", private_key_pem=pem)


def _unescaped(text: str) -> bytes:
    """Decode CloudFront's base64, which replaces three characters that are not safe in a URL."""
    import base64

    return base64.b64decode(text.replace("-", "+").replace("_", "=").replace("~", "/"))


def test_without_a_bucket_the_sdk_is_not_imported() -> None:
    code = "import sys, lib.storage.settings; print([*sys.modules])"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert b"'lib.storage.s3'" in names
    assert b"botocore" not in names


async def test_where_there_is_no_more_room_nothing_is_left_of_a_file(tmp_path: Path) -> None:
    storage, room = local_in(tmp_path), 1024 * 1024
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(AppError) as caught:
            await storage.put("pfp/a", b"x" * 2 * room, content_type="image/png")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.code is Code.SERVICE_UNAVAILABLE
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
