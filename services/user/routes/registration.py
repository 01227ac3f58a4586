"""Registration and the verification of e-mail addresses."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.auth import current_principal
from lib.errors import Code
from lib.http import decode, respond
from lib.http.middleware.auth import public
from lib.http.openapi import operation
from services.user.model.account import AddressOnly, NewCustomer, NewProvider, TokenOnly
from services.user.routes.deps import DEPS, RULES
from services.user.service import register, verification
from services.user.session_views import Registered
from services.user.store.models import Account

_TAGS: Final = ("auth",)
_TOKEN_ERRORS: Final = (Code.UNAUTHORIZED, Code.CONFLICT, Code.NOT_FOUND)


@public
@operation(
    summary="Register as a customer",
    tags=_TAGS,
    body=NewCustomer,
    returns=Registered,
    status=201,
    headers=("Idempotency-Key",),
    errors=(Code.CONFLICT, Code.IDEMPOTENCY_KEY_REUSED, Code.RATE_LIMIT_EXCEEDED),
)
async def register_customer(request: web.Request) -> web.Response:
    """Answer the new account; a mail asks its owner to verify the address."""
    deps, limits = request.app[DEPS], request.app[RULES].mails
    new = await decode.body(request, NewCustomer)
    return _registered(await register.register_customer(deps.db, deps.passwords, new, limits))


@public
@operation(
    summary="Register as a provider of services",
    tags=_TAGS,
    body=NewProvider,
    returns=Registered,
    status=201,
    headers=("Idempotency-Key",),
    errors=(Code.CONFLICT, Code.IDEMPOTENCY_KEY_REUSED, Code.RATE_LIMIT_EXCEEDED),
)
async def register_provider(request: web.Request) -> web.Response:
    """Answer the new account; the personal id is kept encrypted and never answered."""
    deps, limits = request.app[DEPS], request.app[RULES].mails
    new = await decode.body(request, NewProvider)
    account = await register.register_provider(
        deps.db, deps.passwords, deps.personal_ids, new, limits
    )
    return _registered(account)


@public
@operation(
    summary="Verify an e-mail address", tags=_TAGS, body=TokenOnly, status=204, errors=_TOKEN_ERRORS
)
async def verify(request: web.Request) -> web.Response:
    """Nothing, when it is done. There is no GET: programs that look at mails open links, too."""
    given = await decode.body(request, TokenOnly)
    await verification.verify(request.app[DEPS].db, given.token)
    return respond.no_content()


@public
@operation(
    summary="Ask for another verification mail",
    tags=_TAGS,
    body=AddressOnly,
    status=204,
    errors=(Code.CONFLICT, Code.RATE_LIMIT_EXCEEDED),
)
async def resend_verification(request: web.Request) -> web.Response:
    """Nothing, whoever's address it is; 409 only for its owner, signed in and verified."""
    given = await decode.body(request, AddressOnly)
    await verification.ask_again(
        request.app[DEPS].db, given.email, current_principal(), request.app[RULES].mails
    )
    return respond.no_content()


def _registered(account: Account) -> web.Response:
    body = Registered(
        id=account.id,
        email=account.email,
        first_name=account.first_name,
        last_name=account.last_name,
        phone_number=account.phone_number,
        role=account.role,
        verified=account.verified,
        created_at=account.created_at,
    )
    # Relative, so that it holds behind the gateway's prefix too.
    return respond.created(body, location=f"../../users/{account.id}", version=account.version)


ROUTES: Final = (
    web.post("/api/v1/auth/register/customer", register_customer),
    web.post("/api/v1/auth/register/provider", register_provider),
    web.post("/api/v1/auth/verify", verify),
    web.post("/api/v1/auth/resend-verification", resend_verification),
    web.post("/api/v1/auth/resend-confirmation", resend_verification),
)
