"""`python -m tests.fuzz --n 1000000 [--seed N] [--called] [--documents]`: the long search."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from pathlib import Path

from aiosqlc.postgres.rules import RULES

from tests.fuzz.called import hunt_called
from tests.fuzz.hunt import Tally, hunt
from tests.proofs.twins import trials

_FILLINGS, _CALLED_ON = 10, 3


def main() -> int:
    """Search, print the results, and exit 1 on any false claim."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--fillings", type=int, help="of the tables, per statement")
    parser.add_argument("--select", action="store_true", help="queries only, no DML")
    parser.add_argument("--rules", action="store_true", help="say it per rule; weaken each")
    parser.add_argument("--causes", action="store_true", help="why columns were not proved")
    parser.add_argument("--called", action="store_true", help="call the generated functions")
    parser.add_argument("--documents", action="store_true", help="and they make JSON")
    args = parser.parse_args()
    started = time.monotonic()
    print(f"seed {args.seed}", flush=True)
    if args.called or args.documents:
        with tempfile.TemporaryDirectory() as folder:
            calls = hunt_called(
                args.n,
                args.seed,
                Path(folder),
                documents=args.documents,
                fillings=args.fillings or _CALLED_ON,
                tell=lambda seen: print(seen.report(), flush=True),
            )
        return 1 if calls.broken else 0
    tally = hunt(
        args.n,
        args.seed,
        select_only=args.select,
        closer=args.causes,
        fillings=args.fillings or _FILLINGS,
    )
    print(tally.report())
    print(f"{time.monotonic() - started:.0f} s")
    if args.causes:
        print(tally.causes())
    survivors = _rules(tally) if args.rules else 0
    return 1 if tally.false or survivors else 0


def _rules(tally: Tally) -> int:
    """Print how often each rule was used, and the results of its mutants.

    Return the surviving ones.
    """
    killed = {(t.case.premise, t.case.sql) for t in trials() if t.kills}
    dead = {premise for premise, _ in killed}
    print(f"{'rule':26}{'fired':>8}{'contexts':>10}  premises (twins killed by their refuters)")
    survivors = 0
    for rule in RULES:
        alive = [p for p in rule.premises if (rule.name, p) not in dead]
        survivors += len(alive)
        twins = f"{len(rule.premises) - len(alive)} of {len(rule.premises)}"
        rest = f", ALIVE: {'; '.join(alive)}" if alive else ""
        contexts = len(tally.contexts.get(rule.name, ()))
        print(f"{rule.name:26}{tally.fired[rule.name]:8}{contexts:10}  {twins}{rest}")
    total = sum(len(rule.premises) for rule in RULES)
    print(f"killed by cases {total - survivors} of {total}")
    return survivors


if __name__ == "__main__":
    sys.exit(main())
