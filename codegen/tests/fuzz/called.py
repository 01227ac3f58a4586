"""Fuzz generated functions: their results match their annotations.

The fuzzer's random schemas and statements are compiled to a package. Its functions are called on
random rows, and their results are compared with the types that a reader sees.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiosqlc.postgres import Analyzer
from aiosqlc.selfcheck.calling import Package, call_all
from aiosqlc.servers.postgres.embedded import Server, embedded_server

from tests.fuzz.compiled import PACKAGE, compile_texts
from tests.fuzz.documents import Documents
from tests.fuzz.hunt import fill
from tests.fuzz.queries import Generator
from tests.fuzz.schemas import make_schema
from tests.proofs.judge import scratch

_ROUNDS = 3
_MODELS = ("dataclass", "msgspec", "pydantic", "attrs")
_DEEPER = re.compile(r"\[\] is list |Expected `\w+(?: \| null)?`, got `array`|, input_type=list\]")


@dataclass
class Tally:
    """The results of the calls. `broken` are the functions with other results.

    `deeper` are the functions whose array has more dimensions than its column declares: the server
    does not check this, as the manual states.
    """

    functions: int = 0
    calls: int = 0
    shapes: int = 0
    broken: list[str] = field(default_factory=list)
    deeper: list[str] = field(default_factory=list)

    def report(self) -> str:
        """Return a summary in a few lines."""
        head = f"{self.calls} calls of {self.functions} functions, {len(self.broken)} broken"
        head += f", {self.shapes} shapes of JSON, {len(self.deeper)} nested deeper than declared"
        return "\n".join([head, *self.broken[:10]])


def hunt_called(
    calls: int,
    seed: int,
    folder: Path,
    queries: int = 120,
    *,
    documents: bool = False,
    fillings: int = _ROUNDS,
    tell: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Call functions about this many times; each schema has this number of queries.

    With `documents`, each query builds JSON, which is decoded to classes. The functions of a schema
    are called on this number of data sets. More data sets make a call cheaper, because its function
    is compiled once. `tell` is called with the tally after each schema.
    """
    tally = Tally()
    with embedded_server() as server:
        number = 0
        while tally.calls < calls:
            _one_schema(
                server,
                tally,
                seed + number,
                folder / f"s{number}",
                queries,
                documents=documents,
                fillings=fillings,
            )
            number += 1
            tell(tally)
    return tally


def _one_schema(
    server: Server,
    tally: Tally,
    seed: int,
    folder: Path,
    queries: int,
    *,
    documents: bool,
    fillings: int,
) -> None:
    name = f"called_{seed % 1000000}"
    schema, r = make_schema(seed), random.Random(seed)
    with scratch(server, name) as connection:
        made = [s for s in schema.statements if connection.run(s) is None]
        makers = [Generator(schema, seed * 100_003 + n) for n in range(queries)]
        texts = [(Documents(maker) if documents else maker).make() for maker in makers]
        options = f", models: {_MODELS[seed % 4]}, typed_json: true" if documents else ""
        with Analyzer() as analyzer:
            sql = ";\n".join([*made, ""])
            analysis = compile_texts(
                folder, "postgresql", sql, texts, analyzer.analyze, options=options
            )
        tally.functions += len(analysis.queries)
        tally.shapes += sum(bool(c.shape) for q in analysis.queries for c in q.columns)
        for turn in range(fillings):
            fill(connection.run, schema, r)
            package = Package(PACKAGE, folder)
            called = call_all(server.conninfo(name), package, analysis.queries, seed + turn)
            tally.calls += called.calls
            asked = {q.parsed.name: q.sql for q in analysis.queries}
            for query, said in called.broken.items():
                kept = tally.deeper if _DEEPER.search(said) else tally.broken
                kept.append(f"{said}: {asked[query]}")
    shutil.rmtree(folder)
