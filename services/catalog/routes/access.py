"""The permission to change the catalog."""

from __future__ import annotations

from typing import Final

from lib.auth.permissions import permission

WRITE: Final = permission("catalog:write")
