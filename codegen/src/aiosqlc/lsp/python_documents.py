"""Analyse the SQL literals of the Python files that are open in the editor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.port import Analyze
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.inline.package import package_of
from aiosqlc.lock.document import Known
from aiosqlc.lock.reading import known_of
from aiosqlc.lsp.known import Document, entry_of
from aiosqlc.lsp.python_text import python_text
from aiosqlc.parse.including import fragments_of
from aiosqlc.parse.queries import parse_files
from aiosqlc.pipeline.alone import settings_alone
from aiosqlc.pipeline.analysed import Analysed, Inputs
from aiosqlc.pipeline.analyzing import analyze_inputs
from aiosqlc.pipeline.printing import Compiled, print_set


class Open(Struct, frozen=True):
    """An open Python file, with the configuration entry and the package of its SQL literals."""

    path: Path
    text: str
    package: Path
    part: Analysed


def python_texts(texts: Mapping[str, bytes]) -> dict[str, str]:
    """Return the decoded texts of the Python files among the open files."""
    return {
        name: text.decode("utf-8", "surrogatepass")
        for name, text in texts.items()
        if name.endswith(".py")
    }


def opened(texts: Mapping[str, str], config: Path, parts: Iterable[Analysed]) -> dict[str, Open]:
    """Return, by path, the open files that use a package of this configuration."""
    found: dict[str, Open] = {}
    for name, text in texts.items():
        package = package_of(Path(name), text)
        if package is None or not package.is_of(config):
            continue
        fit = [part for part in parts if _fits(part.entry, package.entry)]
        if len(fit) == 1:
            found[name] = Open(Path(name), text, package.folder, fit[0])
    return found


def _fits(entry: QuerySet, name: str) -> bool:
    return entry.python is not None and (not name or entry.name == name)


def analyse(
    project: Project, one: Open, analyze: Analyze, known: Known | None, before: Document | None
) -> Document:
    """Compile a file's SQL literals. For literals that fail now, use the results in `before`."""
    outer, settings = one.part.inputs, one.part.entry
    read = python_text(one.path, one.text, one.package.name, settings.engine)
    python = settings.python and settings_alone(settings.python, one.package)
    own = replace(settings, python=python, json=None)
    source = read.queries.source
    queries, mistakes = parse_files([source], settings.engine, library=outer.files)
    inputs = Inputs(outer.schema, (source,), queries, outer.shims, outer.readable)
    known = before.known if before and before.known else known
    analysed = analyze_inputs(own, inputs, mistakes, known, analyze)
    compiled = Compiled()
    if not analysed.failed:
        print_set(project, own, analysed.analysis, compiled, check_only=True)
    entry = entry_of(analysed, project.root, compiled, before.entry if before else None)
    said = [*analysed.diagnostics, *compiled.diagnostics] if read.queries.parts else []
    return Document(
        replace(entry, fragments=fragments_of(outer.files, settings.engine)),
        (*read.problems, *(read.queries.located(item) for item in said)),
        known_of(analysed.locked) if analysed.locked else known,
    )
