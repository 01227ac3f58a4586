"""Dependencies of the handlers, opened once by the application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from aiohttp import web

from lib.db import Database
from lib.http.routes import of_app
from lib.storage.settings import Files
from services.user.images import Images
from services.user.passwords import Passwords
from services.user.personal_ids import PersonalIds
from services.user.ports import IdentityProviders, Others, Points
from services.user.service.devices import Devices
from services.user.service.second_factors import Policy
from services.user.service.sessions import TokenPolicy
from services.user.service.throttle import Limits


@dataclass(frozen=True, slots=True)
class Deps:
    """The service's resources."""

    db: Database
    points: Points
    passwords: Passwords
    personal_ids: PersonalIds
    files: Files
    images: Images
    others: Others
    identity_providers: IdentityProviders


@dataclass(frozen=True, slots=True)
class Rules:
    """Sign-in settings, available before any dependency is opened."""

    tokens: TokenPolicy
    logins: Limits
    mails: Limits
    devices: Devices
    second_factors: Policy
    clients: Mapping[str, bytes]
    csrf_key: bytes
    jwks: bytes


DEPS: Final = web.AppKey("DEPS", Deps)
RULES: Final = web.AppKey("RULES", Rules)
AppDeps: TypeAlias = Annotated[Deps, of_app(DEPS)]
AppRules: TypeAlias = Annotated[Rules, of_app(RULES)]
