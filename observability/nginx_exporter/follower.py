"""Read every line of a log once, despite renames, copies, truncation and restarts.

A file is identified by its device, its inode and its first bytes, never by its name. A renamed file
has the same inode, so reading continues. If the beginning of a file has changed, the file was
truncated. Its former unread content is unclaimed until a copy with the rest is found. A new file is
read from its start. A file with the beginning of a known file is a copy, and is read only if the
original no longer exists.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from observability.nginx_exporter import siblings
from observability.nginx_exporter.siblings import Found
from observability.nginx_exporter.tracks import (
    HEAD_BYTES,
    Ident,
    LogState,
    Opened,
    Track,
    is_distinctive,
)

Start = Literal["beginning", "end"]


class _Unknown(NamedTuple):
    found: Found
    file: Opened
    head: bytes
    size: int


class Follower:
    """Follow one log. Not thread-safe: the owner's lock covers `look`, `read` and `state`."""

    def __init__(
        self,
        path: Path,
        consume: Callable[[bytes], None],
        state: LogState | None = None,
        *,
        start: Start = "beginning",
        chunk: int = 1 << 20,
        drain_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Pass whole lines to `consume`. Without a `state`, begin at `start`.

        If a line is longer than `chunk` bytes, only its beginning is passed, as a line. A rotated
        file is watched until it has not grown for `drain_seconds`, because NGINX writes to it until
        a signal makes NGINX reopen its logs.
        """
        self.path = path
        self.up = False
        self.trouble: OSError | None = None
        self._consume = consume
        self._state = state or LogState(str(path))
        self._new = state is None
        self._start = start
        self._chunk = chunk
        self._drain = drain_seconds
        self._clock = clock
        self._tracks: dict[Ident, Track] = {track.ident: track for track in self._state.tracks}
        self._unclaimed = [(track, clock()) for track in self._state.unclaimed]
        self._restored = next(
            (t for t in self._state.tracks if t.ident == self._state.current), None
        )
        self._open: dict[Ident, Opened] = {}
        self._stamps: dict[Ident, tuple[int, int]] = {}
        self._missing_since: dict[Ident, float] = {}

    @property
    def state(self) -> LogState:
        """Return how far each file was read, to be stored together with the counts."""
        self._state.tracks = list(self._tracks.values())
        self._state.unclaimed = [track for track, _ in self._unclaimed]
        return self._state

    def lag(self) -> int:
        """Return the number of bytes written but not yet read."""
        behind = (file.size() - self._tracks[ident].offset for ident, file in self._open.items())
        return sum(max(0, size) for size in behind)

    def close(self) -> None:
        """Close every file. A new follower can resume from this follower's state."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    # --- Find the files ----------------------------------------------------------------------

    def look(self) -> None:
        """Compare the known files with the directory; call this method before reading."""
        # Nothing stands still: between any two steps here the log may be written, copied, cut and
        # rotated, and a copy be renamed past the listing or away from its name.
        self.trouble = None
        self._cut_in_place()
        unclaimed = [track for track, _ in self._unclaimed]
        current, rest = siblings.find(self.path)
        # The originals after their copies: what a copy repeats is then known, or cut.
        listed = {found.ident: found for found in (*rest, current) if found is not None}
        unknown = [new for found in listed.values() if (new := self._visit(found, current))]
        self._cut_in_place()
        missing = [t for i, t in self._tracks.items() if i not in listed and i not in self._open]
        for former in unclaimed + [track for track in missing if track.is_original()]:
            self._adopt(former, unknown, listed, current)
        # The longest first, and the log itself before a copy of it: what comes after is the copy.
        by_size = sorted(unknown, key=lambda new: (new.size, new.found is current), reverse=True)
        for new in by_size:
            self._admit(new, is_current=current is not None and new.found.ident == current.ident)
        self._set_current(current)
        self._retire(listed)
        self._new = False
        if any(track not in unclaimed for track, _ in self._unclaimed):
            self.look()  # Cut after the listing: the next one has the copy, and finished.
        self._restored = None

    def _cut_in_place(self) -> None:
        """Record the former content of each truncated open file: a copy of it may be found."""
        for ident, file in self._open.items():
            track, size, head = self._tracks[ident], file.size(), file.head()
            if track.still(head, size):
                track.head = head
                continue
            self._set_unclaimed(track)
            self._tracks[ident] = Track(*ident, head=head)
            self._state.truncations += 1

    def _set_unclaimed(self, track: Track) -> None:
        if track.is_original():
            self._unclaimed.append((track, self._clock()))

    def _visit(self, found: Found, current: Found | None) -> _Unknown | None:
        """Open a file that may have changed. Return the file if its content is unknown."""
        idle = found is not current and self._stamps.get(found.ident) == found.stamp
        if found.ident in self._open or idle:
            return None
        file = self._opened(found, current)
        if file is None:
            return None
        size, head = file.size(), file.head()
        track = self._tracks.get(found.ident)
        if track is None or not track.head or not track.still(head, size):
            # The content is another one, or too short to identify: the inode of a deleted file is
            # used again, and the new file may be a copy of lines that were already counted.
            if track is not None:
                self._set_unclaimed(self._tracks.pop(found.ident))
            return _Unknown(found, file, head, size)
        track.head = head
        wanted = found is current or (size > track.offset and not track.copy)
        self._keep(file) if wanted else self._put_aside(found, file)
        return None

    def _adopt(
        self,
        former: Track,
        unknown: list[_Unknown],
        listed: dict[Ident, Found],
        current: Found | None,
    ) -> None:
        """Continue to read a truncated file's former content in its longest copy."""

        def fits(new: _Unknown) -> bool:
            # A new log file is read from its start, unless only the device number is new, as after
            # a new mount of the volume.
            moved = new.found is not current or new.found.ident[1] == former.inode
            is_long = new.size >= former.offset and is_distinctive(new.head)
            return moved and is_long and former.begins(new.head)

        successors = sorted(filter(fits, unknown), key=lambda new: new.size)
        copies = [
            (listed[t.ident].stamp[0], t)
            for t in self._tracks.values()
            if t.copy and t.ident in listed and t.begins(former.head)
        ]
        size, copy = max(copies, key=lambda pair: pair[0], default=(-1, None))
        if successors and successors[-1].size >= size:
            successor = successors[-1]
            unknown.remove(successor)
            self._forget(former)
            self._track(successor, offset=former.offset, inside=former.inside)
        elif copy is not None and size >= former.offset:
            file = self._opened(listed[copy.ident], current)
            if file is not None:  # Else it was renamed just now, and is found the next time.
                self._forget(former)
                copy.copy, copy.offset, copy.inside = False, former.offset, former.inside
                self._keep(file)
        elif former is self._restored:
            self._state.lost_files += 1

    def _forget(self, former: Track) -> None:
        # Compared by identity: a truncated file's new content lives under the same ident.
        self._unclaimed = [
            (track, since) for track, since in self._unclaimed if track is not former
        ]
        if self._tracks.get(former.ident) is former:
            del self._tracks[former.ident]

    def _admit(self, new: _Unknown, *, is_current: bool) -> None:
        """Decide whether an unknown file is new, or a copy of a file that was counted."""
        if is_current:
            from_end = self._new and self._start == "end"
            self._track(new, offset=new.size if from_end else 0)
        elif self._new:
            self._track(new, offset=new.size)  # History from before the first start.
        elif not is_distinctive(new.head):
            new.file.close()  # It is looked at again.
        elif any(t.begins(new.head) for t in self._originals()):
            self._tracks[new.found.ident] = Track(*new.found.ident, head=new.head, copy=True)
            self._put_aside(new.found, new.file)
        else:
            self._track(new, offset=0)  # Created and rotated away between two looks.
            self._state.rotations += 1

    def _originals(self) -> list[Track]:
        """Return the tracked files whose content may also be in an unknown file."""
        return [t for t in self._tracks.values() if t.is_original()] + [
            t for t, _ in self._unclaimed
        ]

    def _track(self, new: _Unknown, *, offset: int, inside: bool = False) -> None:
        ident = new.found.ident
        self._tracks[ident] = Track(*ident, offset=offset, head=new.head, inside=inside)
        self._keep(new.file)

    def _set_current(self, current: Found | None) -> None:
        self.up = current is not None and current.ident in self._open
        if current is None or not self.up:
            return
        track = self._tracks[current.ident]
        if track.copy:
            # A copy was moved into the log's place: what it repeats was counted already.
            track.copy, track.offset = False, current.stamp[0]
        if self._state.current is not None and self._state.current != current.ident:
            self._state.rotations += 1
        self._state.current = current.ident

    def _retire(self, listed: dict[Ident, Found]) -> None:
        """Close files that get no new lines, and forget files that were deleted."""
        now = self._clock()
        # Not at once: a copy that was missed would be counted again when it is seen.
        self._unclaimed = [(t, since) for t, since in self._unclaimed if now - since < self._drain]
        for ident, file in list(self._open.items()):
            silent = now - file.quiet_since >= self._drain
            if ident != self._state.current and silent and self._finish(file):
                file.close()
                del self._open[ident]
        for ident in list(self._tracks):
            if ident in listed or ident in self._open:
                self._missing_since.pop(ident, None)
            # Not at once: a listing made during a rename may miss a file that is there.
            elif now - self._missing_since.setdefault(ident, now) >= self._drain:
                del self._tracks[ident], self._missing_since[ident]
                self._stamps.pop(ident, None)

    def _keep(self, file: Opened) -> None:
        file.quiet_since = self._clock()
        self._open[file.ident] = file

    def _put_aside(self, found: Found, file: Opened) -> None:
        self._stamps[found.ident] = found.stamp
        file.close()

    # --- Read the lines ----------------------------------------------------------------------

    def read(self) -> bool:
        """Consume one chunk of whole lines of one file. Return False if everything is read."""
        return any(self._read(self._tracks[i], file) for i, file in list(self._open.items()))

    def _read(self, track: Track, file: Opened) -> bool:
        chunk = file.read(track.offset, self._chunk)
        end = chunk.rfind(b"\n") + 1 or (len(chunk) if len(chunk) == self._chunk else 0)
        if not end:
            return False
        known, head = track.head, (track.head[: track.offset] + chunk)[:HEAD_BYTES]
        if len(known) < HEAD_BYTES and track.offset <= len(known) and head.startswith(known):
            track.head = head
        # Looked at again after reading: had the file been cut before, the bytes would be others',
        # and a beginning put together from both would be found in no copy.
        if not track.still(file.head(), file.size()):
            track.head = known
            return False
        self._take(track, file, chunk[:end])
        return True

    def _take(self, track: Track, file: Opened, lines: bytes) -> None:
        if track.inside:
            _, end, whole = lines.partition(b"\n")
            track.inside = not end
        else:
            track.inside = not lines.endswith(b"\n")
            whole = lines + b"\n" if track.inside else lines
        if whole:
            self._consume(whole)
        track.offset += len(lines)
        self._state.bytes_read += len(lines)
        self._state.last_line = time.time()
        file.quiet_since = self._clock()

    def _finish(self, file: Opened) -> bool:
        """Count a last line without a newline. Return False if whole lines are still unread."""
        track = self._tracks[file.ident]
        rest = file.read(track.offset, self._chunk)
        if b"\n" in rest or len(rest) == self._chunk:
            return False
        if rest and track.still(file.head(), file.size()):
            if not track.inside:
                self._consume(rest + b"\n")
            track.offset += len(rest)
        return True

    def _opened(self, found: Found, current: Found | None) -> Opened | None:
        """Open a listed file. Return None if it is unreadable or another file has its name now."""
        try:
            file = Opened(found.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            if found is current:
                self.trouble = error
            return None
        if file.ident != found.ident:
            file.close()
            return None
        return file
