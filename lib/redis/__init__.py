"""Redis by URL: one server, one that Sentinels name, or a Cluster."""

from lib.redis.client import RedisOptions, cluster_of, open_redis, ping, subscribed, unavailable
from lib.redis.replicated import NotReplicatedError, ReplicatedWriter
from lib.redis.url import RedisUrl, check_redis_url

__all__ = [
    "NotReplicatedError",
    "RedisOptions",
    "RedisUrl",
    "ReplicatedWriter",
    "check_redis_url",
    "cluster_of",
    "open_redis",
    "ping",
    "subscribed",
    "unavailable",
]
