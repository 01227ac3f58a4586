"""`python -m tests.tenants --n 20000 [--groups N] [--seed N] [--url URL]`: fuzz for a long time."""

from __future__ import annotations

import argparse
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiosqlc.postgres import Analyzer

from tests.servers.postgres import running
from tests.tenants.fuzz import Fuzz
from tests.tenants.tables import TENANT, TRUSTING

_PORTION = 500


@contextmanager
def _database(url: str | None) -> Iterator[str]:
    """Return the given database, or one of a new server."""
    if url:
        yield url
    else:
        with running() as server:
            yield server.create_empty()


def main() -> int:
    """Fuzz, print the counts, and exit 1 on a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2_000)
    parser.add_argument("--groups", type=int, default=10)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--trust", action="store_true", help="trust foreign keys")
    parser.add_argument("--url", help="an empty database of the server to use")
    args = parser.parse_args()
    tenant = TRUSTING if args.trust else TENANT
    print(f"seed {args.seed}", flush=True)
    with (
        _database(args.url) as url,
        tempfile.TemporaryDirectory() as folder,
        Analyzer() as analyzer,
        Fuzz(args.seed, args.groups, analyzer, url, Path(folder), tenant, args.url) as run,
    ):
        for _ in range(0, args.n, _PORTION):
            run.portion(min(_PORTION, args.n))
            print(run.tally.report(), flush=True)
    return 1 if run.tally.different else 0


if __name__ == "__main__":
    raise SystemExit(main())
