"""What those may who look after the catalog; the role controller says whose it is."""

from __future__ import annotations

from typing import Final

from lib.auth.permissions import permission

WRITE: Final = permission("catalog:write")
