"""All access to an engine's server, apart from analysis, goes through this package."""

from aiosqlc.engines.known import engine_for
from aiosqlc.engines.port import Engine

__all__ = ["Engine", "engine_for"]
