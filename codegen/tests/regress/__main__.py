"""`python -m tests.regress FOLDER [NAME ...]`: check claims by PostgreSQL's regression tests.

FOLDER has the suite's `.sql` files (`src/test/regress/sql` of its sources). NAMEs select some of
them, which run after `test_setup`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from aiosqlc.servers.postgres.embedded import embedded_server

from tests.regress.run import judge
from tests.regress.suite import in_order


def main() -> int:
    """Check, print the results; exit 1 on a false claim, a wrong text or an internal error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    chosen = {"test_setup", *arguments.names}
    scripts = [
        file
        for file in in_order(arguments.folder.glob("*.sql"))
        if not arguments.names or file.stem in chosen
    ]
    started = time.monotonic()
    # A server of its own: the suite makes roles and changes what all databases share.
    with tempfile.TemporaryDirectory(prefix="regress-") as folder:
        Path(folder).chmod(0o755)
        with embedded_server(Path(folder) / "cache") as server:
            verdicts = judge(server, scripts, lambda line: print(line, flush=True))
    print(verdicts.report())
    print(f"{len(scripts)} scripts, {time.monotonic() - started:.0f} s")
    wrong = [*verdicts.false, *verdicts.unlike, *verdicts.laid_out_unlike, *verdicts.internal]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
