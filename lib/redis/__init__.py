"""Redis by URL: one server, a primary named by Sentinels, or a cluster."""

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
