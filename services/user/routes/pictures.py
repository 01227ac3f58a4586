"""Profile pictures: uploaded as a form with one file, and served by signed links."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import Meta

from lib.errors import AppError, Code, FieldError, invalid, not_found
from lib.http import respond
from lib.http.decode import refuse_compressed
from lib.http.respond import Done
from lib.http.routes import CHANGE_ERRORS, PUBLIC, From, IfMatch, Routes, signed_in
from lib.resource.input import Query
from services.user.routes.caller import OTHERS, Changed
from services.user.routes.deps import AppDeps
from services.user.service import pictures

route: Final = Routes("pictures")
_FIELD: Final = "image"
# What a form puts around the file it carries.
_FORM_BYTES: Final = 64 * 1024


class FileQuery(Query, frozen=True, kw_only=True):
    """The expiry and signature of a link."""

    expires: Annotated[str, Meta(examples=["1769860800"])] = ""
    signature: Annotated[str, Meta(examples=["c2lnbmF0dXJl"])] = ""


async def _only_file(request: web.Request) -> bytes:
    """Read the only file of the form, up to the size limit.

    Raises:
        AppError: UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, BAD_REQUEST, or VALIDATION_ERROR.
    """
    if request.content_type != "multipart/form-data":
        raise AppError(Code.UNSUPPORTED_MEDIA_TYPE, "the request body must be multipart/form-data")
    refuse_compressed(request)
    if (request.content_length or 0) > pictures.MAX_BYTES + _FORM_BYTES:
        raise _too_large()
    data: bytes | None = None
    try:
        async for part in await request.multipart():
            if data is not None:
                raise invalid(FieldError(_FIELD, "too many files"))
            if not isinstance(part, BodyPartReader) or part.name != _FIELD:
                raise invalid(FieldError(_FIELD, f"the form must have exactly one field, {_FIELD}"))
            data = await _read(part)
    except (HttpProcessingError, ValueError, RuntimeError, LookupError, AssertionError):
        # The errors of the library for a malformed form.
        raise AppError(Code.BAD_REQUEST, "the form is malformed") from None
    if not data:
        raise invalid(FieldError(_FIELD, "no file provided"))
    return data


async def _read(part: BodyPartReader) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += part.decode(chunk)
        if len(data) > pictures.MAX_BYTES:
            raise _too_large()
    return bytes(data)


def _too_large() -> AppError:
    return AppError(Code.PAYLOAD_TOO_LARGE, "a picture can have at most 1 MiB")


_Key: TypeAlias = Annotated[str, Meta(examples=["0123456789abcdef.png"])]
_File: TypeAlias = Annotated[
    bytes, From(_only_file, form={_FIELD: "the picture, a JPEG or PNG of at most 1 MiB"})
]


# The legacy systems use PATCH `pfp`.
@route(
    "PUT /api/v1/users/{id}/picture",
    "Upload a profile picture",
    *CHANGE_ERRORS,
    Code.PAYLOAD_TOO_LARGE,
    Code.UNSUPPORTED_MEDIA_TYPE,
    Code.BAD_REQUEST,
    access=signed_in(),
    alias="PATCH /api/v1/users/{id}/pfp",
)
async def put_picture(deps: AppDeps, who: Changed, data: _File, version: IfMatch) -> Done:
    """Upload a picture: `multipart/form-data` with one JPEG or PNG named `image`."""
    await pictures.replace(deps.db, deps.files.storage, deps.images, *who, data, version)
    return respond.no_content()


@route(
    "DELETE /api/v1/users/{id}/picture",
    "Delete a profile picture",
    *CHANGE_ERRORS,
    access=signed_in(verified=OTHERS),
)
async def remove_picture(deps: AppDeps, who: Changed, version: IfMatch) -> Done:
    """Delete the picture."""
    await pictures.remove(deps.db, *who, version)
    return respond.no_content()


@route(
    "GET /api/v1/files/pfp/{key}",
    "Download a picture (signed URL)",
    Code.NOT_FOUND,
    access=PUBLIC,
)
async def get_file(deps: AppDeps, given: FileQuery, key: _Key) -> web.Response:
    """Return a picture. The signature of the link must be valid and not expired."""
    local, path = deps.files.local, f"pfp/{key}"
    if local is None or not local.is_valid_link(
        path, expires=given.expires, signature=given.signature
    ):
        raise not_found("file")
    found = await local.get(path)
    headers = {
        "Content-Type": found.content_type,
        "Cache-Control": "private, max-age=3600",
        # Another user made the file: no script in it may run, whatever type a browser guesses.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return web.Response(body=found.data, headers=headers)
