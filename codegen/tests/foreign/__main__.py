"""`python -m tests.foreign ROOT OUT ENGINE`: write scripts for the runners of `regress`.

ROOT has another project's tests; OUT receives a script for each file, and in front of each what
gives it an empty schema. `python -m tests.regress OUT` (`postgresql`) or
`python -m tests.regress_mysql OUT` (`mysql`) executes them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.foreign.extract import scripts

_FRESH = {
    "postgresql": (
        ".sql",
        "drop schema if exists public cascade;\ncreate schema public;\nset search_path = public;\n",
    ),
    "mysql": (
        ".test",
        "drop database if exists test;\ncreate database test character set utf8mb4;\nuse test;\n",
    ),
}


def main() -> int:
    """Write the scripts and print how many statements they have."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("engine", choices=_FRESH)
    arguments = parser.parse_args()
    suffix, fresh = _FRESH[arguments.engine]
    arguments.out.mkdir(parents=True, exist_ok=True)
    count = files = 0
    for name, found in scripts(arguments.root):
        text = fresh + "".join(f"{sql}\n;\n" for sql in found)
        (arguments.out / f"{name}{suffix}").write_text(text, "utf-8")
        count, files = count + len(found), files + 1
    print(f"{files} scripts, {count} statements")
    return 0


if __name__ == "__main__":
    sys.exit(main())
