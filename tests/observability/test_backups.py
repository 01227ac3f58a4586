"""The metric of backups: the files that make a folder's newest base backup count."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from devstack.embedded.ports import free_port
from devstack.settings import ROOT
from devstack.testing.wait import eventually
from observability.backups import Backups

OLD, NEW = "20260301T020000Z", "20260302T020000Z"
MIB = 2**20


def segment(number: int, timeline: int = 1, *, per_file: int = 256) -> str:
    return f"{timeline:08X}{number // per_file:08X}{number % per_file:08X}"


def base(folder: Path, name: str, start: str) -> None:
    (folder / "base" / name).mkdir(parents=True)
    label = f"START WAL LOCATION: 0/2000028 (file {start})\nCHECKPOINT LOCATION: 0/2000060\n"
    (folder / "base" / name / "backup_label").write_text(label)


def archive(folder: Path, segments: Iterable[str], *, size: int = 16 * MIB) -> None:
    (folder / "wal").mkdir(exist_ok=True)
    for name in segments:
        with (folder / "wal" / name).open("wb") as file:
            file.truncate(size)  # a hole: it takes no room


def metric(folder: Path) -> datetime | None:
    registry = CollectorRegistry()
    registry.register(Backups(folder))
    value = registry.get_sample_value("backup_restorable_timestamp_seconds")
    assert value is not None
    return datetime.fromtimestamp(value, UTC) if value else None


@pytest.mark.parametrize(
    ("archived", "expected"),
    [
        pytest.param([], NEW, id="nothing is archived yet: it holds what it needs"),
        pytest.param([*range(2, 9)], NEW, id="all is there"),
        pytest.param([*range(2, 9), 300], None, id="there is a gap behind both"),
        pytest.param([2, 4, 5, 6, 7, 8], NEW, id="the gap is behind the older one only"),
        pytest.param([*range(2, 5), 6, 7], None, id="what the newer one begins with is missing"),
        pytest.param([*range(2, 258)], NEW, id="the count goes over into the middle part"),
    ],
)
def test_a_backup_counts_if_what_comes_behind_it_is_unbroken(tmp_path, archived, expected):
    base(tmp_path, OLD, segment(2))
    base(tmp_path, NEW, segment(5))
    archive(tmp_path, map(segment, archived))
    assert metric(tmp_path) == (expected and datetime.fromisoformat(expected))


def test_one_that_was_not_finished_does_not_count(tmp_path):
    base(tmp_path, OLD, segment(2))
    base(tmp_path, "new", segment(5))
    (tmp_path / "base" / NEW).mkdir()
    archive(tmp_path, map(segment, range(2, 9)))
    assert metric(tmp_path) == datetime.fromisoformat(OLD)


def test_each_timeline_is_counted_by_itself(tmp_path):
    base(tmp_path, OLD, segment(2))
    base(tmp_path, NEW, segment(6, 2))
    archive(tmp_path, [segment(number) for number in (2, 3, 4)])
    archive(tmp_path, [segment(number, 2) for number in (4, 5, 6, 7)])
    archive(tmp_path, ["00000002.history", f"{segment(6, 2)}.00000028.backup", "partial.new"])
    assert metric(tmp_path) == datetime.fromisoformat(NEW)


def test_segments_of_another_size_are_counted_by_theirs(tmp_path):
    base(tmp_path, NEW, segment(60, per_file=64))
    archive(tmp_path, [segment(n, per_file=64) for n in range(60, 70)], size=64 * MIB)
    assert metric(tmp_path) == datetime.fromisoformat(NEW)


def test_a_folder_that_is_empty_or_away_has_none(tmp_path):
    assert metric(tmp_path) is None
    assert metric(tmp_path / "away") is None


async def test_the_command_serves_it(tmp_path):
    base(tmp_path, NEW, segment(5))
    archive(tmp_path, [])
    port = free_port()
    line = [sys.executable, "-m", "observability.backups", str(tmp_path), "--port", str(port)]
    page = ""

    def answers() -> bool:
        nonlocal page
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                page = answer.read().decode()
        except OSError:
            return False
        return True

    with subprocess.Popen(line, cwd=ROOT) as process:
        try:
            await eventually(answers)
        finally:
            process.terminate()
    (value,) = [row.split()[1] for row in page.splitlines() if row.startswith("backup_")]
    assert float(value) == datetime.fromisoformat(NEW).timestamp()
