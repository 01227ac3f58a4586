"""Measure how compiling grows with the project: `python -m bench.codegen.growth [STEPS]`.

A step of size n has n queries, n/10 tables and n/4 migrations; cold, everything is compiled.
The seconds of processor time are those of the compiler, its children and its server: they depend
on other work on the machine less than those of the clock do. The memory is the compiler's peak.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

SIZES = (500, 2_000, 20_000)
_CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: migrations
    queries: queries
    gen:
      python: {out: out, package: out}
"""
# Of each table one of these after another; `other` is a table that it refers to.
_QUERIES = """\
-- name: {name} :one
select * from {table} where id = @id;

-- name: {name} :many
select t.id, t.title, o.title as other from {table} t
left join {other} o on o.id = t.other_id where t.amount > @least order by t.id limit @most;

-- name: {name} :one
insert into {table} (title, amount, other_id)
values (@title, @amount, sqlc.narg(other)) returning id, made_at;

-- name: {name} :execrows
update {table} set note = sqlc.narg(note), amount = amount + @more
where id = any(@ids::bigint[]);

-- name: {name} :many
select other_id, count(*) as rows, sum(amount) as total from {table}
where made_at >= @since group by other_id having count(*) > @fewest;

-- name: {name} :many
with newest as (select id from {table} order by made_at desc limit 10)
select t.*, exists (select 1 from {other} o where o.id = t.other_id) as known
from {table} t join newest n on n.id = t.id;

-- name: {name} :exec
delete from {table} where id = @id and note is null;

-- name: {name} :one
select coalesce(max(amount), 0) as most from {table}
where title = @title;

-- name: {name} :many
select id, title from {table} where title like @pattern
union all select id, title from {other} where title like @pattern;

-- name: {name} :one
select case when amount > 10 then title else note end as shown
from {table} where id = @id;
"""


def migrations(tables: int) -> Iterator[str]:
    """Yield two and a half migrations for each table: it is made, and then changed."""
    for number in range(tables):
        other = f"thing_{number // 2}"
        yield (
            f"create table thing_{number} (\n    id bigserial primary key,\n"
            f"    title varchar(80) not null,\n    other_id bigint references {other} (id)\n);\n"
        )
        yield (
            f"alter table thing_{number} add column amount numeric(12, 2) not null default 0,\n"
            "    add column made_at timestamptz not null default now(), add column note text;\n"
        )
        if number % 2:
            yield f"create index on thing_{number} (title);\n"


def write_project(folder: Path, size: int) -> None:
    """Write a project with a number of queries."""
    (folder / "sqlc.yaml").write_text(_CONFIG)
    for name in ("migrations", "queries"):
        (folder / name).mkdir()
    tables = size // 10
    for number, text in enumerate(migrations(tables), 1):
        (folder / "migrations" / f"{number:05}.sql").write_text(text)
    for first in range(0, tables, 10):  # a hundred queries in a file
        texts = [
            query.format(
                name=f"Thing{number}Query{kind}",
                table=f"thing_{number}",
                other=f"thing_{number // 2}",
            )
            for number in range(first, min(first + 10, tables))
            for kind, query in enumerate(_QUERIES.strip().split("\n\n"))
        ]
        (folder / "queries" / f"things_{first:05}.sql").write_text("\n\n".join(texts) + "\n")


OURS = (sys.executable, "-m", "aiosqlc", "generate")


def measured(
    folder: Path, command: Sequence[str] = OURS, expected: int = 0
) -> tuple[float, float, float]:
    """Return the seconds, the seconds of processor time and the MB of a run."""
    started = time.perf_counter()
    run = subprocess.Popen(command, cwd=folder)
    _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode != expected:
        sys.exit(f"{command[0]} ended with {run.returncode}")
    wall = time.perf_counter() - started
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.codegen.growth", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="numbers of queries")
    sizes = parser.parse_args(argv).sizes
    print("| queries | tables | migrations | seconds | of processor | a query | memory |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            write_project(folder, size)
            wall, spent, memory = measured(folder)
            print(
                f"| {size:,} | {size // 10:,} | {size // 4:,} | {wall:.1f} s | {spent:.1f} s"
                f" | {spent / size * 1e3:.2f} ms | {memory:.0f} MB |",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
