"""Compile the SQL string literals in Python files to a package of generated code."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.engines import Engine
from aiosqlc.files import find_sql_files, read_files
from aiosqlc.inline.find import FUNCTION, Literal, as_python_reads, literals
from aiosqlc.inline.gather import different, gathered
from aiosqlc.inline.module import print_inline
from aiosqlc.ir import Rendered
from aiosqlc.lock.document import Known
from aiosqlc.messages.files import reason
from aiosqlc.pipeline.alone import compile_alone, settings_alone
from aiosqlc.pipeline.analyzing import in_source_order
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.source import SourceFile
from aiosqlc.store.memo import memo

_literals = memo(literals)  # while watching, most files are unchanged
_STATEMENTS = "statements.sql"
_SKIPPED = frozenset({"__pycache__", "node_modules", "venv", "site-packages"})


class Scanned(Struct, frozen=True):
    """The files of a generated package, or no files if the diagnostics include an error.

    `count` is the number of SQL literals. `known` has the results that the next run may reuse.
    """

    files: tuple[Rendered, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    count: int = 0
    known: Known | None = None

    @property
    def failed(self) -> bool:
        """Return whether one of the diagnostics is an error."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)


def compile_literals(
    project: Project,
    entry: QuerySet,
    sources: Sequence[Path],
    out: Path,
    engine: Engine,
    command: str,
    known: Known | None = None,
) -> Scanned:
    """Find the SQL literals in the Python files of `sources`, and return the package for them.

    Only literals that have no result in `known` are analysed.
    """
    found: list[Literal] = []
    problems: list[Diagnostic] = []
    places = {Path(os.path.realpath(path)) for path in _python_files(sources, out)}
    for place in sorted(places):  # in one order, however the sources are named
        file = _read(place, project.root.resolve())
        if isinstance(file, Diagnostic):
            problems.append(file)
            continue
        if FUNCTION in file.text:
            here, wrong = _literals(file, out.name)
            found += here
            problems += wrong
    inputs, mistakes = read_inputs(project, replace(entry, queries=()))
    schema = [item for item in mistakes if item.severity is Severity.ERROR]
    if entry.python is None or not found or schema:
        return Scanned((), (*problems, *schema), len(found), known)
    parts = gathered(different(found), SourceFile(Path(_STATEMENTS), ""), entry.engine)
    problems += parts.problems
    if not parts.parts:
        return Scanned((), tuple(in_source_order(problems)), len(found), known)
    settings = settings_alone(entry.python, out)
    made = compile_alone(
        project, entry, settings, inputs, parts.source, engine.analyze, _library(project, entry),
        known,
    )  # fmt: skip
    said = in_source_order([*problems, *(parts.located(one) for one in made.diagnostics)])
    if any(item.severity is Severity.ERROR for item in said) or made.module is None:
        return Scanned((), tuple(said), len(found), made.known)
    text = print_inline(made.header, parts.parts, made.module, command)
    files = made.files(command.removeprefix("aiosqlc "), Rendered(out / f"{FUNCTION}.py", text))
    return Scanned(_exported(files, out), tuple(said), len(found), made.known)


def _library(project: Project, entry: QuerySet) -> list[SourceFile]:
    """Return the query files of an entry; the literals may include fragments from these files."""
    paths, _ = find_sql_files(project.root, entry.queries, project.file, entry.queries_span)
    return read_files(project.root, paths, whole=False)[0]


def _exported(files: Sequence[Rendered], out: Path) -> tuple[Rendered, ...]:
    """Add the import that makes `from package import sql` work to the package's `__init__.py`."""
    line = f"from .{FUNCTION} import {FUNCTION} as {FUNCTION}\n"
    return tuple(
        replace(file, text=_with_line(file.text, line))
        if file.path == out / "__init__.py"
        else file
        for file in files
    )


def _with_line(text: str, line: str) -> str:
    """Return a module's text with an import line added after the other imports."""
    head, found, rest = text.partition("\nfrom . import statements\n")
    return f"{head}{found}{line}{rest}" if found else text


def _python_files(sources: Sequence[Path], out: Path) -> Iterator[Path]:
    """Yield the Python files of `sources`, except hidden files and the generated package."""
    for source in sources:
        if source.is_file():
            yield source
            continue
        for folder, folders, names in os.walk(source):
            folders[:] = sorted(f for f in folders if f not in _SKIPPED and not f.startswith("."))
            if Path(folder).resolve() == out.resolve():
                folders.clear()
                continue
            for name in sorted(names):
                if name.endswith(".py") and not name.startswith("."):  # as an editor's `.#main.py`
                    yield Path(folder) / name


def _read(path: Path, root: Path) -> SourceFile | Diagnostic:
    shown = Path(os.path.relpath(path, root))
    try:
        return SourceFile(shown, as_python_reads(path.read_bytes().decode("utf-8-sig")))
    except (OSError, UnicodeDecodeError) as error:
        return Diagnostic("E008", f"cannot read {shown}: {reason(error)}")
