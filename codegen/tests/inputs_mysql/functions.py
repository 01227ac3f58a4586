"""Every function of the server, with valid arguments, which are found by calls."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.inputs_mysql.server import Asked, Outcome
from tests.inputs_mysql.values import FORMS, GENERAL, MADE

_NAMED = """
SELECT `function` FROM information_schema.sql_functions
UNION SELECT word FROM information_schema.keywords
UNION SELECT replace(replace(name, '\\\\', ''), ' FUNCTION', '') FROM mysql.help_topic
"""
_NAME = re.compile(r"^[A-Z][A-Z0-9_]*$")
# They wait, change how the server runs, or say how a SELECT is run and are no functions.
_LEFT_OUT = frozenset(
    {
        "ALL", "DISTINCT", "DISTINCTROW", "HIGH_PRIORITY", "MASTER_GTID_WAIT", "MASTER_POS_WAIT",
        "SLEEP", "SQL_BIG_RESULT", "SQL_BUFFER_RESULT", "SQL_CACHE", "SQL_CALC_FOUND_ROWS",
        "SQL_NO_CACHE", "SQL_SMALL_RESULT", "STRAIGHT_JOIN", "WSREP_SYNC_WAIT_UPTO_GTID",
        "EXISTS", "NOT", "BINARY", "LOCK", "UNLOCK", "SETVAL", "NEXTVAL", "LASTVAL", "VALUES",
        "VALUE", "DEFAULT", "UNIQUE",
    }
)  # fmt: skip
_WRONG_COUNT = frozenset({1064, 1582, 1583, 1318, 1107, 1128, 1305, 1630})
_MOST_ARGUMENTS = 6
_OVER = " OVER (ORDER BY id)"
_TRIES = 250


@dataclass(frozen=True, slots=True)
class Function:
    """A function with valid arguments; `over` is the text after a window function."""

    name: str
    arguments: tuple[str, ...]
    over: str = ""

    def call(self, place: int | None = None, *, others: str = "") -> str:
        """Return the call with `?` as one argument; the others are columns if `column` is set.

        `place` counts from 0.
        """
        written = [
            "?" if at == place else others or argument for at, argument in enumerate(self.arguments)
        ]
        return f"{self.name}({', '.join(written)}){self.over}"


def pool() -> tuple[str, ...]:
    """Return the literals that are tried as arguments, texts first."""
    sorts = [GENERAL["text"][:1], FORMS["text"], *(list(GENERAL.values())[1:])]
    return (*(value.literal for values in sorts for value in values[:40]), *MADE, "i", "g")


def names(asked: Asked) -> list[str]:
    """Return every possible name of a function."""
    found = {str(row[0]).upper() for row in asked.session.rows(_NAMED)}
    return sorted(filter(_NAME.match, found - _LEFT_OUT))


def functions(asked: Asked, wanted: Sequence[str], seed: int = 1) -> Iterator[Function]:
    """Yield the functions with these names, each with up to three numbers of arguments."""
    random = Random(seed)
    literals = pool()
    for name in wanted:
        for over in ("", _OVER):
            counts = list(_counts(asked, name, over))
            for count in counts[:3]:
                found = _arguments(asked, name, over, count, literals, random)
                if found is not None:
                    yield Function(name, _plain(asked, name, over, found), over)
            if counts:
                break


def _run(asked: Asked, name: str, over: str, arguments: tuple[str, ...]) -> Outcome:
    return asked.outcome(f"SELECT {name}({', '.join(arguments)}){over} AS c0 FROM t WHERE id < 3")


def _counts(asked: Asked, name: str, over: str) -> Iterator[int]:
    for count in range(1, _MOST_ARGUMENTS + 1):
        if _run(asked, name, over, ("1",) * count).error not in _WRONG_COUNT:
            yield count


def _score(outcome: Outcome) -> int:
    if outcome.error:
        return -2 if outcome.error in _WRONG_COUNT else -1
    return 0 if outcome.warned else 1 if outcome.is_null else 2


def _arguments(
    asked: Asked, name: str, over: str, count: int, literals: tuple[str, ...], random: Random
) -> tuple[str, ...] | None:
    """Return arguments for which the server returns a value, or None."""
    alike = ((literal,) * count for literal in literals)
    mixed = (
        itertools.product(literals, repeat=count)
        if count == 2
        else (tuple(random.choices(literals, k=count)) for _ in range(_TRIES if count > 1 else 0))
    )
    best, most = None, 0
    for tried in itertools.chain(alike, mixed):
        score = _score(_run(asked, name, over, tried))
        if score > most:
            best, most = tried, score
        if score == 2:
            return best
        if score == -2:
            return best
    return best


def _plain(asked: Asked, name: str, over: str, found: tuple[str, ...]) -> tuple[str, ...]:
    """Write a number or a time if a text was read as one."""
    for place, literal in enumerate(found):
        if not literal.startswith("'"):
            continue
        for plain in ("'abc'", "2", "3.5", "DATE'2024-05-06'", "TIME'10:20:30'"):
            tried = (*found[:place], plain, *found[place + 1 :])
            if _score(_run(asked, name, over, tried)) == 2:
                found = tried
                break
    return found
