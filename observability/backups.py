"""Export the time of the newest restorable backup to Prometheus: see docs/backups.md.

`python -m observability.backups FOLDER`. The folder is read again at each scrape.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

# A backup that is being made, or failed half-way, has another name.
_BASE: Final = re.compile(r"\d{8}T\d{6}Z")
_START: Final = re.compile(r"^START WAL LOCATION: .* \(file ([0-9A-F]{24})\)$", re.MULTILINE)
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")


def restorable(folder: Path) -> datetime | None:
    """Return the time of the newest base backup whose WAL is complete up to the newest segment.

    Return None if there is no such backup. Raises OSError if the folder cannot be read.
    """
    archive = folder / "wal"
    segments = {file.name for file in archive.iterdir() if _SEGMENT.fullmatch(file.name)}
    per_file = _per_file(archive, segments)
    for base in sorted((folder / "base").iterdir(), reverse=True):
        if _BASE.fullmatch(base.name) and _is_unbroken(_start(base), segments, per_file):
            return datetime.strptime(base.name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return None


def _start(base: Path) -> str:
    """Return the WAL segment at which recovery starts, or an empty text if it is unknown."""
    try:
        found = _START.search((base / "backup_label").read_text())
    except FileNotFoundError:
        return ""
    return found[1] if found else ""


def _is_unbroken(start: str, segments: set[str], per_file: int) -> bool:
    """Return whether the archive has every WAL segment from a backup's start to the newest one."""
    later = {name for name in segments if name[:8] == start[:8] and name >= start}
    if not start or not later:
        return bool(start)  # it holds what it needs itself; no later moment is there yet
    return len(later) == _number(max(later), per_file) - _number(start, per_file) + 1


def _number(segment: str, per_file: int) -> int:
    return int(segment[8:16], 16) * per_file + int(segment[16:], 16)


def _per_file(archive: Path, segments: set[str]) -> int:
    """Return the number of segments per log file, from their size (16 MiB by default)."""
    size = (archive / min(segments)).stat().st_size if segments else 0
    return 2**32 // (size or 2**24)


class Backups(Collector):
    """A metric that is computed from the files in a folder at each scrape."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metric.

        The value is 0 if there is no restorable backup or no folder.
        """
        try:
            made = restorable(self._folder)
        except OSError:
            made = None
        yield GaugeMetricFamily(
            "backup_restorable_timestamp_seconds",
            "Time of the newest base backup with a complete WAL archive after it.",
            made.timestamp() if made else 0,
        )


def main() -> None:
    """Serve `/metrics` until ended."""
    parser = argparse.ArgumentParser(prog="python -m observability.backups", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder that docs/backups.md calls $BACKUPS")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9188)
    options = parser.parse_args()
    registry = CollectorRegistry()
    registry.register(Backups(options.folder))
    _, thread = start_http_server(options.port, options.host, registry)
    thread.join()


if __name__ == "__main__":
    main()
