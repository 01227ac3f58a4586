"""`python -m tests.codegen.fuzz --n 1000000 [--seed N] [--select]`: the long hunt."""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from tests.codegen.fuzz.hunt import hunt


def main() -> int:
    """Hunt, print what was seen, and exit 1 on any false claim."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--select", action="store_true", help="queries only, no DML")
    args = parser.parse_args()
    started = time.monotonic()
    print(f"seed {args.seed}", flush=True)
    tally = hunt(args.n, args.seed, select_only=args.select)
    print(tally.report())
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if tally.false else 0


if __name__ == "__main__":
    sys.exit(main())
