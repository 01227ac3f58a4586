"""Real pictures, created for tests."""

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
    """A picture with its place and its author, in every metadata format."""
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
    """A PNG of a few bytes that declares this number of pixels."""
    rows = zlib.compressobj(9)
    packed = rows.compress(bytes(1024)) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND")
    )


def scanned(scans: int, side: int = 400) -> bytes:
    """A JPEG with this number of further empty scans, in thirty bytes each."""
    data = picture("JPEG", (side, side), mode="L", color=128, progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * scans + data[-2:]


def with_chunks(kind: str, number: int) -> bytes:
    """A picture with this number of text chunks before it, each of which a reader unpacks."""
    if kind == "PNG":
        whole, note = picture(), b"Comment\0\0" + zlib.compress(bytes(1_000_000), 9)
        return whole[:33] + _chunk(b"zTXt", note) * number + whole[33:]
    whole = picture("JPEG")
    return whole[:2] + b"\xff\xe5\x00\x02" * number + whole[2:]


def several(kind: str = "MPO") -> bytes:
    """A picture with a second one after it, as phones write them."""
    return picture(kind, save_all=True, append_images=[Image.new("RGB", (8, 8))])


def _chunk(name: bytes, data: bytes = b"") -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def _texts() -> Any:
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Comment", CAMERA)
    texts.add_itxt("XML:com.adobe.xmp", CAMERA)
    return texts
