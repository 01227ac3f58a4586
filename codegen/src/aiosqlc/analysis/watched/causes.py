"""Find the statement of a migration that causes an effect, such as a broken query."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from msgspec.structs import replace

from aiosqlc.ir import SchemaFile
from aiosqlc.source import Span

_ONE_BY_ONE: Final = 32  # statements at the end of a file


def causes(
    file: SchemaFile, wanted: Collection[str], effects: Callable[[SchemaFile], Mapping[str, str]]
) -> dict[str, Span]:
    """Return, for each effect in `wanted`, the statement of the file that causes it.

    The cause is the first statement after which the effect stays, with the same reason, until the
    end of the file. For example, if a view is dropped and created again, the queries of the view
    are broken only between the two statements, so neither of them is a cause.

    `effects` returns the effects of a file with their reasons. It is called for files that contain
    only the first statements of this file. For each of the last statements of a file, it is called
    once. For the statements before them, an effect that has occurred is assumed to stay, and a
    binary search calls `effects` about log2(statements) times for each effect.
    """
    found: dict[str, Span] = {}
    spans = file.statements
    last = effects(file) if wanted and len(spans) > 1 else {}

    def after(statements: int, names: Collection[str]) -> set[str]:
        """Return the effects that the first statements have, for the same reason as the whole file.

        `statements` is the number of these first statements.
        """
        had = effects(replace(file, statements=spans[:statements]))
        return {name for name in names if name in had and had[name] == last.get(name)}

    def search(low: int, high: int, names: set[str]) -> None:
        """Find the effects that the first `high` statements have but the first `low` do not."""
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
