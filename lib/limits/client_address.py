"""The client's address: the peer's address, or the address that trusted proxies report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

_Address: TypeAlias = IPv4Address | IPv6Address
_Network: TypeAlias = IPv4Network | IPv6Network
UNKNOWN: Final = "unknown"


class TrustedProxies:
    """The networks whose `X-Forwarded-For` is trusted. The header of other peers is ignored."""

    def __init__(self, networks: Collection[str] = ()) -> None:
        """Parse the proxies: networks such as `10.0.0.0/8`, or single addresses.

        Raises ValueError for other text.
        """
        self._networks: tuple[_Network, ...] = tuple(ip_network(text) for text in networks)

    def client(self, peer: str | None, forwarded_for: Sequence[str] = ()) -> str:
        """Return the client's address.

        The list is read from its end, and only entries that a trusted proxy has added count. So an
        entry that a client writes itself never counts.

        Args:
            peer: the address of the connection, or None for a UNIX socket.
            forwarded_for: the values of all `X-Forwarded-For` headers, in their order.
        """
        if not forwarded_for:
            return _spelt(peer or "")
        address = _parse(peer or "")
        if address is None:
            return UNKNOWN
        hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
        while hops and self._trusts(address):
            before = _parse(hops.pop())
            if before is None:
                break
            address = before
        return str(address)

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


@lru_cache(maxsize=4096)
def limit_key(client: str) -> str:
    """Return the key under which a client's requests are counted; for IPv6, the /64 network."""
    address = _parse(client)
    if isinstance(address, IPv6Address):
        return f"ip:{ip_network((address, 64), strict=False).network_address}/64"
    return f"ip:{client}"


@lru_cache(maxsize=4096)
def _spelt(peer: str) -> str:
    """Return the canonical form of an IP address."""
    address = _parse(peer)
    return UNKNOWN if address is None else str(address)


@lru_cache(maxsize=4096)  # bounded: strangers choose the texts
def _parse(text: str) -> _Address | None:
    try:
        address = ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        # One host, whichever family its socket has; a scope is not part of an address.
        return address.ipv4_mapped or IPv6Address(int(address))
    return address
