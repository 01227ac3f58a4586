"""`python -m tests.foreign ROOT OUT ENGINE`: write scripts for the runners of `regress`.

ROOT has another project's tests. OUT receives a script for each file, which starts with the
statements for an empty schema. `python -m tests.regress OUT` (`postgresql`) or `python -m
tests.regress_mysql OUT` (`mysql`) runs them.

`--schema` is for queries without tables. It names a file with the tables of all queries, which
gives one script, or a folder with `NAME.sql` for each script whose name ends in NAME. `--rows`
fills those tables. `--statements` selects scripts by `--seed` until they have this number of
statements.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random

from tests.foreign.extract import scripts
from tests.foreign.rows import inserts

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
    """Write the scripts and print their number of statements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("engine", choices=_FRESH)
    parser.add_argument("--schema", type=Path, help="the tables of queries that come without")
    parser.add_argument("--rows", type=int, default=0, help="rows of each table of the schema")
    parser.add_argument("--statements", type=int, default=0, help="a sample of so many")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    suffix, fresh = _FRESH[arguments.engine]
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = list(scripts(arguments.root))
    if arguments.statements:
        found = sample(found, arguments.statements, arguments.seed)
    if arguments.schema and arguments.schema.is_file():
        found = [(arguments.schema.stem, [sql for _, statements in found for sql in statements])]
    count = 0
    for name, statements in found:
        schema = schema_of(arguments.schema, name)
        rows = inserts(schema, statements, arguments.engine, arguments.rows)
        filled = list(rows) if arguments.rows else []
        text = f"{fresh}{schema}\n" + "".join(f"{sql}\n;\n" for sql in [*filled, *statements])
        (arguments.out / f"{name}{suffix}").write_text(text, "utf-8")
        count += sum(map(size, statements))
    print(f"{len(found)} scripts, {count} statements")
    return 0


def size(text: str) -> int:
    """Return the approximate number of statements in a text, which may be a whole file."""
    return max(1, text.count(";\n") + (not text.rstrip().endswith(";")))


def sample(
    found: list[tuple[str, list[str]]], count: int, seed: int
) -> list[tuple[str, list[str]]]:
    """Return scripts that the seed chooses, until they have `count` statements."""
    order = list(found)
    Random(seed).shuffle(order)
    chosen: list[tuple[str, list[str]]] = []
    total = 0
    for script in order:
        if total >= count:
            break
        chosen.append(script)
        total += sum(map(size, script[1]))
    return sorted(chosen)


def schema_of(schema: Path | None, name: str) -> str:
    """Return the tables of a script, or nothing if the script creates its own tables."""
    if schema is None:
        return ""
    if schema.is_file():
        return schema.read_text("utf-8")
    last = name.rsplit("-", 1)[-1]
    file = next(schema.rglob(f"{last}.sql"), None)
    return file.read_text("utf-8") if file else ""


if __name__ == "__main__":
    sys.exit(main())
