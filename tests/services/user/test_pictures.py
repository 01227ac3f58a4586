"""Pictures: accepted files, access, and no unused file after any failure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import pytest
from aiobotocore.session import get_session

from devstack.testing.serving import amazon
from devstack.testing.wait import eventually
from lib.auth import Role
from lib.errors import AppError, Code
from lib.storage import S3Options, open_s3
from services.user.images import redraw
from services.user.service import pictures
from tests.lib.storage.distribution import forgotten, new_distribution
from tests.services.calling import by_hand
from tests.services.user.cast import actor
from tests.services.user.drawings import picture
from tests.services.user.world import running_world

ME = "/api/v1/users/me"
PNG = picture("PNG")
JPEG = picture("JPEG")
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def cleared_away_soon(monkeypatch) -> None:
    """Before a service starts, make it look for files to remove more than once a second."""
    monkeypatch.setattr(pictures, "_IDLE_SECONDS", 0.1)


@pytest.fixture
def settings(tmp_path):
    return {"files_folder": tmp_path / "files"}


def form(*parts: tuple[str, bytes], kind: str = "image/png") -> aiohttp.FormData:
    """Return a form of files."""
    made = aiohttp.FormData(default_to_multipart=True)
    for name, data in parts:
        made.add_field(name, data, filename="me.png", content_type=kind)
    return made


def stored(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("data", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg")])
async def test_a_picture_is_seen_by_its_link_as_what_it_is(world, data, kind) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    # What the sender calls it does not matter.
    answer = await ann.call("PUT", f"{ME}/picture", data=form(("image", data), kind="text/html"))
    assert answer.status == 204, answer.body
    link = urlsplit((await ann.me())["picture_url"])
    path = link.path.removeprefix("/api/users/v1")
    async with world.http.get(f"/api/v1{path}?{link.query}") as shown:
        assert (shown.status, shown.content_type, await shown.read()) == (
            200,
            kind,
            redraw(data).data,
        )
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in shown.headers["Content-Security-Policy"]
    for query in (
        "",
        "expires=99999999999&signature=00",
        link.query.replace("expires=1", "expires=2"),
    ):
        async with world.http.get(f"/api/v1{path}?{query}") as refused:
            assert refused.status == 404
    profile = await world.call("GET", f"/api/v1/profiles/{ann.id}")
    assert "/pfp/" in profile.data["picture_url"]


async def test_what_a_form_may_hold(world, subtests) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    for parts, status, message in [
        ([], 400, "no file provided"),
        ([("image", b"")], 400, "no file provided"),
        ([("image", PNG), ("image", PNG)], 400, "too many files"),
        ([("file", PNG)], 400, "the form must have exactly one field, image"),
        ([("image", b"GIF89a" + b"x" * 99)], 400, "must be a JPEG or a PNG"),
        ([("image", b"<svg onload=alert(1)>")], 400, "must be a JPEG or a PNG"),
        ([("image", PNG + b"x" * MIB)], 413, "a picture can have at most 1 MiB"),
        ([("image", PNG + b"x" * 9 * MIB)], 413, "a picture can have at most 1 MiB"),
        ([("image", PNG.ljust(MIB, b"x"))], 204, None),
    ]:
        with subtests.test(parts=parts):
            # An empty form has no parts: the library would not send one.
            body = (
                form(*parts)
                if parts
                else aiohttp.FormData({"note": "x"}, default_to_multipart=True)
            )
            answer = await ann.call("PATCH", f"{ME}/pfp", data=body)
            assert answer.status == status, answer.body
            if message and parts:
                details = answer.body["error"].get("details", [{"message": answer.message}])
                assert details[0]["message"] == message
            shown = "picture_url" in await ann.me()
            assert shown is (status == 204)


async def test_a_form_without_end_is_refused_at_the_limit(world) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    sent = 0

    async def endless():
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + PNG
        while sent < 64 * MIB:
            sent += MIB // 4
            yield b"x" * (MIB // 4)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    try:
        answer = await ann.call("PUT", f"{ME}/picture", data=endless(), headers=headers)
    except aiohttp.ClientError:
        pass  # hung up on, which also is a refusal
    else:
        assert answer.status == 413
    assert sent < 32 * MIB
    assert "picture_url" not in await ann.me()


async def test_what_is_no_form_is_refused(world, subtests) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    for headers, body, status in (
        ({"Content-Type": "image/png"}, PNG, 415),
        ({}, b"", 415),
        ({"Content-Type": "multipart/form-data"}, PNG, 400),
        ({"Content-Type": "multipart/form-data; boundary=b"}, b"nothing of that kind", 400),
        ({"Content-Type": "multipart/form-data; boundary=b"}, b"--b\r\nbroken\r\n", 400),
    ):
        with subtests.test(headers=headers, body=body):
            answer = await ann.call("PUT", f"{ME}/picture", data=body, headers=headers)
            assert answer.status == status, answer.body


async def test_only_the_last_picture_is_kept_and_none_of_a_deleted_account(world, tmp_path) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    for data in (PNG, JPEG, PNG):
        assert (await ann.call("PUT", f"{ME}/picture", data=form(("image", data)))).status == 204
    folder = tmp_path / "files"
    await eventually(lambda: len(stored(folder)) == 1)
    key = await world.db.fetchval("SELECT picture_key FROM account WHERE id = $1", ann.id)
    assert stored(folder) == [key]
    assert (await ann.call("DELETE", f"{ME}/picture")).status == 204
    await eventually(lambda: stored(folder) == [])
    assert "picture_url" not in await ann.me()
    assert (await ann.call("DELETE", f"{ME}/picture")).status == 204
    await ann.call("PUT", f"{ME}/picture", data=form(("image", PNG)))
    assert (await ann.call("DELETE", ME)).status == 204
    await eventually(lambda: stored(folder) == [])


async def test_somebody_elses_picture_is_for_those_who_look_after_accounts(world) -> None:
    ann, bob = await actor(world, Role.CUSTOMER, "ann"), await actor(world, Role.CUSTOMER, "bob")
    moderator = await actor(world, Role.MODERATOR)
    path = f"{bob.path}/picture"
    assert (await ann.call("PUT", path, data=form(("image", PNG)))).status == 403
    assert (await moderator.call("PUT", path, data=form(("image", PNG)))).status == 204
    stale = await moderator.call("DELETE", path, headers={"If-Match": '"1"'})
    assert stale.status == 412


async def test_of_several_uploads_of_one_version_one_is_shown_and_no_other_kept(
    world, tmp_path
) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    tag = {"If-Match": '"1"'}
    answers = await asyncio.gather(
        *(
            ann.call("PUT", f"{ME}/picture", data=form(("image", PNG)), headers=tag)
            for _ in range(5)
        )
    )
    shown, *others = sorted(answer.status for answer in answers)
    assert shown == 204
    assert set(others) <= {412, 429}  # too late, or while another of theirs was drawn
    # Those that lost wait for an hour, in case their upload was still under way; now it is over.
    await world.db.execute("UPDATE file_to_remove SET due_at = now()")
    await eventually(lambda: len(stored(tmp_path / "files")) == 1)


class Broken:
    """A storage that is unavailable."""

    async def put(self, key: str, data: bytes, *, content_type: str) -> None:
        raise AppError(Code.SERVICE_UNAVAILABLE, "the file storage is not available")

    async def delete(self, key: str) -> None:
        raise AppError(Code.SERVICE_UNAVAILABLE, "the file storage is not available")


async def test_s3_away_changes_nothing_and_what_is_to_go_waits_for_it(
    new_database, tmp_path
) -> None:
    aws = ExitStack()
    address = aws.enter_context(amazon())
    # A name of its own: what plays S3 keeps its buckets for the whole process.
    bucket = f"pictures-{uuid4().hex}"
    options = S3Options(bucket, "us-east-1", "k", "s", endpoint_url=address)
    settings = {
        "s3_bucket": options.bucket, "s3_access_key": "k", "s3_secret_key": "s",
        "s3_endpoint_url": options.endpoint_url, "s3_seconds": 30,
    }  # fmt: skip
    url = await new_database("user")
    async with open_s3(options) as s3:
        await s3._client.create_bucket(Bucket=options.bucket)

        async def keys() -> list[str]:
            listed = await s3._client.list_objects_v2(Bucket=options.bucket)
            return [found["Key"] for found in listed.get("Contents", ())]

        async with running_world(url, tmp_path, **settings) as world:
            ann = await actor(world, Role.CUSTOMER, "ann")
            put = await ann.call("PUT", f"{ME}/picture", data=form(("image", PNG)))
            assert put.status == 204, put.body
            link = (await ann.me())["picture_url"]
            async with aiohttp.ClientSession() as plain, plain.get(link) as shown:
                assert (shown.status, await shown.read()) == (200, redraw(PNG).data)
            (first,) = await keys()
            aws.close()
            refused = await ann.call("PUT", f"{ME}/picture", data=form(("image", JPEG)))
            assert (refused.status, refused.code) == (503, "SERVICE_UNAVAILABLE")
            me = await ann.me()
            assert first in me["picture_url"]
            assert me["version"] == 2
            # The account goes at once; its picture when the storage is back.
            assert (await ann.call("DELETE", ME)).status == 204
            waiting = await world.db.fetchval("SELECT count(*) FROM file_to_remove")
            assert waiting == 2


async def test_a_removal_that_fails_is_tried_again(new_database, tmp_path) -> None:
    url = await new_database("user")
    async with running_world(url, tmp_path, files_folder=tmp_path / "files") as world:
        ann = await actor(world, Role.CUSTOMER, "ann")
        await ann.call("PUT", f"{ME}/picture", data=form(("image", PNG)))
    async with by_hand(url) as db:
        await db.execute("INSERT INTO file_to_remove (key, due_at) VALUES ('pfp/a', now())")
        with pytest.raises(AppError):
            await pictures.clear_away(db, Broken())
        assert await pictures.clear_away(db, Broken()) is False  # not before a minute has passed
        assert await db.fetchval("SELECT count(*) FROM file_to_remove") == 1


@pytest.fixture
def address() -> Iterator[str]:
    """The address of the server that simulates Amazon's services."""
    with amazon() as address:
        yield address


