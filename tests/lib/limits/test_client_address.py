"""The address under which a request is counted."""

from __future__ import annotations

import pytest

from lib.limits.client_address import TrustedProxies, limit_key

PROXIES = TrustedProxies(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["1.2.3.4"], "203.0.113.9"),  # not a proxy of ours: ignored
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),  # what the client wrote itself
        ("127.0.0.1", ["6.6.6.6", "203.0.113.9"], "203.0.113.9"),  # the same in two headers
        ("127.0.0.1", ["203.0.113.9, 10.1.2.3"], "203.0.113.9"),  # through two proxies
        ("127.0.0.1", ["10.1.2.3, 10.1.2.4"], "10.1.2.3"),  # inside the network
        ("127.0.0.1", ["203.0.113.9, garbage"], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.9, "], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.9:1234"], "127.0.0.1"),
        ("::ffff:127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("fd00::1", ["[2001:db8::1]"], "2001:db8::1"),
        ("fe80::1%eth0", [], "fe80::1"),
        (None, ["203.0.113.9"], "unknown"),
        ("", [], "unknown"),
    ],
)
def test_only_a_trusted_peer_may_say_who_the_client_is(
    peer: str | None, forwarded: list[str], client: str
) -> None:
    assert PROXIES.client(peer, forwarded) == client


def test_without_proxies_the_header_is_never_read() -> None:
    assert TrustedProxies().client("127.0.0.1", ["1.2.3.4"]) == "127.0.0.1"


@pytest.mark.parametrize(
    ("client", "key"),
    [
        ("203.0.113.9", "ip:203.0.113.9"),
        ("2001:db8:1:2:aaaa::1", "ip:2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "ip:2001:db8:1:2::/64"),
        ("unknown", "ip:unknown"),
    ],
)
def test_an_ipv6_host_is_counted_by_its_network(client: str, key: str) -> None:
    assert limit_key(client) == key


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="example"):
        TrustedProxies(["example.com"])
