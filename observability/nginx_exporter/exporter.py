"""The exporter: one lock and one state file for its log followers, its parser and its totals."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from observability.nginx_exporter.follower import Follower, Start
from observability.nginx_exporter.hits import Parser
from observability.nginx_exporter.snapshot import Log, LogCounts, Snapshot, StateFile
from observability.nginx_exporter.totals import Totals

_log = logging.getLogger("nginx_exporter")


class Watched:
    """A log that is followed: its follower, and the counts of the lines parsed so far."""

    def __init__(
        self, path: Path, parser: Parser, totals: Totals, past: Log | None, start: Start
    ) -> None:
        """Resume from the stored state `past`, or begin at `start` if there is none."""
        self.counts = past.counts if past else LogCounts()
        self.read_errors = 0
        self._failing = ""
        self._parser = parser
        self._totals = totals
        self.follower = Follower(path, self._consume, past.state if past else None, start=start)

    def look(self) -> None:
        """Look for new, renamed and truncated files of the log."""
        try:
            self.follower.look()
        except OSError as error:
            self._failed(error)
        else:
            if self.follower.trouble is not None:
                self._failed(self.follower.trouble)

    def read(self) -> bool:
        """Read and count some lines. Return False if no more lines can be read now."""
        try:
            more = self.follower.read()
        except OSError as error:
            self._failed(error)
            return False
        if self.follower.up:
            self._failing = ""
        return more

    def lag(self) -> float:
        """Return the number of bytes not yet counted, or NaN if the file sizes are unknown."""
        try:
            return self.follower.lag()
        except OSError:
            return math.nan

    def _failed(self, error: OSError) -> None:
        """Record a failed read of the log. The next poll reads the same lines."""
        self.read_errors += 1
        self.follower.up = False
        reason = error.strerror or str(error)
        if reason != self._failing:  # said once, not four times a second
            _log.warning("The log %s cannot be read: %s.", self.follower.path, reason)
            self._failing = reason

    def _consume(self, lines: bytes) -> None:
        for piece in pieces(lines):
            hits, errors = self._parser.parse(piece)
            self._totals.add(hits)
            self.counts.lines += len(hits) + errors
            self.counts.parse_errors += errors
            self.counts.connections += self._parser.connections(piece)


def pieces(lines: bytes, size: int = 1 << 16) -> Iterator[bytes]:
    """Read whole lines, about `size` bytes at a time, so that the bytes fit into the CPU cache.

    The use of the cache saves a sixth of the time. A line that does not have the expected format
    then slows fewer other lines down.
    """
    start = 0
    while start < len(lines):
        last = lines.rfind(b"\n", start, start + size) + 1
        end = last or lines.find(b"\n", start + size) + 1 or len(lines)
        yield lines[start:end]
        start = end


class Exporter:
    """Count the lines of logs, and store the counts. `lock` guards all counters."""

    def __init__(
        self,
        logs: list[Path],
        parser: Parser,
        totals: Totals,
        file: StateFile,
        past: Snapshot | None,
        start: Start = "beginning",
    ) -> None:
        """Create an exporter. `totals` must come from the snapshot `past`.

        A log that `past` does not contain starts from zero.
        """
        known = {log.state.path: log for log in past.logs} if past else {}
        self.lock = threading.Lock()
        self.totals = totals
        self.state_errors = 0
        self.logs = [
            Watched(path, parser, totals, known.pop(str(path), None), start) for path in logs
        ]
        self._unwatched = list(known.values())  # Kept, should the log be followed again.
        self._file = file
        self._unwritten = ""

    def look(self) -> None:
        """Find the files of each log, so that no rotation is missed from now on."""
        with self.lock:
            for watched in self.logs:
                watched.look()

    def step(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Read everything available, and let scrapes run between chunks."""
        for watched in self.logs:
            with self.lock:
                watched.look()
            while not stop():
                with self.lock:
                    more = watched.read()
                if not more:
                    break
                # An unfair lock would starve a waiting scrape while a backlog is read.
                time.sleep(0.0001)

    def commit(self) -> None:
        """Store counters and positions. Hold the lock, and call this method before each export.

        The counts of a scrape must be on disk before the scrape sees them. After a crash, the
        exporter would otherwise read from an older position, and Prometheus would take the smaller
        counters for a reset.
        """
        logs = [Log(watched.follower.state, watched.counts) for watched in self.logs]
        snapshot = Snapshot(self.totals.buckets, self.totals.series, logs + self._unwatched)
        try:
            self._file.save(snapshot)
        except OSError as error:
            self.state_errors += 1
            reason = error.strerror or str(error)
            if reason != self._unwritten:
                _log.warning("The state file %s cannot be written: %s.", self._file.path, reason)
            self._unwritten = reason
        else:
            self._unwritten = ""

    def run(self, stop: threading.Event, *, interval: float, commit_every: float) -> None:
        """Follow the logs until `stop` is set, then store the state for the next start.

        The times are in seconds.
        """
        due = time.monotonic() + commit_every
        while not stop.wait(interval):
            self.step(stop.is_set)
            if time.monotonic() >= due:
                with self.lock:
                    self.commit()
                due = time.monotonic() + commit_every
        with self.lock:
            self.commit()
            for watched in self.logs:
                watched.follower.close()
