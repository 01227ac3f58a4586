"""Describe routes to aiohttp-apispec, which builds the OpenAPI document and serves its UI.

The descriptions come from the Structs that decode requests and encode responses, so the document
always matches the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, get_args, get_origin

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp_apispec import AiohttpApiSpec
from aiohttp_apispec.aiohttp_apispec import NAME_SWAGGER_SPEC
from apispec import APISpec

from lib.errors import Code
from lib.http import examples, openapi31
from lib.http.middleware.auth import is_public
from lib.http.respond import Answer, Bare, Failure, Page, Paged, PageMeta
from lib.http.status import STATUS
from lib.http.swagger2 import definitions, parameters_of, reference, schema_of, with_example
from lib.metrics import app_version

UI_PATH = "/docs"
DOCUMENT_PATH = "/docs/swagger.json"
OPENAPI_PATH = "/docs/openapi.json"
_SCHEME = "bearer"
# Swagger 2.0 has no scheme for Bearer tokens: it is described as the header that carries them.
_BEARER = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "`Bearer <access_token>`, with the access token from `POST /auth/login`.",
}
_HEADERS: Final = {
    "Idempotency-Key": "order-of-ada-1",
    "If-Match": '"1"',
    "If-None-Match": '"1"',
}
_ALWAYS = (
    # What stands before the routes may refuse any request (see `lib.http.middleware.install`).
    Code.UNAUTHORIZED,
    Code.FORBIDDEN,
    Code.RATE_LIMIT_EXCEEDED,
    Code.SERVICE_UNAVAILABLE,
    Code.DEADLINE_EXCEEDED,
    Code.INTERNAL_ERROR,
)


@dataclass(frozen=True, slots=True)
class _Described:
    """The inputs and outputs of a handler, read when the application is built.

    aiohttp-apispec accepts a response's schema only by its name, so each envelope is a definition.
    """

    types: tuple[Any, ...]
    envelopes: dict[str, dict[str, Any]]


def describe(
    handler: Handler,
    returns: Any,
    *,
    summary: str,
    tag: str,
    query: type[msgspec.Struct] | None,
    body: type[msgspec.Struct] | None,
    form: Mapping[str, str],
    path: dict[str, Any],
    headers: Sequence[str],
    errors: Sequence[Code],
    replay_description: str | None,
) -> None:
    """Describe a handler for the OpenAPI document. See `lib.http.routes` for the arguments.

    `returns` is an `Answer` of a type; any other response has no described body.
    """
    kind = get_origin(returns) or returns
    answer: type[Answer[Any]] = kind if issubclass(kind, Answer) else Answer
    data: Any = next(iter(get_args(returns)), None)
    if issubclass(answer, Page):
        data = list[data]
    name: str = handler.__name__
    bare = issubclass(answer, Bare)
    envelope = data.__name__ if bare else f"{name.title().replace('_', '')}Response"
    success = {"description": "done"} if data is None else _by_name("success", envelope)
    operation: dict[str, Any] = {
        "schemas": [],
        "tags": [tag],
        "summary": summary,
        "operationId": name,
        "produces": ["application/json"],
        "parameters": [*_parameters(query, body, headers, path, errors), *_files(form)],
        "responses": {
            str(answer.success): success,
            **_unchanged(headers),
            **_failures(errors, query, body, path),
        },
    }
    if replay_description is not None:
        operation["responses"]["200"] = {**success, "description": replay_description}
    if body is not None:
        operation["consumes"] = ["application/json"]
    if form:
        operation["consumes"] = [openapi31.FORM]
    handler.__apispec__ = operation  # type: ignore[attr-defined] # the library's own place for it
    types = tuple(kind for kind in (body, data) if kind is not None)
    envelopes = {} if data is None or bare else {envelope: _envelope(answer, schema_of(data))}
    handler.__described__ = _Described(types, envelopes)  # type: ignore[attr-defined] # read by `install`


def install(app: web.Application, *, title: str, description: str = "") -> None:
    """Serve the document at `/docs/swagger.json` and its UI at `/docs`.

    Every operation requires a token, except operations whose handler is marked `public`. The
    document is built at the first request for it, because that takes longer than the rest of the
    start.
    """
    library = AiohttpApiSpec(
        url=DOCUMENT_PATH,
        swagger_path=UI_PATH,
        static_path=f"{UI_PATH}/static",
        title=title,
        version=app_version(),
        info={"description": description},
        security=[{_SCHEME: []}],
    )
    routes = tuple(app.router.routes())
    app[_DOCUMENT] = _Document(lambda: _assemble(library, routes), routes)
    app.router.add_get(DOCUMENT_PATH, _serve_document, name=NAME_SWAGGER_SPEC)
    app.router.add_get(OPENAPI_PATH, _serve_openapi)
    # The rest of `register`, which would assemble the document now or at each start.
    library._add_swagger_web_page(app, library.static_path, UI_PATH)  # noqa: SLF001 - there is no other way


def document(app: web.Application) -> dict[str, Any]:
    """Return the Swagger 2.0 document of an application made by `new_app`."""
    return app[_DOCUMENT].content


def types_of(app: web.Application) -> list[Any]:
    """Return the Structs in the request and response bodies of an application."""
    return app[_DOCUMENT].types


async def _serve_openapi(request: web.Request) -> web.Response:
    return web.json_response(app_openapi(request.app))


def app_openapi(app: web.Application) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an application made by `new_app`."""
    return openapi31.convert(document(app), types_of(app))


