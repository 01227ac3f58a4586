"""What those may who look after the catalog; the role controller says whose it is."""

from __future__ import annotations

from typing import Final

WRITE: Final = "catalog:write"
