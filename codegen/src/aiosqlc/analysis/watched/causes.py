"""Find the statement of a migration that causes an effect of the whole migration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

from aiosqlc.ir import SchemaFile
from aiosqlc.source import Span

_ONE_BY_ONE: Final = 32  # statements at the end of a file


def causes(
    file: SchemaFile, wanted: Collection[str], effects: Callable[[SchemaFile], Mapping[str, str]]
) -> dict[str, Span]:
    """Return, for each of the wanted effects of the whole file, the statement that causes it.

    This is the last statement before which the effect is missing: after it, the effect stays and
    has the same reason. For example, if a view is dropped and created again, its queries are broken
    only between the two statements.

    `effects` returns the effects, each with its reason, of a file that has only the first
    statements. This function calls `effects` for each of the last statements. In a longer file, it
    assumes that effects stay, and calls `effects` about log2(statements) times for each effect.
    """
    found: dict[str, Span] = {}
    spans = file.statements
    last = effects(file) if wanted and len(spans) > 1 else {}

    def after(statements: int, names: Collection[str]) -> set[str]:
        """Return those effects that the first statements have for the same reason as the file."""
        had = effects(replace(file, statements=spans[:statements]))
        return {name for name in names if name in had and had[name] == last.get(name)}

    def search(low: int, high: int, names: set[str]) -> None:
        """Find effects that the first `high` statements have, and the first `low` have not."""
        if high - low == 1:
            found.update(dict.fromkeys(names, spans[low]))
        elif names:
            middle = (low + high) // 2
            early = after(middle, names)
            search(low, middle, early)
            search(middle, high, names - early)

    names, high = set(wanted), len(spans)
    while names and high > max(1, len(spans) - _ONE_BY_ONE):
        high -= 1
        still = after(high, names)
        found.update(dict.fromkeys(names - still, spans[high]))
        names = still
    search(0, high, names)
    return found
