"""Select the engine, PostgreSQL or MySQL, by its name in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from aiosqlc.engines.mysql import OnMysql
from aiosqlc.engines.port import Engine
from aiosqlc.engines.postgres import OnPostgres
from aiosqlc.source import Dialect

_ENGINES: Final[Mapping[Dialect, Callable[[], Engine]]] = {
    Dialect.POSTGRESQL: OnPostgres,
    Dialect.MYSQL: OnMysql,
}


def engine_for(engine: Dialect) -> Engine:
    """Return the engine as a context manager, which closes the engine at the end of the block."""
    return _ENGINES[engine]()


def engine_of(scheme: str) -> Engine | None:
    """Return the engine whose database URIs have this scheme, or None."""
    for make in _ENGINES.values():
        engine = make()
        if scheme in engine.schemes:
            return engine
    return None
