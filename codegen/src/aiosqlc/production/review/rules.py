"""The findings of `aiosqlc review` that no other command reports, with their meaning."""

from __future__ import annotations

from typing import Final

RULES: Final = {
    "R001": "a migration was edited or removed, but databases that applied it do not change",
    "R002": "no order of deployment is safe",
    "P001": "the plan of a query changed (`plans diff`), or became worse (`review`)",
}
