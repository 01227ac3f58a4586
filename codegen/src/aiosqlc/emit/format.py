"""Format source with ruff, so that formatting it again changes nothing."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ruff.__main__ import find_ruff_bin  # type: ignore[import-untyped]  # ships no types

from aiosqlc.emit.settings import ruff_settings, said_by
from aiosqlc.ir import Rendered
from aiosqlc.store.memo import memo


def format_together(files: Sequence[Rendered], near: Mapping[Path, Path]) -> list[Rendered]:
    """Format files; all files with the same ruff settings are formatted in one run.

    `near` maps each path to the folder whose settings apply. A file without an entry is unchanged.
    """
    groups: dict[Settings, list[Rendered]] = {}
    settings = {folder: _settings(folder) for folder in dict.fromkeys(near.values())}
    for file in files:
        if file.path in near:
            groups.setdefault(settings[near[file.path]], []).append(file)
    done = {
        formatted.path: formatted
        for group, members in groups.items()
        for formatted in _formatted(members, group)
    }
    return [done.get(file.path, file) for file in files]


def format_all(files: Sequence[Rendered], near: Path) -> tuple[Rendered, ...]:
    """Format Python files in one run, with the ruff settings of the folder `near`."""
    return _formatted(files, _settings(near))


Settings = tuple[str, ...]


def _formatted(files: Sequence[Rendered], settings: Settings) -> tuple[Rendered, ...]:
    python = [file.text for file in files if file.path.suffix == ".py"]
    fresh = [text for text in dict.fromkeys(python) if not _format_one.known(text, settings)]
    for text, formatted in zip(fresh, _format(fresh, settings), strict=True):
        _format_one.learn(formatted, text, settings)
    return tuple(
        Rendered(file.path, _format_one(file.text, settings)) if file.path.suffix == ".py" else file
        for file in files
    )


@memo
def _format_one(text: str, settings: Settings) -> str:
    return _format([text], settings)[0]


def _format(texts: Sequence[str], settings: Settings) -> list[str]:
    if not texts:
        return []
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / f"{number}.py" for number in range(len(texts))]
        for path, text in zip(copies, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        options = ["--quiet", "--no-cache", *settings[1:]]
        subprocess.run(
            [find_ruff_bin(), "format", *options, *map(str, copies)],
            check=True,
            capture_output=True,
        )
        return [path.read_text(encoding="utf-8") for path in copies]


def _settings(near: Path) -> Settings:
    """Return the text of the ruff settings for a folder, and ruff's options to use them."""
    path = ruff_settings(near)
    if path is None:
        return ("", "--isolated", "--target-version", "py311")
    return (said_by(path), "--config", str(path))
