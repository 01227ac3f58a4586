"""`python -m tests.tenants --n 2000 [--datasets N] [--seed N]`: the long run of the fuzzer."""

from __future__ import annotations

import argparse
import secrets
import tempfile
from pathlib import Path

from tests.servers.postgres import running
from tests.tenants.fuzz import fuzz


def main() -> int:
    """Fuzz, print the counts, and exit 1 on a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2_000)
    parser.add_argument("--datasets", type=int, default=10)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    with running() as server, tempfile.TemporaryDirectory() as folder:
        tally = fuzz(args.n, args.datasets, args.seed, server.create_empty(), Path(folder))
    print(tally.report())
    return 1 if tally.different else 0


if __name__ == "__main__":
    raise SystemExit(main())