async def test_cloudfront_forgets_a_picture_that_was_replaced_or_removed(
    new_database, tmp_path, address
) -> None:
    given = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "endpoint_url": address}
    session = get_session()
    async with (
        session.create_client("s3", region_name="us-east-1", **given) as s3,
        session.create_client("cloudfront", region_name="us-east-1", **given) as cdn,
    ):
        await s3.create_bucket(Bucket="shown")
        distribution = await new_distribution(cdn)
        settings = {
            "s3_bucket": "shown", "s3_access_key": "k", "s3_secret_key": "s",
            "s3_endpoint_url": address, "cloudfront_endpoint_url": address,
            "cloudfront_distribution_id": distribution,
        }  # fmt: skip
        async with running_world(await new_database("user"), tmp_path, **settings) as world:
            ann = await actor(world, Role.CUSTOMER, "ann")
            for data in (PNG, JPEG):
                put = await ann.call("PUT", f"{ME}/picture", data=form(("image", data)))
                assert put.status == 204, put.body
            assert (await ann.call("DELETE", f"{ME}/picture")).status == 204

            async def both_are_forgotten() -> bool:
                return len(await forgotten(cdn, distribution)) == 2

            await eventually(both_are_forgotten)
        batches = await forgotten(cdn, distribution)
        paths = {item for batch in batches for item in batch["Paths"]["Items"]}
        assert len(paths) == 2
        assert all(path.startswith("/pfp/") for path in paths)
        assert "Contents" not in await s3.list_objects_v2(Bucket="shown")
