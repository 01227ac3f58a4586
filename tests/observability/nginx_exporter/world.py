"""A log that is written and rotated, and a follower that may be killed; its reads are recorded."""

import os
import shutil
from pathlib import Path

import msgspec

from observability.nginx_exporter.follower import Follower
from observability.nginx_exporter.tracks import LogState


class World:
    """A log directory, a follower, and what the follower has durably read so far."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "access.log"
        self.written: list[bytes] = []
        self.read: list[bytes] = []
        self.saved: tuple[bytes | None, list[bytes]] = (None, [])
        self.half = b""
        self.clock = 0.0
        self.follower = self.start()

    def start(self, **options: object) -> Follower:
        state, self.read = self.saved[0], list(self.saved[1])
        past = msgspec.json.decode(state, type=LogState) if state else None
        return Follower(
            self.log,
            lambda lines: self.read.extend(lines.splitlines()),
            past,
            chunk=700,
            clock=lambda: self.clock,
            **options,
        )

    def write(self, count: int = 1) -> None:
        self.append(self.lines(count))

    def lines(self, count: int) -> bytes:
        """Return the next lines, each unique; from now on they count as written."""
        lines = [
            b'{"n":%06d,"pad":"%s"}' % (len(self.written) + i, b"x" * 40) for i in range(count)
        ]
        self.written += lines
        return b"".join(line + b"\n" for line in lines)

    def append(self, piece: bytes) -> None:
        with self.log.open("ab") as file:
            file.write(piece)

    def begin_a_line(self) -> None:
        self.half = self.lines(1)
        self.append(self.half[:9])

    def end_the_line(self) -> None:
        self.append(self.half[9:])

    def shift(self) -> None:
        for number in range(30, 0, -1):
            old = Path(f"{self.log}.{number}")
            if old.exists():
                old.rename(f"{self.log}.{number + 1}")

    def rename(self) -> None:
        if self.log.exists():
            self.shift()
            self.log.rename(f"{self.log}.1")

    def rename_and_create(self) -> None:
        self.rename()
        self.log.touch()

    def copytruncate(self) -> None:
        if self.log.exists():
            self.copy()
            self.cut()

    def copy(self) -> None:
        self.shift()
        shutil.copy(self.log, f"{self.log}.1")

    def cut(self) -> None:
        os.truncate(self.log, 0)

    def truncate_when_read(self) -> None:
        self.poll()
        self.commit()
        if self.log.exists():
            self.cut()

    def drop_oldest_when_read(self) -> None:
        self.poll()
        self.commit()
        old = sorted(self.log.parent.glob("access.log.*"), key=lambda p: int(p.suffix[1:]))
        if old:
            old[-1].unlink()

    def save_a_fresh_copy(self) -> None:
        fresh = shutil.copy(self.log, f"{self.log}~")
        Path(fresh).rename(f"{self.log}-saved")

    def save_a_copy(self) -> None:
        if self.log.exists():
            shutil.copy(self.log, f"{self.log}-saved")

    def look(self) -> None:
        self.follower.look()

    def poll(self) -> None:
        self.look()
        self.read_on()

    def read_on(self) -> None:
        while self.follower.read():
            pass

    def wait(self) -> None:
        self.clock += 61
        self.poll()

    def commit(self) -> None:
        self.saved = (msgspec.json.encode(self.follower.state), list(self.read))

    def stop_and_start(self) -> None:
        self.commit()
        self.crash()

    def crash(self) -> None:
        self.follower.close()
        self.follower = self.start()

    def settle(self) -> None:
        for _ in range(3):
            self.poll()
