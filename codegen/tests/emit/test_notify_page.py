"""The page notify.md: its commands generate the package, and its program prints this output."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import asyncpg

from tests.projects import ran, write_project

PAGE = Path(__file__).resolve().parents[2] / "docs" / "notify.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)


async def test_the_program_of_the_page_prints_what_it_shows(
    tmp_path: Path, empty_database: str
) -> None:
    schema, queries = blocks("sql")
    [config], [program] = blocks("yaml"), blocks("python")
    files = {"schema.sql": schema, "queries.sql": queries, "sqlc.yaml": config, "main.py": program}
    write_project(tmp_path, files)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "DATABASE_URL": empty_database}
    done = ran("bash", "-ec", *blocks("sh"), cwd=tmp_path, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute(schema)
    finally:
        await connection.close()
    printed, error = blocks("text")
    done = ran(sys.executable, "main.py", cwd=tmp_path, env=environ)
    assert (done.stdout, done.stderr) == (printed, "")

    renamed = f"{schema}ALTER TABLE orders RENAME status TO state;\n"
    selected = queries.replace("SELECT id, status", "SELECT id, state AS status")
    changed = {
        "schema.sql": renamed,
        "queries.sql": selected.replace("(id, status)", "(id, state)"),
    }
    write_project(tmp_path, changed)
    done = ran("bash", "-ec", *blocks("sh"), cwd=tmp_path, env=environ)
    assert done.stderr.startswith(error)
