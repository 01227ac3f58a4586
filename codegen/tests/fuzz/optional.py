"""Optional parts and embedded rows: their text in random queries, and their values in rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from aiosqlc.ir import Catalog, ParsedQuery, TypedQuery
from aiosqlc.parse.queries import parse_file
from aiosqlc.source import Dialect, SourceFile
from msgspec.structs import replace

# What a grammar writes at the end of a line that may be left out, before the line has a name.
MARK = "-- :if ?"
_PLACE = re.compile(r"«(\w+)»")
_FLAGS = ("f", "g", "h")


class Parts:
    """Write optional parts into the text of a query, up to a maximum."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._most = 0

    def begin(self) -> None:
        """Begin a dynamic query with up to three parts, which gives at most eight texts."""
        self._most = self._random.choice([1, 1, 2, 2, 3])

    def end(self) -> None:
        """End the dynamic query: later text has no optional parts."""
        self._most = 0

    @property
    def open(self) -> bool:
        """Return whether there may be more optional parts."""
        return self._most > 0

    def maybe(self, share: float = 0.5) -> bool:
        """Decide whether the next text is another optional part."""
        if self._most and self._random.random() < share:
            self._most -= 1
            return True
        return False

    def line(self, text: str, share: float = 0.5) -> str:
        """Return a text on its own lines, which may be optional."""
        if not self.maybe(share):
            return text
        if "\n" in text:  # there are other parts within
            return f"\n{MARK}\n{text}\n-- :end\n"
        return f"\n{text} {MARK}\n"

    def conditions(self, word: str, conditions: Sequence[str]) -> str:
        """Return a clause of conditions, some of which may be optional."""
        if not conditions:
            return ""
        if not self._most:
            return f" {word} {' and '.join(conditions)}"
        if self._random.random() < 0.5 or "\n" in conditions[0]:
            conditions = ["true", *conditions]
        first, *others = conditions
        mark = f" {MARK}" if first != "true" and self.maybe() else ""
        lines = [f"{word} {first}{mark}", *(self.line(f"and {other}") for other in others)]
        return "\n" + "\n".join(lines) + "\n"


def named(text: str, random: Random, argument: Callable[[str], str]) -> tuple[str, list[str]]:
    """Number a dynamic query's parameters and name its parts; return the sorts of the parameters.

    A part has the name of a parameter in its line, or is a flag, which several parts may share.
    """
    sorts: list[str] = []

    def number(match: re.Match[str]) -> str:
        sorts.append(match[1])
        return argument(f"p{len(sorts)}")

    lines = []
    for line in text.split("\n"):
        first = len(sorts) + 1
        said = _PLACE.sub(number, line)
        own = [f"p{n}" for n in range(first, len(sorts) + 1)]
        name = ", ".join(own) if own and random.random() < 0.8 else random.choice(_FLAGS)
        lines.append(said.replace(MARK, f"-- :if {name}"))
    return "\n".join(line for line in lines if line.strip()) + "\n", sorts


def is_dynamic(text: str) -> bool:
    """Return whether a text has syntax that only a query file can have."""
    return "-- :" in text or "sqlc." in text


def parsed(text: str, name: str, dialect: Dialect) -> ParsedQuery | None:
    """Parse a query as in a file, or return None if it is refused."""
    file = SourceFile(Path("q.sql"), f"-- name: {name} :many\n{text};\n")
    queries, _ = parse_file(file, dialect)
    return queries[0] if queries else None


@dataclass(frozen=True, slots=True)
class Text:
    """One text that a query's function may send.

    `numbers` are the query's numbers of its parameters. `given` are the parameters that are present
    because they are not None.
    """

    sql: str
    numbers: tuple[int, ...]
    given: frozenset[int] = frozenset()


def texts_of(query: TypedQuery) -> Iterator[Text]:
    """Yield each text of a query."""
    numbers = {param.name: param.number for param in query.params}
    if not query.variants:
        yield Text(query.sql, tuple(sorted(param.number for param in query.params)))
    for variant in query.variants:
        present = {
            name
            for part, choice in zip(query.parsed.dynamic, variant.key, strict=True)
            if part.kind == "if" and choice
            for name in (part.name, *part.also)
        }
        given = frozenset(numbers[name] for name in present if name in numbers)
        yield Text(variant.sql, variant.numbers, given)


def as_promised(query: TypedQuery, catalog: Catalog) -> TypedQuery:
    """Return a query whose embedded rows have the claims of their table's class."""
    tables = {(table.schema, table.name): table for table in catalog.tables}
    columns = list(query.columns)
    for embed in query.embeds:
        table = tables.get((embed.table.schema, embed.table.table))
        for at, column in enumerate(table.columns[: embed.count] if table else (), embed.first):
            columns[at] = replace(
                columns[at], not_null=column.not_null, element_not_null=column.element_not_null
            )
    return replace(query, columns=tuple(columns))


def absent(query: TypedQuery, row: Sequence[object]) -> set[int]:
    """Return the columns of the embedded rows that are None in this row of the result."""
    return {
        at
        for embed in query.embeds
        if embed.nullable and embed.presence is not None and row[embed.presence] is None
        for at in range(embed.first, embed.first + embed.count)
    }
