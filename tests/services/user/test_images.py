"""Pictures reveal neither place nor author, and cannot exhaust the memory."""

from __future__ import annotations

import asyncio
import io
import random
import resource
import time
import tracemalloc
from contextlib import suppress

import pytest
from PIL import Image

from lib.auth import Role
from lib.errors import AppError, Code
from services.user.images import MAX_PIXELS, MAX_SCANS, SIDE, Images, redraw
from tests.services.user.cast import actor
from tests.services.user.drawings import (
    CAMERA,
    bomb,
    picture,
    scanned,
    several,
    with_chunks,
    with_place,
)
from tests.services.user.test_pictures import form
from tests.services.user.world import running_world

KINDS = ("JPEG", "PNG")


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("kind", KINDS)
async def test_no_picture_says_where_and_by_whom_it_was_taken(new_database, tmp_path, kind) -> None:
    given = with_place(kind)
    assert CAMERA.encode() in given
    assert opened(given).getexif()
    folder = tmp_path / "files"
    async with running_world(
        await new_database("user"), tmp_path / "mails", files_folder=folder
    ) as world:
        ann = await actor(world, Role.CUSTOMER, "ann")
        put = await ann.call("PUT", "/api/v1/users/me/picture", data=form(("image", given)))
        assert put.status == 204, put.body
    (kept,) = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    shown = opened(kept.partition(b"\n")[2])  # below the line that says what it is
    assert (shown.format, shown.size) == (kind, (40, 20))
    assert not shown.getexif()
    assert not shown.info.keys() & {"exif", "comment", "xmp", "icc_profile", "Comment"}
    for tag in (CAMERA.encode(), b"Exif", b"GPS", b"adobe", b"eXIf", b"tEXt", b"iTXt", b"iCCP"):
        assert tag not in kept


@pytest.mark.parametrize(
    "data",
    [bomb(30_000, 30_000), bomb(65_000, 65_000), bomb(2**31 - 1, 2**31 - 1), bomb(4_001, 4_000)],
    ids=["900-million", "4-billion", "most-there-can-be", "one-row-more"],
)
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(data: bytes) -> None:
    assert len(data) < 1000
    tracemalloc.start()
    with pytest.raises(AppError) as refused:
        redraw(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "pixels" in str(refused.value.details)
    assert most < 1_000_000


def test_a_picture_that_is_drawn_thousands_of_times_is_refused() -> None:
    """A megabyte of such scans with the maximum of pixels took half an hour of CPU time."""
    with pytest.raises(AppError) as refused:
        redraw(scanned(MAX_SCANS))
    assert "scans" in str(refused.value.details)
    # What encoders write is far from that.
    assert opened(redraw(scanned(MAX_SCANS - 20)).data).size == (400, 400)


@pytest.mark.parametrize(("kind", "number"), [("PNG", 1_000), ("JPEG", 250_000)])
def test_a_megabyte_of_notes_costs_little(kind: str, number: int) -> None:
    """In a PNG, each unpacks to a thousand times its size: a gigabyte if all were kept."""
    data = with_chunks(kind, number)
    assert 900_000 < len(data) < 1_100_000
    began, most = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with suppress(AppError):  # "cannot be read", where the library has had enough
        redraw(data)
    assert time.process_time() - began < 25
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most < 150_000  # KiB


@pytest.mark.parametrize("name", ["svg", "script", "both"])
def test_a_picture_that_is_a_page_as_well_is_only_the_picture(name: str) -> None:
    page = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script>"
    given = {"svg": page, "script": b"<script>alert(1)</script>", "both": picture("JPEG") + page}
    if name == "both":
        assert b"<script" not in redraw(given[name]).data
    else:
        with pytest.raises(AppError):
            redraw(given[name])


def test_of_several_pictures_in_one_file_the_first_is_kept_and_nothing_of_the_others() -> None:
    drawn = redraw(several())
    assert drawn.content_type == "image/jpeg"
    assert (opened(drawn.data).format, opened(drawn.data).size) == ("JPEG", (40, 20))


def test_the_most_pixels_that_are_taken_are_drawn_smaller() -> None:
    side = int(MAX_PIXELS**0.5)
    for kind in KINDS:
        drawn = opened(redraw(picture(kind, (side, side))).data)
        assert drawn.size == (SIDE, SIDE)


def test_a_picture_taken_on_its_side_is_upright_without_its_note() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert opened(redraw(picture("JPEG", (40, 20), exif=exif)).data).size == (20, 40)


@pytest.mark.parametrize(
    ("kind", "mode", "color", "shown"),
    [
        ("PNG", "RGBA", (255, 0, 0, 100), "RGBA"),
        ("PNG", "P", 1, "RGB"),
        ("PNG", "L", 7, "RGB"),
        ("PNG", "I;16", 7, "RGB"),
        ("PNG", "1", 1, "RGB"),
        ("JPEG", "CMYK", (1, 2, 3, 4), "RGB"),
        ("JPEG", "L", 7, "RGB"),
    ],
)
def test_every_kind_of_colours_is_drawn(kind, mode, color, shown) -> None:
    drawn = redraw(picture(kind, mode=mode, color=color))
    assert (opened(drawn.data).mode, opened(drawn.data).size) == (shown, (40, 20))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_broken_is_a_refusal_and_no_failure(kind: str) -> None:
    whole, choose = with_place(kind), random.Random(7)
    refused = 0
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(choose.randint(1, 6)):
            broken[choose.randrange(len(broken))] = choose.randrange(256)
        if choose.random() < 0.3:
            del broken[choose.randrange(8, len(broken)) :]
        try:
            redraw(bytes(broken))
        except AppError:
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "WEBP", "ICO", "PPM"])
def test_other_formats_are_not_even_tried(kind: str) -> None:
    with pytest.raises(AppError) as refused:
        redraw(picture(kind, (16, 16)))
    assert "must be a JPEG or a PNG" in str(refused.value.details)


async def test_one_picture_is_drawn_at_a_time_and_one_waits_of_each_sender(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawing = most = 0

    def counted(data: bytes) -> object:
        nonlocal drawing, most
        drawing += 1
        most = max(most, drawing)
        try:
            return redraw(data)
        finally:
            drawing -= 1

    monkeypatch.setattr("services.user.images.redraw", counted)
    with Images() as images:
        drawn = await asyncio.gather(
            *(images.redraw(picture("PNG", (400, 400)), sender=who) for who in "abcd" + 20 * "e"),
            return_exceptions=True,
        )
    assert most == 1
    refused = [one for one in drawn if isinstance(one, AppError)]
    assert [one.code for one in refused] == 19 * [Code.RATE_LIMIT_EXCEEDED]
