"""Free ports of 127.0.0.1 for servers of several test processes at once."""

from __future__ import annotations

import secrets
import socket

# Below the ports that systems give to outgoing connections: between our look and the server's
# start, one of those could take the port.
_FIRST, _LAST = 20_000, 32_000
_given: set[int] = set()
_every, _which = 1, 0


def keep_to_every(count: int, which: int) -> None:
    """Give each of `count` processes its own ports; this process is number `which`."""
    global _every, _which
    _every, _which = count, which


def free_port() -> int:
    """Return a port that nothing listens on and that this process has not returned yet."""
    while True:
        port = _FIRST + secrets.randbelow((_LAST - _FIRST) // _every) * _every + _which
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
