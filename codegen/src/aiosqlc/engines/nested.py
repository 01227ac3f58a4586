"""Group the server's rows by the keys of `sqlc.nest`, to find keys that are not unique."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiosqlc.engines.scratch import Answer
from aiosqlc.ir import Nesting, NestLevel, TypedQuery

_Values = tuple[bytes | None, ...]


def returned(query: TypedQuery, answer: Answer) -> int:
    """Return the number of objects that a query's function would make from the server's rows."""
    if not isinstance(query.nesting, Nesting):
        return answer.rows
    key = query.nesting.levels[0].key
    return len({_values(answer, row, key) for row in range(answer.rows)})


def mixed(query: TypedQuery, answer: Answer) -> Iterator[tuple[str, int]]:
    """Yield each list in which two different rows have one key, and the second row's number."""
    if not isinstance(query.nesting, Nesting):
        return
    for level in query.nesting.levels:
        columns = _columns(query, level)
        first: dict[_Values, _Values] = {}
        for row in range(answer.rows):
            values = _values(answer, row, columns)
            if any(value is not None for value in values):
                known = first.setdefault(_values(answer, row, level.key), values)
                if known != values:
                    name = "the rows" if level.embed is None else query.embeds[level.embed].name
                    yield name, row
                    break


def _columns(query: TypedQuery, level: NestLevel) -> list[int]:
    if level.embed is not None:
        embed = query.embeds[level.embed]
        return list(range(embed.first, embed.first + embed.count))
    inside = {
        at
        for embed in query.embeds
        if embed.nest
        for at in range(embed.first, embed.first + embed.count)
    }
    return [at for at in range(len(query.columns)) if at not in inside]


def _values(answer: Answer, row: int, columns: Sequence[int]) -> _Values:
    return tuple(answer.value(row, column) for column in columns)
