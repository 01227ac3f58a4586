"""Real pictures, made for tests."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

# Where somebody lives, and their telephone, as a camera notes them.
PLACE = (52.0, 31.0, 12.0)
CAMERA = "Telephone of Ann O'Neil"
_MAKE, _COMMENT, _GPS, _LATITUDE = 0x010F, 0x9286, 0x8825, 2


def picture(
    kind: str = "PNG",
    size: tuple[int, int] = (40, 20),
    *,
    mode: str = "RGB",
    color: Any = "red",
    **saved: Any,
) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, color).save(file, kind, **saved)
    return file.getvalue()


def with_place(kind: str) -> bytes:
    """A picture that says where and by whom it was taken, in every way that formats have."""
    exif = Image.Exif()
    exif[_MAKE] = CAMERA
    exif.get_ifd(0x8769)[_COMMENT] = CAMERA
    exif.get_ifd(_GPS)[_LATITUDE] = PLACE
    more: dict[str, Any] = {"comment": CAMERA} if kind == "JPEG" else {"pnginfo": _texts()}
    xmp = f"<x:xmpmeta><rdf:li>{CAMERA}</rdf:li></x:xmpmeta>".encode()
    if kind == "JPEG":
        more["xmp"] = xmp
    return picture(kind, exif=exif, icc_profile=CAMERA.encode(), **more) + CAMERA.encode()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has that many pixels."""
    rows = zlib.compressobj(9)
    packed = rows.compress(bytes(1024)) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND")
    )


def _chunk(name: bytes, data: bytes = b"") -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def _texts() -> Any:
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Comment", CAMERA)
    texts.add_itxt("XML:com.adobe.xmp", CAMERA)
    return texts
