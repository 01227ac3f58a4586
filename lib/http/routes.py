"""Routes. Each declaration has the path, the access, and the inputs and output of the handler.

The parameters of a handler are its inputs, which are built from the request in their order. Its
return type is its output. The OpenAPI document describes both.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Annotated, Any, Final, TypeAlias, get_args, get_origin, get_type_hints
from uuid import UUID

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from msgspec import Struct

from lib.auth.access import PUBLIC, Access, declare, signed_in
from lib.auth.principal import caller, unauthorized
from lib.errors import Code
from lib.http import decode
from lib.http.etag import if_match, require_if_match
from lib.http.middleware.auth import public
from lib.http.middleware.idempotency import HEADER
from lib.http.openapi import describe
from lib.http.respond import Answer
from lib.idempotency import parse_key
from lib.resource.input import Query

__all__ = [
    "CHANGE_ERRORS", "PUBLIC", "Access", "From", "Id", "IfMatch", "Key", "RequiredIfMatch",
    "Routes", "of_app", "signed_in",
]  # fmt: skip
# What a change of a thing may meet, besides what its version says.
CHANGE_ERRORS: Final = (Code.NOT_FOUND, Code.CONFLICT)
_Function: TypeAlias = Callable[..., Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class From:
    """The source of a handler's argument: a function of the request, and its documentation.

    Args:
        make: a function or a coroutine function of the request. If it raises an error, this error
            is the response.
        path: the path variables that `make` reads, with their types.
        header: the header that `make` reads.
        body: the Struct of the body that `make` may read.
        form: the form fields that `make` reads, each a file, with their descriptions.
        errors: the error codes that the route has in addition because of this argument.
    """

    make: Callable[[web.Request], Any]
    path: Mapping[str, Any] = field(default_factory=dict)
    header: str | None = None
    body: type[Struct] | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[Code, ...] = ()


def of_app(key: web.AppKey[Any]) -> From:
    """Return a `From` that passes `app[key]` to the handler."""
    return From(partial(_of_app, key=key))


def _of_app(request: web.Request, key: web.AppKey[Any]) -> Any:
    return request.app[key]


def _key(request: web.Request) -> str | None:
    header = request.headers.get(HEADER)
    return None if header is None else parse_key(header)


Id: TypeAlias = Annotated[UUID, From(decode.path_uuid, path={"id": UUID})]
IfMatch: TypeAlias = Annotated[
    int | None, From(if_match, header=hdrs.IF_MATCH, errors=(Code.PRECONDITION_FAILED,))
]
RequiredIfMatch: TypeAlias = Annotated[
    int | None,
    From(
        require_if_match,
        header=hdrs.IF_MATCH,
        errors=(Code.PRECONDITION_FAILED, Code.PRECONDITION_REQUIRED),
    ),
]
Key: TypeAlias = Annotated[
    str | None, From(_key, header=HEADER, errors=(Code.IDEMPOTENCY_KEY_REUSED,))
]


class Routes:
    """The routes of a module, which `new_app` registers.

    ```
    route = Routes("departments")

    @route("GET /api/v1/departments/{id}", "Get a department", Code.NOT_FOUND, access=PUBLIC)
    async def get_department(request: web.Request, db: Db, department_id: Id) -> Item[Department]:
        ...
    ```

    An argument is the request, a Struct, a path variable by its name, or the result of its `From`.
    A Struct is decoded from the query string if it is a `Query`, else from the body.
    """

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._found: list[web.RouteDef] = []

    def __call__(
        self,
        where: str,
        summary: str,
        *errors: Code,
        access: Access,
        alias: str | None = None,
        headers: Sequence[str] = (),
        replay_description: str | None = None,
        name: str | None = None,
        tag: str | None = None,
        types: Mapping[str, Any] | None = None,
    ) -> Callable[[_Function], Handler]:
        """Declare a route. Return a decorator for the route's handler.

        Args:
            where: the method and the path of the route.
            summary: one line for the list of operations.
            errors: the error codes of the response, besides the codes that follow from the
                arguments.
            access: the requirements for the caller: `PUBLIC`, or `signed_in(...)`.
            alias: another method and path of the same operation.
            headers: optional request headers that other code reads.
            replay_description: the meaning of 200, if the response can be 200 instead of 201.
            name: the name of the handler, if one function creates several handlers.
            tag: the group of the operation in the document, if it differs from the group of the
                other routes.
            types: the types of the arguments and of the result (`return`), for a handler that a
                function creates without annotations.
        """
        asks = access.of(where.partition(" ")[0])

        def take(function: _Function) -> Handler:
            takes = _Taken.of(function, where, types or {})
            serve = declare(_serving(function, asks, takes.makers), asks)
            serve.__name__ = name or function.__name__
            describe(
                serve,
                takes.returns,
                summary=summary,
                tag=tag or self._tag,
                query=takes.query,
                body=takes.body,
                form=takes.form,
                path=takes.path,
                headers=(*takes.headers, *headers),
                errors=(*errors, *takes.errors),
                replay_description=replay_description,
            )
            for address in filter(None, (where, alias)):
                method, path = address.split(" ")
                self._found.append(web.route(method, path, serve))
            return serve

        return take

    def __iter__(self) -> Iterator[web.RouteDef]:
        """Yield the routes in order.

        Raises:
            TypeError: if another decorator is above a route, because the route would call the
                handler without this decorator.
        """
        for found in self._found:
            handler = found.handler
            module = sys.modules.get(handler.__module__)
            declared = getattr(module, handler.__qualname__, handler)
            if declared not in (handler, inspect.unwrap(handler)):
                raise TypeError(
                    f"{handler.__module__}.{handler.__qualname__}: decorators above the route"
                    " have no effect; put them below"
                )
            yield found


@dataclass
class _Taken:
    """The arguments and result of a handler."""

    returns: Any
    makers: list[Callable[[web.Request], Any]] = field(default_factory=list)
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    form: dict[str, str] = field(default_factory=dict)
    path: dict[str, Any] = field(default_factory=dict)
    headers: list[str] = field(default_factory=list)
    errors: list[Code] = field(default_factory=list)

    @classmethod
    def of(cls, function: _Function, where: str, types: Mapping[str, Any]) -> _Taken:
        kinds = {**get_type_hints(function, include_extras=True), **types}
        found = cls(kinds.pop("return"))
        variables = set(re.findall(r"\{(\w+)\}", where))
        for name, kind in kinds.items():
            found._take(name, kind, variables)
        if found.path.keys() != variables:
            raise TypeError(f"{where}: {function.__qualname__} takes {sorted(found.path)} of it")
        answer = get_origin(found.returns) or found.returns
        if where.startswith("GET ") and issubclass(answer, Answer) and answer.conditional:
            found.headers.append(hdrs.IF_NONE_MATCH)
        return found

    def _take(self, name: str, kind: Any, variables: set[str]) -> None:
        source = kind if isinstance(kind, From) else _source(kind)
        if source is not None:
            self.makers.append(source.make)
            self.path |= source.path
            self.errors += source.errors
            self.body = self.body or source.body
            self.form |= source.form
            if source.header is not None:
                self.headers.append(source.header)
        elif kind is web.Request:
            self.makers.append(_itself)
        elif name in variables:
            self.path[name] = kind
            plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
            self.makers.append(partial(_VARIABLES[plain], name=name))
        elif isinstance(kind, type) and issubclass(kind, Query):
            self.query = kind
            self.makers.append(partial(decode.query, spec=kind))
        elif isinstance(kind, type) and issubclass(kind, Struct):
            self.body = kind
            self.makers.append(partial(decode.body, spec=kind))
        else:
            raise TypeError(f"{name}: cannot build {kind} from a request")


def _source(kind: Any) -> From | None:
    marks = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((mark for mark in marks if isinstance(mark, From)), None)


def _itself(request: web.Request) -> web.Request:
    return request


def _text(request: web.Request, name: str) -> str:
    return request.match_info[name]


_VARIABLES: Final[Mapping[Any, Callable[..., Any]]] = {UUID: decode.path_uuid, str: _text}


def _serving(
    function: _Function, access: Access, makers: Sequence[Callable[[web.Request], Any]]
) -> Handler:
    check = None if access.open else access.resolved()
    steps = [(make, inspect.iscoroutinefunction(make)) for make in makers]
    some_wait = any(waits for _, waits in steps)

    @wraps(function)
    async def serve(request: web.Request) -> web.StreamResponse:
        if check is not None:
            principal = caller.get()
            if principal is None:
                raise unauthorized("sign in first")
            check(principal)
        if some_wait:
            given = [await make(request) if waits else make(request) for make, waits in steps]
        else:  # a list with an `await` in it is a coroutine of its own
            given = [make(request) for make in makers]
        return await function(*given)

    return public(serve) if access.open else serve
