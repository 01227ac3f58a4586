"""Compile random texts to a package of functions, like a user's project."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from aiosqlc.analysis.port import Analyze
from aiosqlc.config.load import load_project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile
from aiosqlc.pipeline.compile import compile_project

PACKAGE = "hunted"
_CONFIG = """\
version: "2"
sql:
  - engine: {engine}{server}
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {{out: {package}, package: {package}{options}}}
"""


def compile_texts(
    folder: Path,
    engine: str,
    schema: str,
    texts: Sequence[str],
    analyze: Analyze,
    *,
    server: str = "",
    options: str = "",
    many: bool = False,
) -> Analysis:
    """Write `PACKAGE` below a folder, with a function for each text that the server accepts.

    `engine`, `server` and `options` are the settings of `sqlc.yaml`. `many` is true if all texts
    return many rows. The functions are called q0, q1, …
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.sql").write_text(schema)
    named = [
        f"-- name: Q{n} {':many' if many else _command(text, n)}\n{text};\n"
        for n, text in enumerate(texts)
    ]
    (folder / "queries.sql").write_text("\n".join(named))
    said = f"\n    server: {server}" if server else ""
    config = _CONFIG.format(engine=engine, server=said, package=PACKAGE, options=options)
    (folder / "sqlc.yaml").write_text(config)
    project, problems = load_project(folder / "sqlc.yaml", environ={})
    assert project is not None, problems
    found: list[Analysis] = []

    def recording(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        analysis, diagnostics = analyze(schema, queries, options)
        found.append(analysis)
        return analysis, diagnostics

    compiled = compile_project(project, recording, keep_going=True)
    for file in compiled.files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text)
    return found[-1]


@contextmanager
def imported(folder: Path) -> Iterator[ModuleType]:
    """Import the package below a folder; yield its functions, and remove the modules afterwards."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module(f"{PACKAGE}.queries")
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def _command(text: str, number: int) -> str:
    """Return the command of a text: a third get one row, and a write without rows gets none."""
    writes = text.lower().startswith(("insert", "update", "delete", "merge", "replace"))
    if writes and " returning " not in text.lower():
        return ":exec"
    return ":many" if number % 3 else ":one"
