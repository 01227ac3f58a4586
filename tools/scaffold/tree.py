"""Restore all files of the repository if a command fails halfway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PLACES: Final = (
    ".devcontainer", ".env.example", ".github", "CHANGELOG.md", "Makefile", "NOTICE", "README.md",
    "docker-compose.yml", "pyproject.toml",
    "api", "bench", "clients", "codegen/docs", "codegen/src/aiosqlc/plugin", "deploy", "devstack",
    "docs", "lib", "migrations", "nginx", "observability", "proto", "services", "sql", "tests",
    "tools",
)  # fmt: skip
# Made on this machine, never a source.
_MADE: Final = ("__pycache__", "secrets", "node_modules")


def files(root: Path) -> Iterator[Path]:
    """Yield the files in the folders that scaffold commands write to."""
    for place in _PLACES:
        path = root / place
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        yield from (
            one for one in found if one.is_file() and not any(part in _MADE for part in one.parts)
        )


def snapshot(root: Path) -> dict[Path, bytes]:
    """Return the contents of all files that scaffold commands may change."""
    return {path: path.read_bytes() for path in files(root)}


@contextmanager
def all_or_nothing(root: Path) -> Iterator[dict[Path, bytes]]:
    """Restore every file if the body fails or is interrupted."""
    before = snapshot(root)
    try:
        yield before
    except BaseException:
        restore(root, before)
        raise


def restore(root: Path, before: dict[Path, bytes]) -> None:
    """Restore the files in `before`, and delete the files that were added since."""
    for path in list(files(root)):
        if path not in before:
            path.unlink()
            prune(path.parent)
    for path, content in before.items():
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def prune(folder: Path) -> None:
    """Remove a folder that has only compiled Python in it, and then its empty parents."""
    while folder.is_dir() and all(path.name == "__pycache__" for path in folder.iterdir()):
        for path in folder.rglob("*.pyc"):
            path.unlink()
        for path in sorted(folder.rglob("__pycache__"), reverse=True):
            path.rmdir()
        folder.rmdir()
        folder = folder.parent


def changed(root: Path, before: dict[Path, bytes]) -> list[str]:
    """Return a line for each new, deleted or changed file."""
    after = snapshot(root)
    lines = []
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            what = "+" if path not in before else "-" if path not in after else " "
            lines.append(f"  {what} {path.relative_to(root)}")
    return lines
