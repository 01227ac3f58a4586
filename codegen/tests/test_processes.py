"""Work is divided among forked processes, only if a fork is safe."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from aiosqlc.store import processes
from aiosqlc.store.processes import shares

from tests.projects import ran

_ROOT = Path(__file__).parents[1]


def test_divided_work_comes_to_what_one_process_makes_of_it() -> None:
    """The test uses its own process, because threads of earlier tests may still run in this one."""
    script = _ROOT / "tests/processes_alone.py"
    pytest_ = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    done = ran(*pytest_, script, cwd=_ROOT)
    assert done.returncode == 0, done.stdout
    assert "15 passed" in done.stdout


def test_a_process_with_threads_is_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_cores", lambda: 3)
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        assert [list(run) for run in shares(range(6), 1)] == [[0, 1, 2, 3, 4, 5]]
    finally:
        done.set()
        other.join()
