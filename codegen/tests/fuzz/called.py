"""The hunt through generated functions: what they return is what their annotations say.

Random schemas and statements, as `hunt` has them, are compiled to a package; its functions are
called on random rows, and what they return is compared with the types that a reader sees.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from aiosqlc.postgres import Analyzer
from aiosqlc.selfcheck.calling import Package, call_all
from aiosqlc.servers.postgres.embedded import Server, embedded_server

from tests.fuzz.compiled import PACKAGE, compile_texts
from tests.fuzz.hunt import fill
from tests.fuzz.queries import Generator
from tests.fuzz.schemas import make_schema
from tests.proofs.judge import scratch

_ROUNDS = 3
_DEEPER = "[] is list "


@dataclass
class Tally:
    """What calling has shown. `broken` are the functions that returned something else.

    `deeper` are those whose array is nested deeper than its column is declared: the server does not
    keep that, and the manual says so.
    """

    functions: int = 0
    calls: int = 0
    broken: list[str] = field(default_factory=list)
    deeper: list[str] = field(default_factory=list)

    def report(self) -> str:
        """Say it in a few lines."""
        head = f"{self.calls} calls of {self.functions} functions, {len(self.broken)} broken"
        return "\n".join([head, *self.broken[:10]])


def hunt_called(calls: int, seed: int, folder: Path, queries: int = 120) -> Tally:
    """Call functions about this many times; each schema has so many queries."""
    tally = Tally()
    with embedded_server() as server:
        number = 0
        while tally.calls < calls:
            _one_schema(server, tally, seed + number, folder / f"s{number}", queries)
            number += 1
    return tally


def _one_schema(server: Server, tally: Tally, seed: int, folder: Path, queries: int) -> None:
    name = f"called_{seed % 1000000}"
    schema, r = make_schema(seed), random.Random(seed)
    with scratch(server, name) as connection:
        made = [s for s in schema.statements if connection.run(s) is None]
        texts = [Generator(schema, seed * 100_003 + n).make() for n in range(queries)]
        with Analyzer() as analyzer:
            sql = ";\n".join([*made, ""])
            analysis = compile_texts(folder, "postgresql", sql, texts, analyzer.analyze)
        tally.functions += len(analysis.queries)
        for turn in range(_ROUNDS):
            fill(connection.run, schema, r)
            package = Package(PACKAGE, folder)
            called = call_all(server.conninfo(name), package, analysis.queries, seed + turn)
            tally.calls += called.calls
            sql = {q.parsed.name: q.sql for q in analysis.queries}
            for query, said in called.broken.items():
                kept = tally.deeper if _DEEPER in said else tally.broken
                kept.append(f"{said}: {sql[query]}")
    shutil.rmtree(folder)
