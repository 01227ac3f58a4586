"""Routes of registration and email verification."""

from __future__ import annotations

from typing import Final

from lib.auth import current_principal
from lib.errors import Code
from lib.http import respond
from lib.http.etag import etag
from lib.http.middleware.idempotency import HEADER
from lib.http.respond import Created, Done
from lib.http.routes import CHANGE_ERRORS, PUBLIC, Routes
from lib.resource.views import view
from services.user.model.account import (
    AddressOnly,
    NewCustomer,
    NewProvider,
    TokenOnly,
    Verification,
)
from services.user.routes.deps import AppDeps, AppRules
from services.user.service import addresses, register, verification
from services.user.session_views import Registered
from services.user.store.models import Account

route: Final = Routes("auth")


@route(
    "POST /api/v1/auth/register/customer",
    "Register as a customer",
    Code.CONFLICT,
    Code.IDEMPOTENCY_KEY_REUSED,
    access=PUBLIC,
    headers=(HEADER,),
)
async def register_customer(
    deps: AppDeps, rules: AppRules, new: NewCustomer
) -> Created[Registered]:
    """Register a customer. An email asks the customer to verify the address."""
    return _registered(await register.register_customer(deps.db, deps.passwords, new, rules.mails))


@route(
    "POST /api/v1/auth/register/provider",
    "Register as a provider",
    Code.CONFLICT,
    Code.IDEMPOTENCY_KEY_REUSED,
    access=PUBLIC,
    headers=(HEADER,),
)
async def register_provider(
    deps: AppDeps, rules: AppRules, new: NewProvider
) -> Created[Registered]:
    """Register a provider. The personal ID is stored encrypted and never returned."""
    account = await register.register_provider(
        deps.db, deps.passwords, deps.personal_ids, new, rules.mails
    )
    return _registered(account)


@route("POST /api/v1/auth/verify", "Verify an email address", *CHANGE_ERRORS, access=PUBLIC)
async def verify(deps: AppDeps, rules: AppRules, given: Verification) -> Done:
    """Verify an address. A caller who is not signed in to the account must send its password.

    Older sessions end, except the session of the caller. There is no GET for this action, because
    programs that scan emails also open links.
    """
    await verification.verify(deps.db, deps.passwords, rules.logins, given, current_principal())
    return respond.no_content()


@route(
    "POST /api/v1/auth/email/undo",
    "Undo a change of the email address",
    Code.CONFLICT,
    access=PUBLIC,
)
async def undo_email(deps: AppDeps, given: TokenOnly) -> Done:
    """Restore the former address, end all sessions, and send a password reset link to the address.

    The link is in the email to the former address, or in the response to a reset that was requested
    for the new address.
    """
    await addresses.undo(deps.db, given.token)
    return respond.no_content()


@route(
    "POST /api/v1/auth/resend-verification",
    "Resend the verification email",
    Code.CONFLICT,
    access=PUBLIC,
    alias="POST /api/v1/auth/resend-confirmation",
)
async def resend_verification(deps: AppDeps, rules: AppRules, given: AddressOnly) -> Done:
    """Send a new link. Return 204, or 409 to the signed-in owner of a verified address."""
    await verification.ask_again(deps.db, given.email, current_principal(), rules.mails)
    return respond.no_content()


def _registered(account: Account) -> Created[Registered]:
    # Relative, so that it holds behind the gateway's prefix too.
    headers = {"Location": f"../../users/{account.id}", "ETag": etag(account.version)}
    return respond.made(view(Registered, account), headers=headers)
