"""The commands that generate files from a service's sources."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.scaffold.wanted import ScaffoldError


def run(root: Path, *command: str) -> None:
    """Run a Python module in the repository. Raises ScaffoldError with the output."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=root,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise ScaffoldError(f"{' '.join(command[:3])} failed:\n{done.stdout.strip()}")


def tidy(root: Path, paths: Sequence[Path]) -> None:
    """Format Python files, sort imports, and remove unused imports."""
    names = [str(path) for path in paths if path.suffix == ".py" and path.exists()]
    if names:
        run(root, "ruff", "check", "--quiet", "--fix", "--select", "I,F401", *names)
        run(root, "ruff", "format", "--quiet", *names)


def follow(root: Path, *names: str) -> None:
    """Write the files that depend on the list of services and on the services in `names`."""
    run(root, "tools.scaffold.follow", *names)
