"""Parameters in a database URL, and the check whether they make the driver verify the server."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit


class SslMode(StrEnum):
    """The TLS modes of a MySQL connection, with the names of MySQL's own clients."""

    DISABLED = "DISABLED"
    REQUIRED = "REQUIRED"
    VERIFY_CA = "VERIFY_CA"
    VERIFY_IDENTITY = "VERIFY_IDENTITY"


VERIFYING: Final = frozenset({SslMode.VERIFY_CA, SslMode.VERIFY_IDENTITY})
_MODE, _CA = "ssl-mode", "ssl-ca"
# The modes with the names of PostgreSQL's clients. `require` encrypts, but does not verify the
# server.
_DECIDED: Final[dict[str, tuple[str, set[str]]]] = {
    "mysql": (_MODE, {*VERIFYING, SslMode.DISABLED}),
    "postgres": ("sslmode", {"verify-ca", "verify-full", "disable"}),
}


def mysql_tls(url: str) -> tuple[SslMode | None, str | None]:
    """Return the TLS mode and the CA file in a MySQL URL. Return None for a missing parameter.

    Raises:
        ValueError: if a parameter or mode is unknown, a parameter is repeated, or there is a CA
            file but the mode does not verify the server.
    """
    given = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    for name, _ in given:
        if name not in (_MODE, _CA):
            raise ValueError(f"has an unknown parameter: {name} (known: {_MODE}, {_CA})")
        if [other for other, _ in given].count(name) > 1:
            raise ValueError(f"says {name} twice")
    values = dict(given)
    mode = _mode(values[_MODE]) if _MODE in values else None
    if _CA in values and mode not in VERIFYING:
        raise ValueError(f"{_CA} needs {_MODE}=VERIFY_CA or {_MODE}=VERIFY_IDENTITY")
    return mode, values.get(_CA)


def _mode(text: str) -> SslMode:
    try:
        return SslMode(text.upper())
    except ValueError:
        raise ValueError(f"{_MODE} must be one of {', '.join(SslMode)}") from None


def each_host(url: str) -> tuple[str, ...]:
    """Return a URL per host: `//a,b/db` gives `//a/db` and `//b/db`."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    return tuple(parts._replace(netloc=f"{user}{at}{host}").geturl() for host in hosts.split(","))


def leaves_tls_open(url: str) -> str | None:
    """Return the TLS parameter that the URL of a remote server lacks, or None.

    The URL needs a parameter that makes the driver verify the server, or one that disables TLS
    explicitly.
    """
    parts = urlsplit(url)
    name, decided = _DECIDED["mysql" if parts.scheme in ("mysql", "mariadb") else "postgres"]
    query = dict(parse_qsl(parts.query))
    hosts = parts.netloc.rpartition("@")[2].split(",") + query.get("host", "").split(",")
    value = query.get(name, "")
    is_said = (value.upper() if name == _MODE else value) in decided
    return None if is_said or all(map(_is_here, hosts)) else name


def _is_here(host: str) -> bool:
    """Return whether `host[:port]` is this machine.

    A path is a local socket, and an empty host is this machine.
    """
    host = unquote(host)
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif not host.startswith("/"):
        host = host.partition(":")[0]
    if not host or host == "localhost" or host.startswith("/"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
