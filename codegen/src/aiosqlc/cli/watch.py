"""`aiosqlc watch`: generate the code after each change. The database server stays running."""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.cli.failures import failed
from aiosqlc.cli.watching import folders_of, is_source, next_changes, tidy_up, watching
from aiosqlc.config.project import Project
from aiosqlc.engines import Engine, engine_for
from aiosqlc.messages.render import Style
from aiosqlc.pipeline import output
from aiosqlc.pipeline.analysed import options_of
from aiosqlc.pipeline.build import build
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.pipeline.unchanged import is_unchanged
from aiosqlc.source import Dialect

EngineOf = Callable[[Dialect], Engine]


def run(arguments: argparse.Namespace) -> int:
    """Generate the code now and after each change of an SQL or configuration file."""
    project = load(arguments)
    if project is None:
        return 2
    gc.disable()  # garbage is collected between edits, not during one
    with contextlib.ExitStack() as stack:
        engine_of = cache(lambda engine: stack.enter_context(engine_for(engine)))
        events = stack.enter_context(watching(folders_of(project), is_source))
        with _surviving(arguments):
            _generate(arguments, project, engine_of)
            _warm_up(project, engine_of)
        tidy_up(0)
        sys.stderr.write("watching\n")
        rounds = 0
        settled = False  # changes before the start of watching are reported with the first event
        while True:
            changes = next_changes(events)
            with _surviving(arguments):
                changed = load(arguments) if changes or not settled else None
                if changed is not None and (changes or not is_unchanged(changed)):
                    _generate(arguments, changed, engine_of)
                    rounds += 1
                    tidy_up(rounds)
            settled = True


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


@contextlib.contextmanager
def _surviving(arguments: argparse.Namespace) -> Iterator[None]:
    """Report an error and continue, because the next change may remove the cause."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # a fault of one text must not end the watch
        failed(error, verbose=arguments.verbose)


def _name(changes: output.Changes, style: Style) -> None:
    """Print the paths of the generated files that were written or removed."""
    for file in changes.write:
        sys.stderr.write(f"wrote {style.shown(file.path)}\n")
    for path in changes.remove:
        sys.stderr.write(f"removed {style.shown(path)}\n")


# --- the server -----------------------------------------------------------------------------------


def _warm_up(project: Project, engine_of: EngineOf) -> None:
    """Start the database server early, so that the first edit does not wait for it."""
    for entry in project.sets:
        inputs, _ = read_inputs(project, entry)
        engine = engine_of(entry.engine)
        if engine.embedded:
            engine.analyze(inputs.schema, inputs.queries[:1], options_of(entry, inputs.shims))
