"""`python -m tests.regress_mysql FOLDER [NAME ...]`: check claims by MariaDB's own tests.

FOLDER has the suite's `.test` files (`mysql-test/main` of its sources). NAMEs select some of them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.regress_mysql.run import judge


def main() -> int:
    """Check, print the results; exit 1 on a false claim or an internal error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    scripts = [
        file
        for file in sorted(arguments.folder.glob("*.test"))
        if not arguments.names or file.stem in arguments.names
    ]
    started = time.monotonic()
    # A server of its own: the suite makes users and changes what all databases share.
    with tempfile.TemporaryDirectory(prefix="regress-") as folder:
        verdicts = judge(Path(folder), scripts, lambda line: print(line, flush=True))
    print(verdicts.report())
    print(f"{len(scripts)} scripts, {time.monotonic() - started:.0f} s")
    return 1 if verdicts.false or verdicts.internal else 0


if __name__ == "__main__":
    sys.exit(main())
