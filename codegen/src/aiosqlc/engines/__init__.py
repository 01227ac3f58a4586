"""Operations of an engine's server beyond analysis; other packages reach the engines only here."""

from aiosqlc.engines.known import engine_for
from aiosqlc.engines.port import Engine

__all__ = ["Engine", "engine_for"]
