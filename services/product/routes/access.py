"""The permission to change products."""

from __future__ import annotations

from typing import Final

from lib.auth.permissions import permission

WRITE: Final = permission("products:write")
