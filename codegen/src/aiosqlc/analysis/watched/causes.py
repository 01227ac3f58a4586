"""Find the statement of a migration that causes an effect of the whole migration."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from aiosqlc.ir import SchemaFile
from aiosqlc.source import Span


def causes(
    file: SchemaFile, wanted: Collection[str], effects: Callable[[SchemaFile], Collection[str]]
) -> dict[str, Span]:
    """Return, for each of the wanted effects of the whole file, the statement that causes it.

    `effects` returns the effects of a file that has only the first statements. It is called about
    log2(statements) times for each effect.
    """
    found: dict[str, Span] = {}
    spans = file.statements

    def search(low: int, high: int, names: set[str]) -> None:
        """Find effects that the first `high` statements have, and the first `low` have not."""
        if high - low == 1:
            found.update(dict.fromkeys(names, spans[low]))
        elif names:
            middle = (low + high) // 2
            part = replace(file, statements=spans[:middle])
            early = names.intersection(effects(part))
            search(low, middle, early)
            search(middle, high, names - early)

    search(0, len(spans), set(wanted))
    return found
