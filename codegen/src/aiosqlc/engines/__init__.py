"""What is asked of an engine's server besides the analysis: the only door to the two engines."""

from aiosqlc.engines.known import asking
from aiosqlc.engines.port import Asking

__all__ = ["Asking", "asking"]
