"""Find overrides whose class or function cannot be imported."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from aiosqlc.config.project import Override, Project, PythonTarget
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import TypedQuery
from aiosqlc.plan.hints import hinted_types
from aiosqlc.plan.overrides import imports_of
from aiosqlc.source import SourceFile


def not_importable(
    project: Project, python: PythonTarget, queries: Sequence[TypedQuery]
) -> list[Diagnostic]:
    """Return an error for each override whose class or function generated code cannot import."""
    places = [(item, project.file) for item in python.overrides]
    for query in queries:
        places += [(item, query.parsed.file) for item in hinted_types([query])]
    with importing_from([project.root, Path.cwd()]):
        return list(_refused(places))


def _refused(places: Iterable[tuple[Override, SourceFile]]) -> Iterator[Diagnostic]:
    seen: set[tuple[str, str]] = set()
    for override, file in places:
        for module, name in sorted(imports_of(override) - seen):
            seen.add((module, name))
            if why := _why_not(module, name):
                yield Diagnostic(
                    "E343",
                    f"`{module}.{name}` cannot be imported: {why}",
                    (Label(file, override.span, "the generated code imports this name"),),
                    (
                        "correct the name, or run the command in a folder from which Python can "
                        "import the module"
                    ),
                )


def _why_not(module: str, name: str) -> str:
    try:
        found = importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - any exception of the user's module
        return f"{type(error).__name__}: {error}"
    return "" if hasattr(found, name) else f"the module `{module}` has no `{name}`"


@contextlib.contextmanager
def importing_from(folders: Iterable[Path]) -> Iterator[None]:
    """Add the given folders at the start of the module search path within the block."""
    paths = [str(folder) for folder in folders]
    sys.path[:0] = paths
    try:
        yield
    finally:
        for path in paths:
            sys.path.remove(path)
