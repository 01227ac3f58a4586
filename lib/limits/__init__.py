"""Rate limits: a token bucket per client address, a sliding window per user, shared."""

from lib.limits.limiter import Limiter
from lib.limits.rules import Decision, TokenBucket, Window

__all__ = ["Decision", "Limiter", "TokenBucket", "Window"]
