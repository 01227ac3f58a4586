"""Rate limits shared by all replicas: a token bucket per address, a sliding window per user."""

from lib.limits.limiter import Limiter
from lib.limits.rules import Decision, TokenBucket, Window

__all__ = ["Decision", "Limiter", "TokenBucket", "Window"]
