"""NATS URLs: servers, credentials and replication."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

_SCHEMES: Final = ("nats", "tls")
_OPTIONS: Final = frozenset({"replicas", "creds", "tls_ca", "ack_seconds"})
# A name that is one word of a subject.
_WORD: Final = re.compile(r"[A-Za-z0-9_-]+")
# How long a reader may be silent before what it works on is given away.
_ACK_SECONDS: Final = 10.0
# What JetStream knows: a stream has an odd number of copies, so that most of them can agree.
_REPLICAS: Final = ("1", "3", "5")


@dataclass(frozen=True, slots=True)
class NatsAddress:
    """A parsed URL."""

    servers: tuple[str, ...]
    # How many servers have an event before it counts as sent.
    replicas: int
    is_tls: bool
    ack_seconds: float = _ACK_SECONDS
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    # A file with a token and the key that it is for, as `nsc` writes it.
    credentials: Path | None = None
    authority: Path | None = None

    @property
    def inbox(self) -> str:
        """Return the prefix of the NATS user's inboxes, which only this user may read."""
        return f"_INBOX_{self.user}" if _WORD.fullmatch(self.user or "") else "_INBOX"


def is_nats(url: str) -> bool:
    """Return whether a URL has a scheme of NATS. The rest of the URL may be invalid."""
    return url.partition("://")[0] in _SCHEMES


def check_nats_url(url: str) -> str:
    """Return the URL if valid. Raises ValueError with a message that omits the URL."""
    parse(url)
    return url


def parse(url: str) -> NatsAddress:
    """Parse a URL such as `nats://user:password@host:port,host:port?replicas=3`.

    `tls://` requires TLS. `?tls_ca=…` names the file of a certificate authority, and `?creds=…` a
    file of credentials. `?ack_seconds=…` is the time without an acknowledgement after which a
    reader's entry is delivered to another reader. Raises ValueError as `check_nats_url` does.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError("must start with nats:// or tls://")
    who, _, hosts = parts.netloc.rpartition("@")
    user, _, password = who.partition(":")
    query = parse_qs(parts.query, keep_blank_values=True)
    if unknown := query.keys() - _OPTIONS:
        raise ValueError(f"has unknown options: {', '.join(sorted(unknown))}")
    several = len(hosts.split(",")) > 1
    replicas = query.get("replicas", ["3" if several else "1"])[0]
    if replicas not in _REPLICAS:
        raise ValueError(f"replicas must be one of {', '.join(_REPLICAS)}")
    if parts.path.strip("/"):
        raise ValueError("has a path, which NATS does not support")
    return NatsAddress(
        servers=tuple(_server(parts.scheme, one) for one in hosts.split(",")),
        replicas=int(replicas),
        is_tls=parts.scheme == "tls",
        ack_seconds=_seconds(query.get("ack_seconds", [str(_ACK_SECONDS)])[0]),
        user=unquote(user) or None,
        password=unquote(password) or None,
        credentials=Path(query["creds"][0]) if "creds" in query else None,
        authority=Path(query["tls_ca"][0]) if "tls_ca" in query else None,
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 600.0:
        raise ValueError("ack_seconds must be a number from 0.1 to 600")
    return seconds


def _server(scheme: str, host: str) -> str:
    try:
        at = urlsplit(f"//{host}")
        name, port = at.hostname or "localhost", at.port or 4222
    except ValueError:
        raise ValueError("has an invalid port") from None
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}"
