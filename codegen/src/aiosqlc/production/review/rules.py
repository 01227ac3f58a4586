"""The findings of `aiosqlc review` that no other command reports, with their meaning."""

from __future__ import annotations

from typing import Final

RULES: Final = {
    "R001": "a migration of the base version was edited or removed; databases do not notice this",
    "R002": "no order of deployment is safe",
    "P001": "the plan of a query changed (`plans diff`), or became worse (`review`)",
}