async def _serve_document(request: web.Request) -> web.Response:
    return web.json_response(document(request.app))


class _Document:
    """The API document, which is built when it is first used."""

    def __init__(
        self, assemble: Callable[[], dict[str, Any]], routes: Sequence[web.AbstractRoute]
    ) -> None:
        self._assemble = assemble
        self._routes = routes

    @cached_property
    def types(self) -> list[Any]:
        described = [one for route in self._routes if (one := _described(route)) is not None]
        return [*(kind for one in described for kind in one.types), PageMeta, Failure]

    @cached_property
    def content(self) -> dict[str, Any]:
        return self._assemble()


_DOCUMENT: Final = web.AppKey("_DOCUMENT", _Document)


class _Routes(dict[str, Any]):
    """The attributes of an application that aiohttp-apispec reads: its routes and a key store."""

    def __init__(self, routes: Sequence[web.AbstractRoute]) -> None:
        super().__init__()
        self._routes = routes

    @property
    def router(self) -> _Routes:
        return self

    def routes(self) -> Sequence[web.AbstractRoute]:
        return self._routes


def _assemble(library: AiohttpApiSpec, routes: Sequence[web.AbstractRoute]) -> dict[str, Any]:
    described = [one for route in routes if (one := _described(route)) is not None]
    library.spec.components.security_scheme(_SCHEME, _BEARER)
    for route in routes:
        if is_public(route.handler) and _described(route) is not None:
            route.handler.__apispec__["security"] = []  # type: ignore[attr-defined] # see `describe`
    # Definitions first, so that the routes' references resolve.
    _define(library.spec, described)
    place = _Routes(routes)
    library._register(place)  # noqa: SLF001 - as `register` does with `in_place`
    found: dict[str, Any] = place["swagger_dict"]
    for operations in found["paths"].values():
        # aiohttp answers HEAD wherever it answers GET; listing both says everything twice.
        operations.pop("head", None)
    _show_examples(found)
    return found


def _show_examples(found: dict[str, Any]) -> None:
    """Put an example into every body and every response that has a schema."""
    schemas = found["definitions"]
    for operation in (one for each in found["paths"].values() for one in each.values()):
        for parameter in operation["parameters"]:
            if parameter["in"] == "body":
                body = schemas[parameter["schema"]["$ref"].rpartition("/")[2]]
                body["example"] = examples.compose(body, schemas, whole=False)
        for answer in operation["responses"].values():
            if "schema" in answer:
                name = answer["schema"]["$ref"].rpartition("/")[2]
                first = answer["description"].partition(" ")[0]
                answer["examples"] = {
                    examples.JSON: examples.failure(Code(first), schemas)
                    if name == Failure.__name__
                    else examples.compose(schemas[name], schemas, whole=True)
                }


def _described(route: web.AbstractRoute) -> _Described | None:
    found = getattr(route.handler, "__described__", None)
    return found if isinstance(found, _Described) else None


def _define(spec: APISpec, described: Sequence[_Described]) -> None:
    types = [kind for one in described for kind in one.types]
    found = definitions((*types, PageMeta, Failure))
    for one in described:
        found |= one.envelopes
    for name, schema in found.items():
        spec.components.schema(name, schema)


def _by_name(description: str, definition: str) -> dict[str, Any]:
    return {"description": description, "schema": definition}


def _parameters(
    query: type[msgspec.Struct] | None,
    body: type[msgspec.Struct] | None,
    headers: Sequence[str],
    path: dict[str, Any],
    errors: Sequence[Code],
) -> list[dict[str, Any]]:
    needed = {"If-Match"} if Code.PRECONDITION_REQUIRED in errors else set()
    found = [
        {
            "in": "path",
            "name": name,
            "required": True,
            **with_example(schema_of(kind), required=True),
        }
        for name, kind in path.items()
    ]
    if query is not None:
        found += parameters_of(query)
    found += [
        {
            "in": "header",
            "name": name,
            "required": name in needed,
            "type": "string",
            "x-example" if name in needed else "x-sample": _HEADERS[name],
        }
        for name in headers
    ]
    if body is not None:
        found.append({"in": "body", "name": "body", "required": True, "schema": reference(body)})
    return found


def _files(form: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"in": "formData", "name": name, "required": True, "type": "file", "description": text}
        for name, text in form.items()
    ]


def _envelope(answer: type[Answer[Any]], data: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {"success": {"type": "boolean", "enum": [True]}, "data": data}
    if issubclass(answer, Paged):
        properties["meta"] = reference(PageMeta)
    return {"type": "object", "required": sorted(properties), "properties": properties}


def _unchanged(headers: Sequence[str]) -> dict[str, Any]:
    conditional = "If-None-Match" in headers
    return {"304": {"description": "not modified"}} if conditional else {}


def _failures(errors: Sequence[Code], query: Any, body: Any, path: Any) -> dict[str, Any]:
    codes = [*errors, *_ALWAYS]
    if query is not None or body is not None or path:
        codes.append(Code.VALIDATION_ERROR)
    if body is not None:
        codes += [Code.BAD_REQUEST, Code.PAYLOAD_TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE]
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(STATUS[code], []).append(code.value)
    return {
        str(status): _by_name(" or ".join(names), Failure.__name__)
        for status, names in sorted(by_status.items())
    }
