"""Compile a project: from a configuration to files and diagnostics."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from aiosqlc.analysis.port import Analyze
from aiosqlc.config.project import Project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines import engine_for
from aiosqlc.ir import Analysis
from aiosqlc.lock.writing import calls_of as lock_calls
from aiosqlc.parse.queries import count_named
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.pipeline.analyzing import analyze_project, in_source_order
from aiosqlc.pipeline.printing import Compiled, Texts, print_set, without_concerned
from aiosqlc.source import Dialect, SourceFile, Span
from aiosqlc.store.divided import Call, answers


def compile_project(
    project: Project,
    analyze: Analyze | None = None,
    analyzer_of: Callable[[Dialect], Analyze] | None = None,
    *,
    keep_going: bool = False,
    with_lock: bool = False,
) -> Compiled:
    """Compile every entry of a project.

    An error in one entry does not hide errors in other entries.

    With `keep_going`, the queries of an entry that have no errors are rendered. With `with_lock`,
    their texts for the lock are rendered too.
    """
    with contextlib.ExitStack() as stack:
        engine_of = cache(lambda engine: stack.enter_context(engine_for(engine)))
        given = analyze or analyzer_of
        parts = list(
            analyze_project(
                project,
                analyze,
                analyzer_of or (lambda engine: engine_of(engine).analyze),
                engine_of=None if given else engine_of,
            )
        )
        # The server stops while other processes render.
        texts = _rendered(parts, stack.close, with_lock=with_lock)
    compiled = compile_parts(project, parts, texts, keep_going=keep_going)
    if compiled.failed and not keep_going:
        compiled.sound = compile_parts(project, parts, keep_going=True, check_only=True).written
    if compiled.near:
        from aiosqlc.emit.format import format_together

        compiled.files = format_together(compiled.files, compiled.near)
    return compiled


def compile_parts(
    project: Project,
    parts: Iterable[Analysed],
    texts: Mapping[int, Texts] | None = None,
    *,
    keep_going: bool = False,
    check_only: bool = False,
) -> Compiled:
    """Compile analysed queries into Python files that are not formatted yet.

    `texts` are the rendered queries by entry, as far as they are known. `check_only` is for callers
    that only need the diagnostics. Results that affect no diagnostic are then empty.
    """
    compiled = Compiled()
    known: list[tuple[Analysis, Dialect]] = []
    read: list[tuple[SourceFile, Dialect]] = []
    for analysed in parts:
        known.append((analysed.analysis, analysed.entry.engine))
        read += [(file, analysed.entry.engine) for file in analysed.inputs.files]
        compiled.diagnostics += analysed.diagnostics
        if analysed.locked:
            compiled.locked[str(analysed.entry.index)] = analysed.locked
        if not analysed.failed:
            print_set(
                project,
                analysed.entry,
                analysed.analysis,
                compiled,
                texts.get(analysed.entry.index) if texts else None,
                keep_going=keep_going,
                check_only=check_only,
            )
        else:
            compiled.diagnostics += _clashes_elsewhere(analysed)
            if keep_going:
                sound = without_concerned(analysed.analysis, analysed.diagnostics)
                if sound.queries:
                    print_set(
                        project,
                        analysed.entry,
                        sound,
                        compiled,
                        keep_going=True,
                        check_only=check_only,
                    )
    if not compiled.failed:
        asked = [item for entry in project.sets if entry.python for item in entry.python.overrides]
        if asked:
            from aiosqlc.plan.unmatched import unmatched_overrides

            compiled.diagnostics += unmatched_overrides(asked, known, project.file)
    if compiled.failed and not check_only:
        compiled.asked = sum(count_named(*one) for one in read)
    compiled.diagnostics = in_source_order(compiled.diagnostics)
    return compiled


def _rendered(
    parts: Sequence[Analysed], meanwhile: Callable[[], object], *, with_lock: bool
) -> dict[int, Texts]:
    """Render the queries of each entry without errors, for its JSON document and for the lock.

    Both are rendered at once, because each start of other processes costs time. `meanwhile` is
    called once, while the first of them begin.
    """
    found: dict[int, Texts] = {}
    for part in parts:
        if part.failed:
            continue
        document: list[Call] = []
        if part.entry.json and not part.entry.json.indent:
            from aiosqlc.emit.json import calls_of

            document = calls_of(part.entry, part.analysis)
        lock = lock_calls(part.locked) if with_lock and part.locked else []
        texts = answers([*document, *lock], None if found else meanwhile)
        at = len(document)
        found[part.entry.index] = Texts(texts[:at] or None, texts[at:] or None)
    return found


def _clashes_elsewhere(analysed: Analysed) -> list[Diagnostic]:
    """Return the name clashes at positions for which there is no other diagnostic."""
    python = analysed.entry.python
    if python is None:
        return []
    from aiosqlc.pipeline.python import clashes_of

    clashes = clashes_of(python, analysed.analysis, analysed.entry.engine)
    reported = {label for item in analysed.diagnostics for label in _places(item)}
    return [item for item in clashes if not reported & set(_places(item)[:1])]


def _places(item: Diagnostic) -> list[tuple[str, Span]]:
    return [(str(label.file.path), label.span) for label in item.labels]
