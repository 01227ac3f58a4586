"""Compile a case folder: schema.sql, queries.sql and, if it differs, sqlc.yaml.

Equal files of several cases are links to one file.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from aiosqlc.analysis.port import Analyze
from aiosqlc.config.load import load_project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.compile import compile_project
from aiosqlc.pipeline.printing import Compiled
from aiosqlc.postgres import analyze
from msgspec.structs import replace

CASES = Path(__file__).parent / "cases"
CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {out: expected, models: msgspec}
"""


def analyzer_on(url: str) -> Analyze:
    """Analyse on a running server, so that a case takes milliseconds."""

    def on_server(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        return analyze(schema, queries, replace(options, database_uri=url))

    return on_server


def copy_case(case: Path, folder: Path) -> Path:
    """Copy a case's inputs; return the configuration file."""
    for path in case.iterdir():
        if path.is_file() and path.suffix in {".sql", ".yaml", ".json"}:
            shutil.copy(path, folder)
        elif path.is_dir() and path.name != "expected":
            shutil.copytree(path, folder / path.name)
    config = folder / "sqlc.yaml"
    if not config.exists():
        config.write_text(CONFIG)
    return config


def compile_case(case: Path, folder: Path, url: str) -> dict[str, str]:
    """Return the result of a case: generated files by name, or `expected.txt` with its errors."""
    project, problems = load_project(copy_case(case, folder), environ={})
    compiled = Compiled()
    if project and not problems:
        compiled = compile_project(project, analyzer_on(url))
    found = [*problems, *compiled.diagnostics]
    produced = {}
    if not compiled.failed:
        produced = {file.path.relative_to(folder).as_posix(): file.text for file in compiled.files}
    if found:
        produced["expected.txt"] = render_all(found)
    return produced


def expected_of(case: Path) -> dict[str, str]:
    """Return the files in a case's folder."""
    files = [path for path in (case / "expected").glob("*") if path.suffix in {".py", ".json"}]
    files += [path for path in [case / "expected.txt"] if path.exists()]
    return {path.relative_to(case).as_posix(): path.read_text() for path in files}


def rewrite(case: Path, produced: dict[str, str]) -> None:
    """Make the produced files the expected files; for a link, write its target."""
    for name in expected_of(case).keys() - produced.keys():
        (case / name).unlink()
    for name, text in produced.items():
        (case / name).parent.mkdir(exist_ok=True)
        (case / name).write_text(text)
