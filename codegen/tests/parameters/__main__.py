"""`python -m tests.parameters [--n 2000] [--seed N]`: compare parameters one by one."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.parameters.comparing import compare


def main() -> int:
    """Compare, print the table, and exit 1 on any error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=0, help="positions; all if it is left out")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tally = compare(Path(folder), args.seed, args.n)
    print(tally.report())
    print(f"{tally.pairs} pairs, {len(tally.found)} faults")
    return 1 if tally.found else 0


if __name__ == "__main__":
    sys.exit(main())
