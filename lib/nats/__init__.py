"""NATS by URL: one server or a cluster, with TLS and credentials."""

from lib.nats.url import NatsAddress, check_nats_url, is_nats

__all__ = ["NatsAddress", "check_nats_url", "is_nats"]
