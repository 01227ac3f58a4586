"""Count the false types of SQL tools: `python -m bench.soundness`.

It gives random queries and the queries of this repository to every tool that is installed below
`--tools` (see `bench/soundness/README.md`), executes each query on many data sets, and counts the
claims that rows contradict. With `--only` the figures of all other tools stay as they are.
`replay ID` executes the query of one contradiction again; `page` writes the tables of the manual
from the committed result. `slice` renews our counts for the first queries of the seed, which a test
repeats: that is enough after a change of the grammar or of the proofs, until the next whole run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from aiosqlc.postgres import Analyzer
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.embedded import Server, embedded_server

from bench.soundness import page, results
from bench.soundness.checking import Checked, check, merged
from bench.soundness.corpora import other_suites, own_suites
from bench.soundness.executing import DATA_SETS, database_of, execute
from bench.soundness.json_queries import documents_of, json_suite, ours_of
from bench.soundness.loopback import lent
from bench.soundness.model import Suite
from bench.soundness.peers import iron_sql, node, ours, sqlc, sqlty
from bench.soundness.peers.port import Peer, Place
from bench.soundness.random_suites import PER_SUITE, random_suite
from bench.soundness.replay import replay
from bench.soundness.values import PSYCOPG

PEERS = (
    ours.PEER, sqlc.ALONE, sqlc.WITH_DATABASE, sqlc.PYTHON, iron_sql.PEER, sqlty.PEER, node.SAFEQL,
    node.PGTYPED,
)  # fmt: skip
TOOLS = Path(__file__).parents[2] / ".cache" / "soundness" / "tools"
SLICE, SLICE_DATA_SETS = 50, 6
_FEWER = 2  # divides the number of data sets for projects, which have many schemas


def main() -> int:
    """Run the command that the arguments name, and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.soundness", description=__doc__)
    parser.add_argument("--queries", type=int, default=2000, help="random ones")
    parser.add_argument("--seed", type=int, default=38)
    parser.add_argument("--data-sets", type=int, default=DATA_SETS)
    parser.add_argument("--tools", type=Path, default=TOOLS, help="where the tools are installed")
    parser.add_argument("--other", type=Path, help="a folder with projects, which only count")
    parser.add_argument("--only", action="append", default=[], help="the name of a tool")
    parser.add_argument("--out", type=Path, default=results.FOLDER, help="for the result")
    parser.add_argument("command", nargs="*", help="`replay ID`, `page` or `slice`")
    options = parser.parse_args()
    match options.command:
        case []:
            return _run(options)
        case ["page"]:
            page.write()
        case ["slice"]:
            _renew_slice()
        case ["replay", known]:
            return _replay(known)
        case _:
            parser.error("the commands are `replay ID`, `page` and `slice`")
    return 0


def _renew_slice() -> None:
    document, refuted = results.read(results.FOLDER)
    with Analyzer() as analyzer, embedded_server() as server:
        document["slice"] = slice_of(analyzer, server, document["seed"])
    results.write(results.FOLDER, document, refuted)


def _replay(known: str) -> int:
    row = results.refutation(known)
    if row is None:
        print(
            f"no refutation has the ID {known}: run `python -m bench.soundness` to find them all",
            file=sys.stderr,
        )
        return 2
    with Analyzer() as analyzer:
        print(replay(analyzer, row), end="")
    return 0


def _run(options: argparse.Namespace) -> int:
    tools = options.tools.absolute()
    wanted = [peer for peer in PEERS if not options.only or peer.name in options.only]
    absent = {peer.name: why for peer in wanted if (why := peer.absent(tools))}
    peers = [peer for peer in wanted if peer.name not in absent]
    for name, why in absent.items():
        print(f"without {name}: {why}", flush=True)
    head: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"), "seed": options.seed, "data_sets": options.data_sets,
        "server": "",
    }  # fmt: skip
    with Analyzer() as analyzer, embedded_server() as server:
        head["server"] = _version(server)
        found = merged(_checked(analyzer, server, peers, tools, options))
        document = results.document(found, peers, absent, tools, head)
        document["slice"] = slice_of(analyzer, server, options.seed)
        document["json"] = _documents(analyzer, server, peers, tools)
    refuted = found.refuted
    if options.only and (options.out / results.RESULTS).exists():
        document, refuted = results.renewed(results.read(options.out), (document, refuted))
    results.write(options.out, document, refuted)
    if options.out == results.FOLDER:
        page.write()
    print(page.table(document))
    for name, why in found.failed.items():
        print(f"{name} failed: {why}")
    ours_wrong = [row for row in found.refuted if row.peer == ours.NAME]
    for row in ours_wrong:
        print(row)
    return 1 if ours_wrong else 0


def _version(server: Server) -> str:
    with Connection(server.admin) as admin:
        return str(admin.rows("show server_version")[0][0])


def _checked(
    analyzer: Analyzer,
    server: Server,
    peers: Sequence[Peer],
    tools: Path,
    options: argparse.Namespace,
) -> Iterator[Checked]:
    def checked(suite: Suite, data_sets: int) -> Checked:
        started = time.monotonic()
        found = check(analyzer, server, suite, peers, tools, data_sets)
        took = time.monotonic() - started
        counts = f"{len(suite.queries)} queries, {found.executions} executions"
        print(f"{suite.name}: {counts}, {took:.0f} s", flush=True)
        return found

    for first in range(0, options.queries, PER_SUITE):
        count = min(PER_SUITE, options.queries - first)
        number = options.seed + first // PER_SUITE
        yield checked(random_suite(analyzer, number, count), options.data_sets)
    for suite in own_suites(analyzer.analyze):
        yield checked(suite, max(1, options.data_sets // _FEWER))
    if options.other:
        for suite in other_suites(analyzer.analyze, options.other, 20):
            yield checked(suite, max(1, options.data_sets // _FEWER))


def slice_of(analyzer: Analyzer, server: Server, seed: int) -> dict[str, Any]:
    """Return our counts for the first queries of a seed: a test makes them again."""
    suite = random_suite(analyzer, seed, SLICE)
    found = check(analyzer, server, suite, [ours.PEER], TOOLS, SLICE_DATA_SETS)
    sources = sorted(found.counts.items())
    return {source: results.flat(count) for (_, source), count in sources}


def _documents(
    analyzer: Analyzer, server: Server, peers: Sequence[Peer], tools: Path
) -> dict[str, Any]:
    """Return what each tool makes of the documents of the queries with JSON."""
    suite = json_suite()
    with database_of(analyzer, suite) as rows:
        seen = execute(rows, suite, 6)
    params = {name: one.params for name, one in seen.items()}
    names = {name: one.names for name, one in seen.items()}
    found: dict[str, Any] = {}
    with lent(server, suite) as url:
        for peer in peers:
            if peer.name == ours.NAME:
                count = documents_of(ours_of(analyzer, suite), seen, suite, PSYCOPG)
            else:
                with tempfile.TemporaryDirectory(prefix="soundness-") as folder:
                    try:
                        verdicts = peer.ask(suite, Place(tools, Path(folder), url, params, names))
                    except Exception as error:
                        print(f"{peer.name} failed with JSON: {error}")
                        continue
                count = documents_of(verdicts, seen, suite, peer.driver)
            found[peer.name] = {
                "accepted": count.accepted, "typed": count.typed, "whole": count.whole,
                "false": count.false, "examples": count.examples[:8],
            }  # fmt: skip
    return {"queries": len(seen), "tools": found}


if __name__ == "__main__":
    sys.exit(main())
