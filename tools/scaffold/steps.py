"""The commands that write what follows from a service's sources."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.scaffold.wanted import ScaffoldError


def run(root: Path, *command: str) -> None:
    """Run a module of Python in the repository. Raises ScaffoldError with what it says."""
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
    """Format Python files, and sort and prune their imports."""
    names = [str(path) for path in paths if path.suffix == ".py" and path.exists()]
    if names:
        run(root, "ruff", "check", "--quiet", "--fix", "--select", "I,F401", *names)
        run(root, "ruff", "format", "--quiet", *names)


def follow(root: Path, *names: str) -> None:
    """Write what follows from the list of services, of these also rights and documents."""
    run(root, "tools.scaffold.follow", *names)
