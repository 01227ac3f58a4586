"""Store the counters and reading positions in one file, which is always replaced as a whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

import msgspec

from observability.nginx_exporter.tally import Series
from observability.nginx_exporter.tracks import LogState

VERSION: Final = 1


class LogCounts(msgspec.Struct):
    """The counts of the lines of one log."""

    lines: int = 0
    parse_errors: int = 0
    connections: int = 0


class Log(msgspec.Struct):
    """One followed log."""

    state: LogState
    counts: LogCounts


class Snapshot(msgspec.Struct):
    """The state that must survive a restart."""

    buckets: tuple[float, ...]
    series: list[Series]
    logs: list[Log]
    version: int = VERSION


class StateError(Exception):
    """The state file is unusable; the message is one sentence."""


class StateFile:
    """The state file of one exporter, locked until the process ends."""

    def __init__(self, path: Path) -> None:
        """Lock the file. Raises StateError for a read-only folder or a second exporter."""
        self.path = path
        self._written = b""
        lock = path.with_name(path.name + ".lock")
        try:
            self._lock = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(
                f"The state file {path} cannot be written: {error.strerror}."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise StateError(f"Another exporter is using the state file {path}.") from error

    def load(self) -> Snapshot | None:
        """Return the last snapshot, or None. Raises StateError for an invalid file."""
        try:
            snapshot = msgspec.json.decode(self.path.read_bytes(), type=Snapshot)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"{self.path} cannot be read: {error.strerror}.") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise StateError(
                f"{self.path} is not a state file ({error}); delete the file to count from zero."
            ) from error
        if snapshot.version != VERSION:
            raise StateError(
                f"{self.path} is of version {snapshot.version}, not {VERSION}; "
                "delete the file to count from zero."
            )
        lengths = {len(s.duration) for s in snapshot.series}
        lengths |= {len(s.upstream) for s in snapshot.series}
        if lengths - {len(snapshot.buckets) + 1}:
            raise StateError(
                f"{self.path} has counts that do not match its histogram buckets; "
                "delete the file to count from zero."
            )
        return snapshot

    def save(self, snapshot: Snapshot) -> None:
        """Write the snapshot if it has changed. If this raises OSError, the old file stays."""
        encoded = msgspec.json.encode(snapshot)
        if encoded == self._written:
            return
        draft = self.path.with_name(self.path.name + ".tmp")
        # Readable by its owner alone: it holds the beginning of each log.
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with contextlib.closing(os.fdopen(fd, "wb")) as file:
            file.write(encoded)
            file.flush()
            os.fsync(fd)
        draft.replace(self.path)
        self._written = encoded

    def close(self) -> None:
        """Release the file for another exporter."""
        os.close(self._lock)
