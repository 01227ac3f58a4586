"""Read the cases in SQL files: a schema with rows, then queries and the facts of their rows.

`-- case: NULL in c with 1` precedes a query; the value, if there is one, is the value of its `$1`.
`-- refutes: rule / premise` before it means that the rows disprove the rule without this
precondition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.judge import World

_CASE = re.compile(
    r"(?:-- refutes: (?P<rule>\S+) / (?P<premise>[^\n]+)\n)?-- case: (?P<shows>.+)\n"
)


@dataclass(frozen=True, slots=True)
class Case:
    """A query, its parameter's value, the facts of its rows, and the relevant precondition."""

    file: str
    sql: str
    values: tuple[str | None, ...]
    shows: str
    premise: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """Return the name of the case in a test."""
        return f"{self.file}: {' / '.join(self.premise) if self.premise else self.sql}"


def read(file: Path) -> tuple[World, list[Case]]:
    """Read a file of cases."""
    text = file.read_text(encoding="utf-8")
    marks = list(_CASE.finditer(text))
    statements = [s.strip() for s in text[: marks[0].start()].split(";\n") if s.strip()]
    cases = []
    for mark, end in zip(marks, [*(m.start() for m in marks[1:]), len(text)], strict=True):
        shows, _, value = mark["shows"].partition(" with ")
        values = (None if value == "NULL" else value,) if value else ()
        sql = " ".join(text[mark.end() : end].strip().rstrip(";").split())
        premise = (mark["rule"], mark["premise"]) if mark["rule"] else None
        cases.append(Case(file.stem, sql, values, shows, premise))
    return World(tuple(statements)), cases


def worlds(folder: str) -> dict[str, tuple[World, list[Case]]]:
    """Read the files of a folder beside this one, by name."""
    files = sorted((Path(__file__).parent / folder).glob("*.sql"))
    return {file.stem: read(file) for file in files}
