"""The long hunt: `python -m tests.codegen.fuzz_mysql --n 200000 [--seed N] [--server mysql]`."""

from __future__ import annotations

import argparse
import secrets
import sys

from tests.codegen.fuzz_mysql.hunt import hunt

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--n", type=int, default=200_000, help="executions")
parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
parser.add_argument("--url", help="a server to hunt on (default: a private one)")
parser.add_argument("--server", default="", help="which private one: mysql or mariadb")
arguments = parser.parse_args()
print(f"seed {arguments.seed}", flush=True)
report = hunt(arguments.n, arguments.seed, url=arguments.url, kin=arguments.server)
print(report)
for line in report.false[:20]:
    print(" ", line)
sys.exit(1 if report.false else 0)
