"""Watch folders for changed files, and limit the memory of a process that compiles repeatedly."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread

from watchfiles import Change, watch

from aiosqlc.config.project import Project
from aiosqlc.store.memo import grow_old

_AGE = 50  # generations after which an unused text is dropped from the caches

Changes = set[tuple[Change, str]]
Events = SimpleQueue[Changes | BaseException]


@contextlib.contextmanager
def watching(folders: Iterable[Path], is_source: Callable[[str], bool]) -> Iterator[Events]:
    """Watch for changes while the block runs. Yield the queue that collects the changes.

    The first item is an empty set, which means that watching has started.
    """
    events: Events = SimpleQueue()
    stop = Event()

    def gather() -> None:
        started = False
        try:
            for changes in watch(
                *folders,
                watch_filter=lambda _, path: is_source(path),
                stop_event=stop,
                step=5,
                debounce=200,
                rust_timeout=500,
                yield_on_timeout=True,
            ):
                if changes or not started:
                    events.put(changes)
                started = True
        except BaseException as error:  # noqa: BLE001  # raised where the changes are awaited
            events.put(error)

    thread = Thread(target=gather, name="aiosqlc-watch", daemon=True)
    thread.start()
    try:
        yield events
    finally:
        stop.set()
        thread.join(timeout=2)


def next_changes(events: Events) -> Changes:
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


def folders_of(project: Project) -> list[Path]:
    """Return the folders to watch: the configuration's folder and each folder that it names."""
    folders = {project.root.resolve()}
    for entry in project.sets:
        for pattern in (*entry.schema, *entry.queries, *entry.shims):
            named = (project.root / pattern.split("*", 1)[0]).resolve()
            folders.add(named if named.is_dir() else named.parent)
    return sorted(folder for folder in folders if folder.is_dir())


def is_source(path: str) -> bool:
    """Return whether a file is an SQL file or a configuration."""
    return path.endswith((".sql", "sqlc.yaml", "sqlc.yml", "sqlc.json"))


def tidy_up(rounds: int) -> None:
    """Drop cached texts that are no longer used, and collect garbage.

    The remaining objects are frozen with `gc.freeze`, so that later garbage collections skip them.
    """
    if rounds % _AGE == 1:
        grow_old()
    gc.collect()
    gc.freeze()
