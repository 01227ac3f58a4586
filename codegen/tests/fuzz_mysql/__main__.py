"""The long search: `python -m tests.fuzz_mysql --n 200000 [--seed N] [--server mysql]`.

With `--called`, it calls the generated functions on a MariaDB; with `--documents`, they build JSON.
With `--rules`, it reports for each precondition of our rules how often it was met, and after how
many executions the rule without it was disproved. It also reports whether a case of
`proofs/refuters_mysql` disproves this rule.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.fuzz_mysql.called import hunt_called
from tests.fuzz_mysql.hunt import hunt
from tests.fuzz_mysql.twins import measure
from tests.proofs.mutants_mysql import refuted

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--n", type=int, default=200_000, help="executions")
parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
parser.add_argument("--worlds", type=int, default=0, help="fillings of the tables")
parser.add_argument("--url", help="a server to hunt on (default: a private one)")
parser.add_argument("--server", default="", help="which private one: mysql or mariadb")
parser.add_argument("--rules", action="store_true", help="say it per rule; weaken each")
parser.add_argument("--called", action="store_true", help="call the generated functions")
parser.add_argument("--documents", action="store_true", help="and they make JSON")
arguments = parser.parse_args()
print(f"seed {arguments.seed}", flush=True)
if arguments.called or arguments.documents:
    with tempfile.TemporaryDirectory() as folder:
        calls = hunt_called(
            arguments.n, arguments.seed, Path(folder), documents=arguments.documents
        )
    print(calls.report())
    sys.exit(1 if calls.broken else 0)
if arguments.rules:
    killed = refuted(None)
    measured = measure(arguments.n, arguments.seed)
    print(measured.report(killed))
    sys.exit(1 if measured.false or measured.alive(killed) else 0)
report = hunt(
    arguments.n,
    arguments.seed,
    url=arguments.url,
    kin=arguments.server,
    worlds=arguments.worlds,
)
print(report)
for line in report.false[:20]:
    print(" ", line)
sys.exit(1 if report.false else 0)
