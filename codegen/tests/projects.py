"""Small projects on disk: written, loaded, and commands that run in them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiosqlc.config.load import load_project
from aiosqlc.config.project import Project


def write_project(root: Path, files: Mapping[str, str]) -> Path:
    """Write the files of a project; return its folder."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def loaded(folder: Path) -> Project:
    """Return the project in a folder, whose configuration must be valid."""
    project, problems = load_project(folder / "sqlc.yaml", environ={})
    assert problems == []
    assert project
    return project


def ran(*command: str | Path, **given: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with any exit code; return its output."""
    return subprocess.run(command, capture_output=True, text=True, check=False, **given)
