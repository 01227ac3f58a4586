"""What the configuration asks of MySQL code that its driver cannot give."""

from __future__ import annotations

from aiosqlc.config.project import QuerySet
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.drivers import driver_of
from aiosqlc.parse.scanner import Dialect
from aiosqlc.source import SourceFile


def check_target(entry: QuerySet, config: SourceFile) -> list[Diagnostic]:
    """Return an error for each option that is made for asyncpg."""
    target = entry.python
    if entry.engine is not Dialect.MYSQL or target is None:
        return []
    driver = driver_of(target.driver, entry.engine)
    asked = {"emit_helpers": target.emit_helpers}
    return [
        Diagnostic(
            "E413",
            f"`{name}` is not there for MySQL",
            (Label(config, target.span, f"this code runs on {driver.name}"),),
            hint="leave it out: the executor translates errors and repeats transactions",
        )
        for name, wanted in asked.items()
        if wanted
    ]
