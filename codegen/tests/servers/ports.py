"""Free ports of 127.0.0.1 for servers of several test processes at once."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import tempfile
from functools import cache
from pathlib import Path

# Below the ports that systems give to outgoing connections: between our look and the server's
# start, one of those could take the port.
_FIRST, _LAST = 20_000, 32_000
_given: set[int] = set()


def free_port() -> int:
    """Return a port that nothing listens on, and reserve it until this process ends.

    No process of this account gets the port from this function while it is reserved. The
    reservation is a record lock: a byte of the file stands for a port.
    """
    file = _reservations()
    while True:
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if port in _given:
            continue
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except (BlockingIOError, PermissionError):  # another process has it
            continue
        if _is_free(port):
            _given.add(port)
            return port
        fcntl.lockf(file, fcntl.LOCK_UN, 1, port)


@cache
def _reservations() -> int:
    """Open the file of reservations. It stays open, because closing it would remove the locks."""
    path = Path(tempfile.gettempdir(), f"free-ports-{os.getuid()}")
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
