"""The interface through which the rest of the compiler uses the server of an engine."""

from aiosqlc.engines.known import engine_for, engine_of
from aiosqlc.engines.port import Engine

__all__ = ["Engine", "engine_for", "engine_of"]
