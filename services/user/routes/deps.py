"""What the handlers work with, opened once by the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from lib.db import Database
from services.user.ports import Points


@dataclass(frozen=True, slots=True)
class Deps:
    """The service's resources."""

    db: Database
    points: Points


DEPS: Final = web.AppKey("DEPS", Deps)
