"""Lays source out with ruff's formatter, so that formatting it again changes nothing."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ruff.__main__ import find_ruff_bin  # type: ignore[import-untyped]  # ships no types

from aiosqlc.emit.settings import ruff_settings
from aiosqlc.ir import Rendered


def format_together(files: Sequence[Rendered], near: Mapping[Path, Path]) -> list[Rendered]:
    """Format files of many folders, in one run for all that have the same settings.

    `near` names for each path the folder whose settings hold; a file without one stays as it is.
    """
    groups: dict[Settings, list[Rendered]] = {}
    settings = {folder: _settings(folder) for folder in dict.fromkeys(near.values())}
    for file in files:
        if file.path in near:
            groups.setdefault(settings[near[file.path]], []).append(file)
    done = {
        id(file): formatted
        for group, members in groups.items()
        for file, formatted in zip(members, _formatted(members, group), strict=True)
    }
    return [done.get(id(file), file) for file in files]


def format_all(files: Sequence[Rendered], near: Path) -> tuple[Rendered, ...]:
    """Format Python files in one run, by the ruff settings that hold in the folder `near`."""
    return _formatted(files, _settings(near))


def _formatted(files: Sequence[Rendered], settings: Settings) -> tuple[Rendered, ...]:
    known = _known.setdefault(settings, {})
    python = [file.text for file in files if file.path.suffix == ".py"]
    fresh = [text for text in dict.fromkeys(python) if text not in known]
    formatted = {text: known[text] for text in python if text in known}
    formatted |= zip(fresh, _format(fresh, settings), strict=True)
    _known[settings] = formatted  # what is not asked for any more is forgotten
    return tuple(Rendered(file.path, formatted.get(file.text, file.text)) for file in files)


Settings = tuple[str, ...]
_known: dict[Settings, dict[str, str]] = {}


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
    """Return what the settings say, then the options that make ruff format by them."""
    path = ruff_settings(near)
    if path is None:
        return ("", "--isolated", "--target-version", "py311")
    return (path.read_text(encoding="utf-8"), "--config", str(path))
