"""Encode uploaded pictures again, without the metadata that a camera adds."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from lib.errors import AppError, Code, FieldError, invalid
from services.user.threads import Threads

# Unpacked, the largest takes 64 MiB, four bytes a pixel; a telephone's picture has 12 to 16. Copies
# are made of tiles, not of all of it.
MAX_PIXELS: Final = 16_000_000
# The library keeps all of a progressive one besides, up to eight bytes a pixel, until it is drawn.
MAX_PROGRESSIVE_PIXELS: Final = 8_000_000
# What the drawing of one takes at most; one is drawn at a time. Part of `memory.py`'s sum.
MEMORY_MIB: Final = 96
# Each scan of a JPEG goes over the whole picture, and one that changes nothing takes thirty bytes.
# Encoders write ten; by chance the same two bytes are in a megabyte of metadata sixteen times.
MAX_SCANS: Final = 32
_SCAN: Final = b"\xff\xda"
# The longer side of the stored picture, in pixels.
SIDE: Final = 1024
_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png"}
# A JPEG with others behind it, as telephones write them for bright screens: the first is shown.
_SEVERAL: Final = "MPO"
_ORIENTATION: Final = 0x0112
_TILE: Final = 512
_QUALITY: Final = 85
_WAIT_SECONDS: Final = 10.0
_QUEUE: Final = 8


@dataclass(frozen=True, slots=True)
class Redrawn:
    """A re-encoded file and its type."""

    data: bytes = field(repr=False)
    content_type: str


def redraw(data: bytes) -> Redrawn:
    """Re-encode a JPEG or PNG: rotate it upright, and shrink it to at most 1,024 × 1,024 pixels.

    Only the pixels are kept: not the place, the camera or the comments, and no data after the end
    of the picture.

    Raises:
        AppError: VALIDATION_ERROR for all other files, and for a picture with too many pixels; the
            number of pixels is checked before the picture is decoded.
    """
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_TYPES)) as given:
            if given.width * given.height > MAX_PIXELS:
                raise _invalid(f"must have at most {MAX_PIXELS // 1_000_000} million pixels")
            kind = "JPEG" if given.format == _SEVERAL else given.format or ""
            if (
                given.info.get("progressive")
                and given.width * given.height > MAX_PROGRESSIVE_PIXELS
            ):
                most = MAX_PROGRESSIVE_PIXELS // 1_000_000
                raise _invalid(f"must have at most {most} million pixels as a progressive JPEG")
            if kind == "JPEG" and data.count(_SCAN) > MAX_SCANS:
                raise _invalid(f"must have at most {MAX_SCANS} JPEG scans")
            return _drawn(given, kind)
    except AppError:
        raise
    except Image.DecompressionBombError:
        raise _invalid(f"must have at most {MAX_PIXELS // 1_000_000} million pixels") from None
    except UnidentifiedImageError:
        raise _invalid("must be a JPEG or a PNG") from None
    except Exception:  # noqa: BLE001 - broken files fail in as many ways as the library has parts
        raise _invalid("cannot be read") from None


def _drawn(given: Image.Image, kind: str) -> Redrawn:
    # What is much too large is unpacked to a half, a quarter or an eighth of it at once.
    given.draft(None, (SIDE, SIDE))
    turned = given.getexif().get(_ORIENTATION)
    see_through = kind == "PNG" and given.has_transparency_data
    drawn = _reduced(given, "RGBA" if see_through else "RGB")
    if turned:
        drawn.getexif()[_ORIENTATION] = turned
        drawn = ImageOps.exif_transpose(drawn)
    drawn.thumbnail((SIDE, SIDE))
    drawn.info.clear()
    file = io.BytesIO()
    drawn.save(file, kind, **({"quality": _QUALITY} if kind == "JPEG" else {}))
    return Redrawn(file.getvalue(), _TYPES[kind])


def _reduced(given: Image.Image, mode: str) -> Image.Image:
    """Return the picture in color mode `mode`, at most twice as large as the stored picture.

    The picture is processed in tiles, because converting or rotating all of it at once would double
    its memory.
    """
    factor = max(1, max(given.size) // SIDE)
    side = factor * max(1, _TILE // factor)
    small = Image.new(mode, (-(-given.width // factor), -(-given.height // factor)))
    for top in range(0, given.height, side):
        for left in range(0, given.width, side):
            box = (left, top, min(left + side, given.width), min(top + side, given.height))
            tile = given.crop(box).convert(mode)
            small.paste(tile.reduce(factor), (left // factor, top // factor))
    return small


def _invalid(message: str) -> AppError:
    return invalid(FieldError("image", message))


class Images(Threads):
    """Re-encode one picture at a time in a thread, to limit the use of memory and cores."""

    def __init__(self) -> None:
        super().__init__("picture processing", limit=1, queue=_QUEUE, wait_seconds=_WAIT_SECONDS)
        self._senders: set[str] = set()

    async def redraw(self, data: bytes, *, sender: str) -> Redrawn:
        """Re-encode a picture.

        Each sender may have one picture waiting, so no one blocks the others.

        Raises:
            AppError: as the function `redraw` does; RATE_LIMIT_EXCEEDED if another picture of the
                sender is waiting.
        """
        if sender in self._senders:
            message = "another picture of yours is being processed"
            raise AppError(Code.RATE_LIMIT_EXCEEDED, message, headers={"Retry-After": "1"})
        self._senders.add(sender)
        try:
            return await self.run(lambda: redraw(data))
        finally:
            self._senders.remove(sender)
