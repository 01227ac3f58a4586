"""What is asked of an engine's server besides the analysis: the only door to the two engines."""

from aiosqlc.engines.known import engine_for
from aiosqlc.engines.port import Engine

__all__ = ["Engine", "engine_for"]
