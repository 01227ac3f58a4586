"""Finds the ruff settings that hold in a folder."""

from __future__ import annotations

from pathlib import Path

_NAMES = ("ruff.toml", ".ruff.toml", "pyproject.toml")


def ruff_settings(near: Path) -> Path | None:
    """Return the nearest ruff configuration in a folder or above it; None: ruff's defaults hold."""
    resolved = near.resolve()
    for folder in (resolved, *resolved.parents):
        for name in _NAMES:
            path = folder / name
            if path.is_file() and (name != "pyproject.toml" or "[tool.ruff" in path.read_text()):
                return path
    return None
