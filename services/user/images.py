"""Pictures of strangers drawn anew: what a camera has written into them stays behind."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from lib.errors import AppError, Code, FieldError, invalid
from services.user.threads import Threads

# Read whole, the largest that is drawn takes 64 MiB; a telephone's picture has 12 to 16.
MAX_PIXELS: Final = 16_000_000
# Each scan of a JPEG goes over the whole picture, and one that changes nothing takes thirty bytes.
# Encoders write ten; by chance the same two bytes are in a megabyte of metadata sixteen times.
MAX_SCANS: Final = 32
_SCAN: Final = b"\xff\xda"
# The longer side of what is kept: nobody is shown more of a face.
SIDE: Final = 1024
_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png"}
# A JPEG with others behind it, as telephones write them for bright screens: the first is shown.
_SEVERAL: Final = "MPO"
_QUALITY: Final = 85
_WAIT_SECONDS: Final = 10.0
_QUEUE: Final = 8


@dataclass(frozen=True, slots=True)
class Redrawn:
    """The file to be kept, and what it is."""

    data: bytes = field(repr=False)
    content_type: str


def redraw(data: bytes) -> Redrawn:
    """Draw a JPEG or a PNG anew, upright and no larger than it is shown.

    Nothing but its pixels is taken over: no place, no camera, no comment, nothing behind its end.

    Raises:
        AppError: VALIDATION_ERROR for anything else, and for more pixels than are worth drawing;
            those are counted before they are unpacked.
    """
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_TYPES)) as given:
            if given.width * given.height > MAX_PIXELS:
                raise _invalid(f"must have at most {MAX_PIXELS // 1_000_000} million pixels")
            kind = "JPEG" if given.format == _SEVERAL else given.format or ""
            if kind == "JPEG" and data.count(_SCAN) > MAX_SCANS:
                raise _invalid(f"must have at most {MAX_SCANS} scans")
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
    drawn = ImageOps.exif_transpose(given)
    see_through = kind == "PNG" and drawn.has_transparency_data
    drawn = drawn.convert("RGBA" if see_through else "RGB")
    drawn.thumbnail((SIDE, SIDE))
    drawn.info.clear()
    file = io.BytesIO()
    drawn.save(file, kind, **({"quality": _QUALITY} if kind == "JPEG" else {}))
    return Redrawn(file.getvalue(), _TYPES[kind])


def _invalid(message: str) -> AppError:
    return invalid(FieldError("image", message))


class Images(Threads):
    """Draws one picture at a time, beside everything else: each takes memory and a processor."""

    def __init__(self) -> None:
        super().__init__(
            "the drawing of pictures", limit=1, queue=_QUEUE, wait_seconds=_WAIT_SECONDS
        )
        self._senders: set[str] = set()

    async def redraw(self, data: bytes, *, sender: str) -> Redrawn:
        """Do so, one of a sender's at a time: nobody takes up the places of all others.

        Raises:
            AppError: as the function; RATE_LIMIT_EXCEEDED for another one meanwhile.
        """
        if sender in self._senders:
            message = "another picture of yours is being drawn"
            raise AppError(Code.RATE_LIMIT_EXCEEDED, message, headers={"Retry-After": "1"})
        self._senders.add(sender)
        try:
            return await self.run(lambda: redraw(data))
        finally:
            self._senders.remove(sender)
