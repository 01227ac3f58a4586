"""Operations of an engine's server beyond analysis: the only gateway to the two engines."""

from aiosqlc.engines.known import engine_for
from aiosqlc.engines.port import Engine

__all__ = ["Engine", "engine_for"]
