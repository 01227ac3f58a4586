"""Redis URLs: their kind, address, and the number of replicas that must confirm writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, parse_qs, parse_qsl, unquote, urlencode, urlsplit

from pydantic import AfterValidator, SecretStr
from redis.asyncio.connection import parse_url

_UNVERIFIED: Final = {"ssl_cert_reqs": ("none", "optional"), "ssl_check_hostname": ("false", "0")}
_FORMS: Final = "redis://, redis+sentinel:// or redis+cluster:// (with TLS: rediss…)"
# Ours, which the driver does not know.
_OWN: Final = frozenset({"replicas", "lanes", "sentinel_username", "sentinel_password"})
_MOST_REPLICAS: Final = 10
_MOST_LANES: Final = 64


class Kind(StrEnum):
    """The kind of Redis at the address."""

    SERVER = "server"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A parsed URL. `kwargs` are the driver's connection arguments, without the host."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    # How many replicas must have a write that is not to be lost with the primary.
    replicas: int
    # Over how many streams, and so servers of a Cluster, the events of a topic go.
    lanes: int = 1
    # The name under which the Sentinels know the primary.
    primary: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict, repr=False)
    # The user name and password of the Sentinels themselves.
    sentinel: dict[str, str] = field(default_factory=dict, repr=False)


def check_redis_url(url: str) -> str:
    """Return the URL if valid. TLS certificates are always verified.

    Raises:
        ValueError: if the URL is invalid; the message does not contain the URL.
    """
    parse(url)
    return url


def parse(url: str) -> RedisAddress:
    """Parse a URL. Raises ValueError as `check_redis_url`.

    The forms are `redis://host:port/db`, `redis+sentinel://host:port,host:port/primary?db=0` and
    `redis+cluster://host:port,host:port`; `rediss` requires TLS. `?replicas=n` is the number of
    replicas that must have an event before it counts as sent. The default is 0 for a single server,
    else 1. `?lanes=n` divides each topic into n streams of a cluster.
    """
    parts = urlsplit(url if "://" in url else "")
    scheme, _, kind_name = parts.scheme.partition("+")
    if scheme not in ("redis", "rediss") or kind_name not in ("", Kind.SENTINEL, Kind.CLUSTER):
        raise ValueError(f"must start with {_FORMS}")
    kind = Kind(kind_name or Kind.SERVER)
    hosts = _hosts(parts, 26379 if kind is Kind.SENTINEL else 6379)
    if kind is Kind.SERVER and len(hosts) > 1:
        raise ValueError(
            "must name one server; for several, use redis+sentinel:// or redis+cluster://"
        )
    query = parse_qs(parts.query)
    for name, refused in _UNVERIFIED.items():
        if any(value.lower() in refused for value in query.get(name, ())):
            raise ValueError(f"certificates are always verified: remove {name}")
    path = unquote(parts.path.strip("/"))
    if kind is Kind.SENTINEL and not path:
        raise ValueError("must end with the name of the primary, as configured in the Sentinels")
    if kind is Kind.CLUSTER and (path not in ("", "0") or query.get("db", ["0"]) != ["0"]):
        raise ValueError("a Redis Cluster has database 0 only")
    return RedisAddress(
        kind,
        hosts,
        _number(query, "replicas", 0 if kind is Kind.SERVER else 1, _MOST_REPLICAS),
        lanes=_lanes(query, kind),
        primary=path if kind is Kind.SENTINEL else "",
        kwargs=_connection(parts, scheme, path if kind is Kind.SERVER else ""),
        sentinel={
            name.removeprefix("sentinel_"): query[name][0]
            for name in ("sentinel_username", "sentinel_password")
            if name in query
        },
    )


def _hosts(parts: SplitResult, port: int) -> tuple[tuple[str, int], ...]:
    found = []
    for one in parts.netloc.rpartition("@")[2].split(","):
        try:
            at = urlsplit(f"//{one}")
            found.append((at.hostname or "localhost", at.port or port))
        except ValueError:
            raise ValueError("has an invalid port") from None
    return tuple(found)


def _lanes(query: dict[str, list[str]], kind: Kind) -> int:
    if "lanes" in query and kind is not Kind.CLUSTER:
        raise ValueError("has the parameter lanes, which only a Redis Cluster supports: remove it")
    return _number(query, "lanes", 1, _MOST_LANES) or 1


def _number(query: dict[str, list[str]], name: str, default: int, most: int) -> int:
    text = query.get(name, [str(default)])[0]
    if not text.isdecimal() or int(text) > most:
        raise ValueError(f"{name} must be a number up to {most}")
    return int(text)


def _connection(parts: SplitResult, scheme: str, database: str) -> dict[str, Any]:
    """Return the driver's arguments in the URL of one server, except host and port."""
    user, at, _ = parts.netloc.rpartition("@")
    options = [pair for pair in parse_qsl(parts.query) if pair[0] not in _OWN]
    one = f"{scheme}://{user}{at}localhost/{database}?{urlencode(options)}"
    try:
        found: dict[str, Any] = dict(parse_url(one))
    except (ValueError, TypeError):
        raise ValueError("has an option that the driver cannot parse") from None
    found.pop("host", None)
    found.pop("port", None)
    return found


def _secret_url(value: SecretStr) -> SecretStr:
    check_redis_url(value.get_secret_value())
    return value


# For settings: `redis_url: RedisUrl | None`.
RedisUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
