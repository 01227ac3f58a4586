"""`python -m tests.tenants.mysql --n 20000 [--groups N] [--seed N]`: the long run on MariaDB."""

from __future__ import annotations

import argparse
import secrets
import tempfile
from pathlib import Path

from tests.servers.mysql import running
from tests.tenants.mysql.fuzz import Fuzz

_PORTION = 200


def main() -> int:
    """Fuzz, print the counts, and exit 1 on a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2_000)
    parser.add_argument("--groups", type=int, default=10)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    with (
        running() as server,
        tempfile.TemporaryDirectory() as folder,
        Fuzz(args.seed, args.groups, server.create_empty(), Path(folder)) as run,
    ):
        for _ in range(0, args.n, _PORTION):
            run.portion(min(_PORTION, args.n))
            print(run.tally.report(), flush=True)
    return 1 if run.tally.different else 0


if __name__ == "__main__":
    raise SystemExit(main())
