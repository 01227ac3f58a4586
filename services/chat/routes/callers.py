"""The caller: a user with an account."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

from aiohttp import web

from lib.auth import require_principal
from lib.auth.guards import forbidden
from lib.http.routes import From


def _user_id(_: web.Request) -> UUID:
    try:
        return UUID(require_principal().subject)
    except ValueError:
        raise forbidden("only users can take part in a chat") from None


# The caller's account; FORBIDDEN for a service, which has none.
Caller: TypeAlias = Annotated[UUID, From(_user_id)]
