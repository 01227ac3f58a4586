"""Profile pictures: uploaded as a form of one file, and served where links lead to us."""

from __future__ import annotations

from typing import Final

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from lib.errors import AppError, Code, FieldError, invalid, not_found
from lib.http import respond
from lib.http.decode import query as decode_query
from lib.http.decode import refuse_compressed
from lib.http.etag import if_match
from lib.http.middleware.auth import public
from lib.http.openapi import operation
from lib.resource.input import Query
from services.user.routes import caller
from services.user.routes.deps import DEPS
from services.user.routes.people import CHANGE_ERRORS
from services.user.service import pictures

_TAGS: Final = ("pictures",)
_ID: Final = {"id": caller.WHO}
_FIELD: Final = "image"
# What a form puts around the file it carries.
_FORM_BYTES: Final = 64 * 1024


class FileQuery(Query, frozen=True, kw_only=True):
    """The end and the signature of a link."""

    expires: str = ""
    signature: str = ""


@operation(
    summary="Set one's own picture, or somebody's",
    tags=_TAGS,
    path=_ID,
    headers=("If-Match",),
    status=204,
    errors=(*CHANGE_ERRORS, Code.PAYLOAD_TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE, Code.BAD_REQUEST),
)
async def put_picture(request: web.Request) -> web.Response:
    """Nothing, when it is shown: `multipart/form-data` with one JPEG or PNG named `image`."""
    principal, account_id = caller.changed(request)
    deps = request.app[DEPS]
    data = await _only_file(request)
    await pictures.replace(
        deps.db, deps.files.storage, deps.images, principal, account_id, data, if_match(request)
    )
    return respond.no_content()


@operation(
    summary="Remove one's own picture, or somebody's",
    tags=_TAGS,
    path=_ID,
    headers=("If-Match",),
    status=204,
    errors=CHANGE_ERRORS,
)
async def remove_picture(request: web.Request) -> web.Response:
    """Nothing, when none is shown."""
    principal, account_id = caller.changed(request)
    await pictures.remove(request.app[DEPS].db, principal, account_id, if_match(request))
    return respond.no_content()


@public
@operation(
    summary="Open a picture by a signed link",
    tags=_TAGS,
    query=FileQuery,
    path={"key": str},
    errors=(Code.NOT_FOUND,),
)
async def get_file(request: web.Request) -> web.Response:
    """The picture; a link that was not made here or has ended opens nothing."""
    local = request.app[DEPS].files.local
    given = decode_query(request, FileQuery)
    key = f"pfp/{request.match_info['key']}"
    if local is None or not local.is_valid_link(
        key, expires=given.expires, signature=given.signature
    ):
        raise not_found("file")
    found = await local.get(key)
    headers = {
        "Content-Type": found.content_type,
        "Cache-Control": "private, max-age=3600",
        # Somebody else made it: nothing in it may run, whatever a browser takes it for.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return web.Response(body=found.data, headers=headers)


async def _only_file(request: web.Request) -> bytes:
    """Read the form's one file, no further than the limit.

    Raises:
        AppError: UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, BAD_REQUEST, VALIDATION_ERROR.
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
                raise invalid(
                    FieldError(_FIELD, f"the form must have one field {_FIELD}, no other")
                )
            data = await _read(part)
    except (HttpProcessingError, ValueError, RuntimeError, LookupError, AssertionError):
        # The library's words for a form that is none.
        raise AppError(Code.BAD_REQUEST, "the form cannot be read") from None
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
    return AppError(Code.PAYLOAD_TOO_LARGE, "a picture has at most 1 MiB")


ROUTES: Final = (
    web.put("/api/v1/users/{id}/picture", put_picture),
    web.delete("/api/v1/users/{id}/picture", remove_picture),
    web.patch("/api/v1/users/{id}/pfp", put_picture),
    web.get("/api/v1/files/pfp/{key}", get_file),
)
