"""HTTP routes, one module per kind of resource."""

from __future__ import annotations

from typing import Final

from services.chat.routes import channels, messages

ROUTES: Final = (*channels.route, *messages.route)
