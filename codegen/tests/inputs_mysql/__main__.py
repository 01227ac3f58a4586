"""Check the types of parameters on MariaDB: `python -m tests.inputs_mysql [--n 500]`.

Without `--n`, every position is checked; with it, this number, selected by `--seed`.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections import Counter
from pathlib import Path

from tests.inputs_mysql.sweep import sweep

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--n", type=int, default=0, help="positions; 0 for all")
parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
parser.add_argument("--out", type=Path, help="a file for every verdict")
parser.add_argument("--cache", type=Path, help="where the private server keeps its data")
arguments = parser.parse_args()
print(f"seed {arguments.seed}", flush=True)
tally = sweep(arguments.cache, arguments.seed, arguments.n)
if arguments.out:
    arguments.out.write_text("\n".join(str(verdict) for verdict in tally.verdicts) + "\n")
print(tally)
for why, count in Counter(v.why.partition(":")[0] for v in tally.of("false")).most_common():
    print(f"  {count} {why}")
for verdict in tally.of("false")[:20]:
    print(" ", verdict)
sys.exit(1 if tally.of("false") else 0)
