"""Decode bodies, query strings and IDs. A refusal names each invalid field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin
from uuid import UUID

import msgspec
from aiohttp import hdrs, web

from lib.errors import AppError, Code, FieldError, invalid
from lib.resource.field_errors import collect, from_message
from lib.resource.lists import ByCursor
from lib.resource.messages import not_json

T = TypeVar("T", bound=msgspec.Struct)

# An empty cursor means the first page.
_CURSOR: Final = ("cursor",)
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


# The name of a parameter in the legacy systems, and its name here.
_ELSEWHERE: Final = {
    "limit": "page_size",
    "per_page": "page_size",
    "offset": "page",
    "orderby": "order_by",
    "active": "status",
}


async def body(request: web.Request, spec: type[T]) -> T:
    """Decode a JSON body into `spec`.

    Raises:
        AppError: UNSUPPORTED_MEDIA_TYPE (also for a compressed body), PAYLOAD_TOO_LARGE,
            BAD_REQUEST (an empty body, or not JSON), or VALIDATION_ERROR with all invalid fields.
    """
    _require_json(request)
    raw = await request.read()
    if not raw:
        raise AppError(Code.BAD_REQUEST, "the request body is empty")
    # PostgreSQL cannot store NUL in text; the escape is its only spelling in JSON.
    if b"\\u0000" in raw:
        raise AppError(Code.BAD_REQUEST, "the request body contains a NUL character")
    try:
        decoded: T = _decoder(spec).decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid_body(raw, spec, error) from None
    except _NOT_JSON as error:
        raise _not_json(error) from None
    return decoded


def query(request: web.Request, spec: type[T]) -> T:
    """Decode the query string into `spec`, converting text to the types of the fields.

    Raises:
        AppError: VALIDATION_ERROR with all invalid parameters. A repeated parameter is invalid,
            unless its field is a list.
    """
    given = request.rel_url.query
    values: dict[str, Any] = {}
    lists = _list_fields(spec) if given else ()
    empty = _CURSOR if issubclass(spec, ByCursor) else ()
    numbers = _number_fields(spec)
    # What is rare is looked at closely only where these say so: most queries are two plain numbers.
    has_odd = has_null = False
    if not _ELSEWHERE.keys().isdisjoint(given):
        _refuse_renamed(given, spec)
    for name, value in given.items():
        if not value and name not in empty:
            continue
        if "\x00" in value:
            raise invalid(FieldError(name, "contains a NUL character"))
        if name in lists:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise invalid(FieldError(name, "is given more than once"))
        else:
            values[name] = value
        has_odd = has_odd or (name in numbers and not numbers[name][0].fullmatch(value))
        has_null = has_null or value.lower() == "null"
    if has_odd and (odd := list(_odd_numbers(values, spec))):
        named = {problem.field for problem in odd}
        others = collect(values, spec, strict=False)
        raise invalid(
            *odd, *(other for other in others if other.field.partition("[")[0] not in named)
        )
    if empty and "cursor" in values and "page" in values:
        raise invalid(FieldError("cursor", "cannot be combined with page"))
    try:
        decoded: T = msgspec.convert(values, spec, strict=False)
    except msgspec.ValidationError as error:
        problems = collect(values, spec, strict=False)
        raise invalid(*(problems or (from_message(str(error)),))) from None
    if has_null:
        _refuse_nulls(values, decoded)
    return decoded


def _refuse_renamed(given: Mapping[str, str], spec: type[msgspec.Struct]) -> None:
    if renamed := [name for name in _ELSEWHERE if name in given and _is_renamed(name, spec)]:
        raise invalid(*(FieldError(n, f"is called {_ELSEWHERE[n]} here") for n in renamed))


def _refuse_nulls(values: Mapping[str, Any], decoded: msgspec.Struct) -> None:
    if nulls := [name for name, value in values.items() if _is_null(value, decoded, name)]:
        raise invalid(*(FieldError(name, "cannot be null: omit the field") for name in nulls))


@cache
def _is_renamed(name: str, spec: type[msgspec.Struct]) -> bool:
    known = {field.encode_name for field in msgspec.structs.fields(spec)}
    return name not in known and _ELSEWHERE[name] in known


def _is_null(value: object, decoded: msgspec.Struct, name: str) -> bool:
    """Return whether msgspec treated a parameter as absent because its text is `null`."""
    return (
        isinstance(value, str) and value.lower() == "null" and getattr(decoded, name, value) is None
    )


def _odd_numbers(
    values: Mapping[str, str | list[str]], spec: type[msgspec.Struct]
) -> Iterator[FieldError]:
    """Yield an error for each field with a number such as `1e1`, or a number in place of a time.

    The decoder accepts some of these texts, but a cache or a log between the client and the service
    may read another number.
    """
    for name, (form, words) in _number_fields(spec).items():
        given = values.get(name, ())
        texts = [given] if isinstance(given, str) else given
        if any(not form.fullmatch(text) and text.lower() != "null" for text in texts):
            yield FieldError(name, words)


_WHOLE: Final = (re.compile(r"-?[0-9]+"), "must be a whole number")
_FRACTION: Final = (re.compile(r"-?[0-9]+(?:\.[0-9]+)?"), "must be a number")
# The decoder would read a number as the seconds since 1970.
_TIME: Final = (
    re.compile(r"(?![-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?$).*", re.DOTALL),
    "must be a time such as 2026-01-31T12:00:00Z",
)
# As JSON writes it: clients print small coordinates with an exponent.
_FLOAT: Final = (re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"), "must be a number")


@cache
def _number_fields(spec: type[msgspec.Struct]) -> Mapping[str, tuple[re.Pattern[str], str]]:
    found = {}
    for field in msgspec.structs.fields(spec):
        kinds = set(_leaves(field.type))
        if float in kinds and str not in kinds:
            found[field.encode_name] = _FLOAT
        elif Decimal in kinds and str not in kinds:
            found[field.encode_name] = _FRACTION
        elif int in kinds and str not in kinds:
            found[field.encode_name] = _WHOLE
        elif datetime in kinds and str not in kinds:
            found[field.encode_name] = _TIME
    return found


def _leaves(kind: Any) -> Iterator[Any]:
    """Yield the types inside a field's type, such as a union's members, without `Annotated`."""
    if get_origin(kind) is Annotated:
        yield from _leaves(get_args(kind)[0])
    elif arguments := get_args(kind):
        for argument in arguments:
            yield from _leaves(argument)
    else:
        yield kind


def path_uuid(request: web.Request, name: str = "id") -> UUID:
    """Return the path's `{name}` as a UUID.

    Raises:
        AppError: VALIDATION_ERROR if the text is not a UUID.
    """
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise invalid(FieldError(name, "is not a UUID")) from None


def _invalid_body(raw: bytes, spec: type[msgspec.Struct], error: Exception) -> AppError:
    try:
        # The decoder stopped at the first misfit; what follows need not even be JSON.
        whole = msgspec.json.decode(raw)
    except _NOT_JSON as broken:
        return _not_json(broken)
    return invalid(*(collect(whole, spec, strict=True) or (from_message(str(error)),)))


def _not_json(error: Exception) -> AppError:
    return AppError(Code.BAD_REQUEST, not_json("the request body", error))


def refuse_compressed(request: web.Request) -> None:
    """Refuse a compressed body.

    Raises:
        AppError: UNSUPPORTED_MEDIA_TYPE if the request has a `Content-Encoding`.
    """
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() != "identity":
        raise AppError(
            Code.UNSUPPORTED_MEDIA_TYPE,
            "the request body must not be compressed",
            headers={hdrs.ACCEPT_ENCODING: "identity"},
        )


def _require_json(request: web.Request) -> None:
    refuse_compressed(request)
    kind = request.content_type
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return
    # aiohttp reports octet-stream for a missing header; an empty body says more about that request.
    if "Content-Type" not in request.headers and not request.can_read_body:
        return
    raise AppError(Code.UNSUPPORTED_MEDIA_TYPE, "the request body must be application/json")


@cache
def _decoder(spec: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(spec)


@cache
def _list_fields(spec: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(
        field.encode_name
        for field in msgspec.structs.fields(spec)
        if get_origin(field.type) in (list, tuple, set, frozenset)
    )
