"""Every position of the server's functions, operators and clauses, or a random selection."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random

from tests.inputs_mysql.functions import functions, names
from tests.inputs_mysql.oracle import Oracle, Tally
from tests.inputs_mysql.positions import Position, of_clauses, of_function, of_operators
from tests.inputs_mysql.server import Asked

_PER_NAME = 8  # positions, of the names that the server knows and those that it does not


def sweep(cache: Path | None, seed: int = 1, count: int = 0) -> Tally:
    """Check `count` positions that the seed selects, or all, on a private MariaDB."""
    with closing(Asked(cache)) as asked:
        return Oracle(asked).verdicts(positions(asked, seed, count))


def positions(asked: Asked, seed: int, count: int) -> list[Position]:
    """Return `count` positions that a seed selects, a third of them in operators and clauses.

    0 means all.
    """
    random = Random(seed)
    fixed = [*of_operators(), *of_clauses()]
    known = names(asked)
    if count:
        fixed = random.sample(fixed, min(len(fixed), count // 3))
        known = random.sample(known, min(len(known), count // _PER_NAME + 10))
    called = [
        position
        for number, function in enumerate(functions(asked, known, seed))
        for position in of_function(function, number)
    ]
    if count:
        called = random.sample(called, min(len(called), count - len(fixed)))
    return [*fixed, *called]
