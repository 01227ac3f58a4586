"""Commands, and the whole platform, in a copy of the repository."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack.embedded.ports import free_port
from devstack.settings import MONITORING_PORTS, PORTS
from devstack.testing.wait import DEADLINE

CACHES = {"__pycache__", ".cache", ".run", ".mypy_cache", ".pytest_cache", ".ruff_cache"}


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and not {*path.parts} & CACHES
    }


def run(root: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python in the copy."""
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=root, check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(root), **environ},
    )  # fmt: skip


def done(root: Path, *command: str, **environ: str) -> str:
    said = run(root, *command, **environ)
    assert said.returncode == 0, said.stdout[-6000:] + said.stderr[-3000:]
    return said.stdout


def generated(root: Path) -> list[str]:
    """Return the names of the files that `make render` and `make swag-gen` write in a copy."""
    code = "from tools import rendered; print(*rendered.files(), sep='\\n')"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    paths = [Path(line) for line in said.splitlines()]
    paths += [*root.glob("api/*/*.yaml"), root / "docs/schema.md", root / "README.md"]
    return sorted(str(path.relative_to(root)) for path in paths)


@contextmanager
def stack(root: Path, run_dir: Path) -> Iterator[str]:
    """Run the platform of a copy; yield the address of its gateway when it responds."""
    names = ["GATEWAY_PORT", "POSTGRES_PORT", "REDIS_PORT", *PORTS, *MONITORING_PORTS]
    environ = {name: str(free_port()) for name in [*names, "INVENTORY_PORT", "INVENTORY_GRPC_PORT"]}
    url = f"http://127.0.0.1:{environ['GATEWAY_PORT']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "devstack"], cwd=root, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env={**os.environ, **environ, "PYTHONPATH": str(root), "RUN_DIR": str(run_dir)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "ready; press Ctrl-C" in line:
                break
        else:
            pytest.fail("".join(lines))
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE * 4)
