"""`aiosqlc watch`: generate the code again after each change; the database server stays running."""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread

from watchfiles import Change, watch

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.config.project import Project
from aiosqlc.engines import Engine, engine_for
from aiosqlc.messages.render import Style
from aiosqlc.pipeline import output
from aiosqlc.pipeline.analysed import options_of
from aiosqlc.pipeline.build import build
from aiosqlc.pipeline.compile import read_inputs
from aiosqlc.pipeline.unchanged import is_unchanged
from aiosqlc.source import Dialect
from aiosqlc.store.memo import grow_old

EngineOf = Callable[[Dialect], Engine]

_AGE = 50  # generations after which an unused text is dropped from the caches


def run(arguments: argparse.Namespace) -> int:
    """Generate the code now and after each change of an SQL or configuration file."""
    project = load(arguments)
    if project is None:
        return 2
    gc.disable()  # garbage is collected between edits, not during one
    with contextlib.ExitStack() as stack:
        engine_of = cache(lambda engine: stack.enter_context(engine_for(engine)))
        events = stack.enter_context(_watching(project))
        _generate(arguments, project, engine_of)
        _warm_up(project, engine_of)
        _tidy_up(0)
        sys.stderr.write("watching\n")
        rounds = 0
        settled = False  # changes before the start of watching are reported with the first event
        while True:
            changes = _next(events)
            changed = load(arguments) if changes or not settled else None
            if changed is not None and (changes or not is_unchanged(changed)):
                _generate(arguments, changed, engine_of)
                rounds += 1
                _tidy_up(rounds)
            settled = True


def _tidy_up(rounds: int) -> None:
    """Regularly drop cached texts that are not used any more, and collect garbage.

    The remaining objects are frozen, so that later collections skip them.
    """
    if rounds % _AGE == 1:
        grow_old()
    gc.collect()
    gc.freeze()


def _generate(arguments: argparse.Namespace, project: Project, engine_of: EngineOf) -> None:
    started = time.perf_counter()
    style = style_of(arguments, project.root)
    code = build(
        project,
        lambda found: report(found, style),
        analyzer_of=lambda engine: engine_of(engine).analyze,
        wrote=lambda changes: _name(changes, style),
    )
    taken = (time.perf_counter() - started) * 1000
    sys.stderr.write(f"{'up to date' if code == 0 else 'not written'} in {taken:.0f} ms\n")


def _name(changes: output.Changes, style: Style) -> None:
    """Print which generated files were written and removed."""
    for file in changes.write:
        sys.stderr.write(f"wrote {style.shown(file.path)}\n")
    for path in changes.remove:
        sys.stderr.write(f"removed {style.shown(path)}\n")


# --- what changes ---------------------------------------------------------------------------------

Changes = set[tuple[Change, str]]


@contextlib.contextmanager
def _watching(project: Project) -> Iterator[SimpleQueue[Changes | BaseException]]:
    """Watch for changes while the block runs. Yield the queue that collects the changes.

    The first item is an empty set, which means that watching has started.
    """
    events: SimpleQueue[Changes | BaseException] = SimpleQueue()
    stop = Event()
    folders = _folders(project)

    def gather() -> None:
        begun = False
        try:
            for changes in watch(
                *folders,
                watch_filter=_is_source,
                stop_event=stop,
                step=5,
                debounce=200,
                rust_timeout=500,
                yield_on_timeout=True,
            ):
                if changes or not begun:
                    events.put(changes)
                begun = True
        except BaseException as error:  # noqa: BLE001  # raised where the changes are awaited
            events.put(error)

    thread = Thread(target=gather, name="aiosqlc-watch", daemon=True)
    thread.start()
    try:
        yield events
    finally:
        stop.set()
        thread.join(timeout=2)


def _next(events: SimpleQueue[Changes | BaseException]) -> Changes:
    """Wait for a change, and return all changes since the last call."""
    found = [events.get()]
    with contextlib.suppress(Empty):
        while True:
            found.append(events.get_nowait())
    changes: Changes = set()
    for item in found:
        if isinstance(item, BaseException):
            raise item
        changes |= item
    return changes


def _folders(project: Project) -> list[Path]:
    """Return the folders to watch: the configuration's folder and each folder that it names."""
    folders = {project.root.resolve()}
    for entry in project.sets:
        for pattern in (*entry.schema, *entry.queries, *entry.shims):
            named = (project.root / pattern.split("*", 1)[0]).resolve()
            folders.add(named if named.is_dir() else named.parent)
    return sorted(folder for folder in folders if folder.is_dir())


def _is_source(_: Change, path: str) -> bool:
    return path.endswith((".sql", "sqlc.yaml", "sqlc.yml", "sqlc.json"))


# --- the server -----------------------------------------------------------------------------------


def _warm_up(project: Project, engine_of: EngineOf) -> None:
    """Start the database server early, so that the first edit does not wait for it."""
    for entry in project.sets:
        inputs, _ = read_inputs(project, entry)
        engine = engine_of(entry.engine)
        if engine.embedded:
            engine.analyze(inputs.schema, inputs.queries[:1], options_of(entry, inputs.shims))
