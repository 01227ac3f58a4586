"""Lays source out with ruff's formatter, so that formatting it again changes nothing."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ruff.__main__ import find_ruff_bin  # type: ignore[import-untyped]  # ships no types

from aiosqlc.emit.settings import ruff_settings
from aiosqlc.stages import Rendered


def format_all(files: Sequence[Rendered], near: Path) -> tuple[Rendered, ...]:
    """Format Python files in one run, by the ruff settings that hold in the folder `near`."""
    python = [file for file in files if file.path.suffix == ".py"]
    if not python:
        return tuple(files)
    with tempfile.TemporaryDirectory() as folder:
        copies = {file.path: Path(folder) / f"{number}.py" for number, file in enumerate(python)}
        for file in python:
            copies[file.path].write_text(file.text, encoding="utf-8")
        subprocess.run(
            [
                find_ruff_bin(),
                "format",
                "--quiet",
                "--no-cache",
                *_settings(near),
                *map(str, copies.values()),
            ],
            check=True,
            capture_output=True,
        )
        return tuple(
            Rendered(file.path, copies[file.path].read_text(encoding="utf-8"))
            if file.path in copies
            else file
            for file in files
        )


def _settings(near: Path) -> list[str]:
    """Return the options that make ruff format as it would in this folder."""
    path = ruff_settings(near)
    return ["--config", str(path)] if path else ["--isolated", "--target-version", "py311"]
