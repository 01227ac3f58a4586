"""`python -m tools.grants write|check`: derive the roles' privileges from their queries.

The queries of `lib` on the service's database are included if their tables exist there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from devstack.settings import ROOT
from lib.db import grants, migrations

_SHARED = ("shared", "outbox")  # query sets of the library
_ENGINES = {"postgres": "postgresql", "mysql": "mysql"}
_HEADER = "-- The privileges that the queries of {db} need; regenerate with: make grants\n"


def files() -> Iterator[tuple[str, str, Path]]:
    """Yield each database and engine, with the path of the file that lists the privileges."""
    for db in migrations.databases(ROOT / "migrations"):
        folder = ROOT / "migrations" / db
        engines = [name for name in _ENGINES if (folder / name).is_dir()]
        for name in engines or ["postgres"]:
            yield db, _ENGINES[name], (folder / name if engines else folder) / grants.FILE


def text(db: str, engine: str) -> str:
    """Return the GRANT statements for the role of the service with the database `db`.

    Raises CalledProcessError if the compiler cannot determine the privileges.
    """
    first, *more = sorted((ROOT / "sql" / db).rglob("sqlc.yaml"))
    also = [*more, *(ROOT / "sql" / name / "sqlc.yaml" for name in _SHARED)]
    command = [sys.executable, "-m", "aiosqlc", "grants", "-f", str(first), "--engine", engine]
    command += ["--to", grants.role_of(db)]
    for path in also:
        command += ["--also", str(path)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    return _HEADER.format(db=db) + said


def main(argv: list[str]) -> int:
    """Write or compare the grants; exit code: 0 done, 1 a file is outdated or undetermined."""
    parser = argparse.ArgumentParser(prog="python -m tools.grants", description=__doc__)
    parser.add_argument("command", choices=("write", "check"))
    parser.add_argument("database", nargs="?", help="one database (default: all)")
    args = parser.parse_args(argv)
    stale = []
    for db, engine, file in files():
        if args.database not in (None, db):
            continue
        try:
            wanted = text(db, engine)
        except subprocess.CalledProcessError:
            return 1
        if args.command == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(wanted, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != wanted:
            stale.append(file.relative_to(ROOT))
    for name in stale:
        print(f"{name} is not up to date: run make grants")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
