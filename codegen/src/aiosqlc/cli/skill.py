"""`aiosqlc init --skill`: write the rules for queries as a skill file for coding assistants."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

PLACE = Path(".agents/skills/aiosqlc/SKILL.md")
_HEAD = """\
---
name: aiosqlc
description: Write SQL queries for aiosqlc, which compiles them to typed Python functions. Use for every change of a query, a migration or sqlc.yaml.
---

"""  # noqa: E501 - the format requires one line


def skill() -> str:
    """Return the text of the skill file."""
    return _HEAD + (files("aiosqlc.cli") / "skill.txt").read_text("utf-8")


def write_skill(folder: Path) -> int:
    """Write the skill file below a folder. Return 1 if a different file already exists there."""
    path = folder / PLACE
    if path.exists() and path.read_text("utf-8", "replace") != skill():
        sys.stderr.write(f"{path} already exists: remove the file to write the new version\n")
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(skill(), encoding="utf-8")
    sys.stdout.write(f"wrote {path}\n")
    return 0
