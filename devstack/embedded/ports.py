"""Find free ports, and find the process that listens on a busy port."""

from __future__ import annotations

import secrets
import socket

import psutil

# Below the ports that systems hand out by themselves: between our look and the server's start, an
# outgoing connection of anybody could take one of those.
_FIRST, _LAST = 20_000, 32_000
_EPHEMERAL = 32_768
_given: set[int] = set()
_every, _which = 1, 0


def keep_to_every(count: int, which: int) -> None:
    """Reserve a range of ports for the process with number `which` of `count` processes."""
    global _every, _which
    _every, _which = count, which


def free_port() -> int:
    """Return a free TCP port of 127.0.0.1 that this process has not returned before."""
    while True:
        port = _FIRST + secrets.randbelow((_LAST - _FIRST) // _every) * _every + _which
        if port not in _given and is_free(port):
            _given.add(port)
            return port


def free_pair(apart: int) -> int:
    """Return a free port `p` for which the port `p + apart` is also free."""
    while True:
        port = free_port()
        above = port + apart
        # Not among those that the system hands out to outgoing connections.
        if above < _EPHEMERAL and above not in _given and is_free(above):
            _given.add(above)
            return port


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a server could listen on `port` now."""
    return trouble(port, host) is None


def trouble(port: int, host: str = "127.0.0.1") -> str | None:
    """Return why no server can listen on `port`, such as `is held by nginx (pid 712)`."""
    with socket.socket() as sock:
        # As servers do: a connection still in TIME_WAIT does not make the port busy.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except PermissionError:
            return "requires a privileged account"
        except OSError:
            return f"is held by {holder(port)}"
    return None


def holder(port: int) -> str:
    """Return the process that listens on `port`, such as `nginx (pid 712)`."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr:
                continue
            if connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass  # another account's process: the system does not show it to us
    return "a process of another account"
