"""Temporary files are in memory while tests run, and are removed afterwards."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests import scratch


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a user who has not set the folder for such files."""
    for name in ("TMPDIR", "AIOSQLC_CACHE_DIR", scratch.KEPT):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_while_tests_run_our_files_and_those_of_whom_we_start_are_there(tmp_path: Path) -> None:
    on_disk = tempfile.gettempdir()
    ask = "import os, tempfile; print(tempfile.gettempdir(), os.environ['AIOSQLC_CACHE_DIR'])"
    with scratch.in_memory(tmp_path, room=0) as folder:
        said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout
        assert said.split() == [str(folder), f"{folder}/aiosqlc"]
        assert tempfile.gettempdir() == str(folder)
        assert os.environ[scratch.KEPT] == on_disk
    assert tempfile.gettempdir() == on_disk
    assert "AIOSQLC_CACHE_DIR" not in os.environ
    assert list(tmp_path.iterdir()) == []


def test_without_room_or_where_somebody_has_said_where_they_stay_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for memory, room in ((tmp_path, 1 << 60), (tmp_path / "missing", 0)):
        with scratch.in_memory(memory, room) as folder:
            assert folder is None
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with scratch.in_memory(tmp_path, room=0) as folder:
        assert folder is None


def test_what_a_killed_run_has_left_goes_and_what_a_running_one_uses_stays(tmp_path: Path) -> None:
    left, held, young = (tmp_path / f"{scratch.PREFIX}{name}" for name in ("left", "held", "young"))
    for folder in (left, held, young):
        (folder / "data").mkdir(parents=True)
    for folder in (left, held):
        os.utime(folder, (time.time() - 2 * scratch.YOUNG,) * 2)
    lock = os.open(held, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        with scratch.in_memory(tmp_path, room=1 << 60):
            assert sorted(tmp_path.iterdir()) == [held, young]
    finally:
        os.close(lock)
