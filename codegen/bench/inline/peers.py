"""The tools that type SQL in Python literals, each as a function that prepares a project.

A function gets the project's folder, the texts of its literals, and the folder of installed tools,
which is that of `bench.soundness`. It returns what it has generated, or why it cannot run.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.inline.project import PACKAGE, SOURCES
from bench.inline.rejected import Made

Prepare = Callable[[Path, list[str], Path], Made | str]


def _aiosqlc(folder: Path, _texts: list[str], _tools: Path) -> Made | str:
    command = [sys.executable, "-m", "aiosqlc", "scan", SOURCES, "-o", PACKAGE]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return Made(PACKAGE, "sql", Path(sys.executable))


_RENDER = """
from pathlib import Path
from iron_sql.codegen import render_sql_module

render_sql_module(
    schema_path=Path("schema.sql"), module_full_name="my.db", dsn_expr="conf:DSN",
    src_path=Path("."),
).write()
"""


def _iron_sql(folder: Path, texts: list[str], tools: Path) -> Made | str:
    python = (tools / "py313" / "bin" / "python").absolute()
    if not python.exists():
        return "not installed"
    (folder / "schema.sql").write_text(
        "".join(path.read_text() for path in sorted((folder / "migrations").glob("*.sql")))
    )
    (folder / "conf.py").write_text('import os\n\nDSN = os.environ["DATABASE_URL"]\n')
    (folder / "my").mkdir()
    calls = [f"db_sql({text!r})\n" for text in texts]
    (folder / "its.py").write_text("".join(["from my.db import db_sql\n", *calls]))
    (folder / "render.py").write_text(_RENDER)
    serve = [sys.executable, "-m", "aiosqlc", "serve", "--", str(python), "render.py"]
    done = subprocess.run(serve, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return Made("my.db", "db_sql", python, "3.13")


def _sqlty(_folder: Path, _texts: list[str], tools: Path) -> Made | str:
    return "not measured" if (tools / "py314").exists() else "not installed"


PEERS: Mapping[str, Prepare] = {"aiosqlc": _aiosqlc, "iron_sql": _iron_sql, "sqlty": _sqlty}
