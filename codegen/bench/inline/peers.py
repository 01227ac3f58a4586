"""The tools that type SQL in Python literals, each as a function that prepares a project.

`bench.soundness` has the same tools: as it knows them, they say what they claim of a query.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.inline.project import PACKAGE, PARAMETER, SOURCES
from bench.inline.rejected import MODULE, Made, called
from bench.soundness.peers import iron_sql, ours, sqlty
from bench.soundness.peers.port import Peer, ran


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with literals, the folder of installed tools, and a database with the schema."""

    folder: Path
    texts: list[str]
    schema: str
    tools: Path
    url: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: `peer` is how `bench.soundness` asks it, `prepare` makes what literals need."""

    peer: Peer
    prepare: Callable[[Project], Made]


def _run(command: list[str | Path], folder: Path) -> None:
    done = ran(command, folder)
    if done.returncode:
        raise RuntimeError(done.stdout[-1000:] + done.stderr[-1000:])


def _aiosqlc(project: Project) -> Made:
    scan = [sys.executable, "-m", "aiosqlc", "scan"]
    _run([*scan, SOURCES, "-o", PACKAGE], project.folder)
    made = called(PACKAGE, "sql", Path(sys.executable))
    return replace(made, check=[*scan, MODULE, "-o", PACKAGE, "--check"])


_RENDER = """
from pathlib import Path
from iron_sql.codegen import render_sql_module

render_sql_module(
    schema_path=Path("schema.sql"), module_full_name="my.db", dsn_expr="conf:DSN",
    src_path=Path("."),
).write()
"""


def _iron_sql(project: Project) -> Made:
    folder, python = project.folder, (project.tools / "py313" / "bin" / "python").absolute()
    (folder / "schema.sql").write_text(project.schema)
    (folder / "conf.py").write_text(f"DSN = {project.url!r}\n")
    (folder / "my").mkdir()
    calls = [f"db_sql({text!r})\n" for text in project.texts]
    (folder / "its.py").write_text("".join(["from my.db import db_sql\n", *calls]))
    (folder / "render.py").write_text(_RENDER)
    _run([python, "render.py"], folder)
    return called("my.db", "db_sql", python, "3.13")


# The rule is about style, and holds for literals that did not change.
_SQLTY = '[tool.sqlty]\nschema = "schema.sql"\nrules.select-star = "ignore"\n'


def _sqlty(project: Project) -> Made:
    folder, python = project.folder, (project.tools / "py314").absolute()
    (folder / "pyproject.toml").write_text(_SQLTY)
    (folder / "schema.sql").write_text(project.schema)
    lines = [f"q{number} = {_marked(text)!r}\n" for number, text in enumerate(project.texts)]
    (folder / "its.py").write_text("".join(lines))
    _run([python, "-m", "sqlty", "rewrite", "its.py"], folder)
    body = ast.parse((folder / "its.py").read_text()).body
    imports = [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    values = [node.value for node in body if isinstance(node, ast.Assign)]
    types = {  # a statement without columns stays a string
        text: ast.unparse(value.func) if isinstance(value, ast.Call) else ""
        for text, value in zip(project.texts, values, strict=True)
    }
    return Made(
        imports,
        lambda new, old: f"{types[old]}({_marked(new)!r})",
        python,
        "3.14",
        [python, "-m", "sqlty", "check", MODULE],
    )


def _marked(text: str) -> str:
    """Return a literal for sqlty: with its mark, and with the parameters of psycopg."""
    return "--sql\n" + PARAMETER.sub(r"%(\1)s", text.replace("%", "%%"))


TOOLS = (Tool(ours.PEER, _aiosqlc), Tool(iron_sql.PEER, _iron_sql), Tool(sqlty.PEER, _sqlty))
