"""Find the ruff settings that apply to a folder."""

from __future__ import annotations

from pathlib import Path

_NAMES = ("ruff.toml", ".ruff.toml", "pyproject.toml")


def ruff_settings(near: Path) -> Path | None:
    """Return the nearest ruff configuration in a folder or its parent folders.

    None means ruff's defaults.
    """
    resolved = near.resolve()
    for folder in (resolved, *resolved.parents):
        for name in _NAMES:
            path = folder / name
            if path.is_file() and (name != "pyproject.toml" or "[tool.ruff" in path.read_text()):
                return path
    return None


def said_by(path: Path) -> str:
    """Return the text of the ruff settings in a file.

    The settings in a `pyproject.toml` include the Python version.

    The rest of `pyproject.toml`, such as a new dependency, does not affect the format.
    """
    text = path.read_text(encoding="utf-8")
    if path.name != "pyproject.toml":
        return text
    table, kept = "", list[str]()
    for line in text.splitlines():
        if line.startswith("["):
            table = line
        if table.startswith("[tool.ruff") or line.startswith("requires-python"):
            kept.append(line)
    return "\n".join(kept)
