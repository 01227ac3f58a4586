"""The folder `.run/`: data and secrets that the embedded servers keep between runs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from aiosqlc.servers.wheels import SETTING

from devstack.embedded import postgres, redis

POSTGRES_PORT = 15432  # beside a system's own server, not on top of it
REDIS_PORT = 16379
OFFSET = "PORT_OFFSET"  # moves every port that has no setting of its own


def _random() -> str:
    return secrets.token_urlsafe(24)


class Home(msgspec.Struct, frozen=True):
    """Paths and ports of the servers of one run directory."""

    path: Path
    postgres_port: int = POSTGRES_PORT
    redis_port: int = REDIS_PORT
    postgres_wheel: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Home:
        """Read `RUN_DIR`, `POSTGRES_PORT`, `REDIS_PORT` and `EMBEDDED_POSTGRES`.

        Raises ValueError, which names an invalid port.
        """
        return cls(
            path=Path(environ.get("RUN_DIR", ".run")).absolute(),
            postgres_port=port_from(environ, "POSTGRES_PORT", POSTGRES_PORT),
            redis_port=port_from(environ, "REDIS_PORT", REDIS_PORT),
            postgres_wheel=environ.get(SETTING, ""),
        )

    def secret(self, name: str, make: Callable[[], str] = _random) -> str:
        """Return the secret of this name.

        The secret is created at first use, and only this account can read the secret.
        """
        folder = self.path / "secrets"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        file = folder / name
        if not file.exists():
            draft = folder / f".{name}.{os.getpid()}"
            draft.touch(mode=0o600)
            draft.write_text(make())
            draft.rename(file)  # atomic: no process reads a half-written secret
        return file.read_text()

    def postgres_instance(self) -> postgres.Instance:
        """Describe the PostgreSQL server of this folder; if it runs, with the port that it uses."""
        data = self.path / "postgres"
        return postgres.Instance(
            data,
            _port_in_use(data) or self.postgres_port,
            self.secret("postgres"),
            wheel=self.postgres_wheel,
        )

    def redis_instance(self, users: Sequence[str] = ()) -> redis.Instance:
        """Describe the Redis server of this folder, with one Redis user for each of `users`."""
        passwords = {name: self.secret(f"{name}_redis") for name in users}
        return redis.Instance(self.path / "redis", self.redis_port, self.secret("redis"), passwords)

    @contextmanager
    def postgres_running(self) -> Iterator[postgres.Instance]:
        """Yield the PostgreSQL server of this folder, and start it for the block if it is down."""
        instance = self.postgres_instance()
        if postgres.accepts(instance):
            yield instance
            return
        with postgres.Server(instance):
            yield instance


def port_from(environ: Mapping[str, str], name: str, default: int) -> int:
    """Return the port that the variable `name` sets, or else the default port plus `PORT_OFFSET`.

    Raises ValueError if a variable is not a valid number, or if the sum is more than 65535.
    """
    if text := environ.get(name):
        if not text.isdecimal() or not 0 < int(text) < 65536:
            raise ValueError(f"{name} must be a port between 1 and 65535, not {text!r}")
        return int(text)
    offset = environ.get(OFFSET) or "0"
    if not offset.isdecimal():
        raise ValueError(f"{OFFSET} must be a whole number of 0 or more, not {offset!r}")
    port = default + int(offset)
    if port > 65535:
        raise ValueError(
            f"{OFFSET}={offset} moves {name} from {default} to {port}, but the highest port is"
            f" 65535; choose a smaller {OFFSET}, or set {name}"
        )
    return port


def _port_in_use(data: Path) -> int | None:
    """Return the port of the running server of a data directory, or None if no server runs."""
    try:
        return int((data / "postmaster.pid").read_text().splitlines()[3])
    except (OSError, IndexError, ValueError):
        return None
