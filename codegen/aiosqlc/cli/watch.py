"""`aiosqlc watch`: generate again whenever a file changes, with a server that stays warm."""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from watchfiles import Change, watch

from aiosqlc.build import build
from aiosqlc.cli.common import load, report, style_of
from aiosqlc.config.project import Project
from aiosqlc.parse.scanner import Dialect
from aiosqlc.remember import Analyze
from aiosqlc.unchanged import is_unchanged


def run(arguments: argparse.Namespace) -> int:
    """Generate now and after every change of a SQL or configuration file, until interrupted."""
    project = load(arguments)
    if project is None:
        return 2
    with warm_analyzer(project) as analyze:
        _generate(arguments, project, analyze)
        gc.freeze()  # what is known by now stays: no collection need walk through it again
        settled = False  # what changed before the watching began shows at its first sign of life
        for changes in _changes(project):
            changed = load(arguments) if changes or not settled else None
            if changed is not None and (changes or not is_unchanged(changed)):
                _generate(arguments, changed, analyze)
            settled = True
    return 0


def _changes(project: Project) -> Iterator[set[tuple[Change, str]]]:
    """Yield what changed, and nothing now and then where nothing did."""
    return watch(
        *_folders(project),
        watch_filter=_is_source,
        step=5,
        debounce=200,
        rust_timeout=500,
        yield_on_timeout=True,
    )


def _generate(arguments: argparse.Namespace, project: Project, analyze: Analyze | None) -> None:
    started = time.perf_counter()
    style = style_of(arguments, project.root)
    code = build(project, lambda found: report(found, style), analyze)
    taken = (time.perf_counter() - started) * 1000
    sys.stderr.write(f"{'up to date' if code == 0 else 'not written'} in {taken:.0f} ms\n")


def _folders(project: Project) -> list[Path]:
    """Return what to watch: the configuration's folder and every folder it names."""
    folders = {project.root.resolve()}
    for entry in project.sets:
        for pattern in (*entry.schema, *entry.queries, *entry.shims):
            named = (project.root / pattern.split("*", 1)[0]).resolve()
            folders.add(named if named.is_dir() else named.parent)
    return sorted(folder for folder in folders if folder.is_dir())


def _is_source(_: Change, path: str) -> bool:
    return path.endswith((".sql", "sqlc.yaml", "sqlc.yml", "sqlc.json"))


@contextlib.contextmanager
def warm_analyzer(project: Project) -> Iterator[Analyze | None]:
    """Yield an analyser whose server keeps running; None where an engine has no such thing."""
    if any(entry.engine is not Dialect.POSTGRESQL for entry in project.sets):
        yield None
        return
    from aiosqlc.postgres import Analyzer

    with Analyzer() as analyzer:
        yield analyzer.analyze
