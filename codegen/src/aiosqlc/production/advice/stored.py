"""Cache the findings about an entry's plans, so that an unchanged entry is not planned again."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.lock.head import compiler_digest, embedded_server
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.production.advice.check import Advice
from aiosqlc.servers.private import cache_folder
from aiosqlc.source import SourceFile, Span
from aiosqlc.store.digest import digest_of

_MOST = 200  # stored results; the oldest are deleted


class _Place(Struct, array_like=True):
    """The label of a finding: the index of its file in a list of files, and its span and text."""

    file: int
    start: int
    end: int
    text: str


class _Finding(Struct, array_like=True):
    code: str
    message: str
    labels: list[_Place]
    hint: str
    severity: str
    notes: list[str]


class _Document(Struct):
    findings: list[_Finding]
    notes: list[str]


def remembered(analysed: Analysed, statistics: Statistics, advise: Callable[[], Advice]) -> Advice:
    """Return the cached advice if no input changed. Otherwise, call `advise` and cache its result.

    The inputs are the schema, the queries, the statistics, the options, and the versions of
    compiler and server. Raises the exceptions of `advise`. No error is raised if the result cannot
    be cached.
    """
    files = _files(analysed)
    path = cache_folder().expanduser() / "advice" / f"{_key(analysed, statistics)}.json"
    found = _read(path, files)
    if found is None:
        found = advise()
        with contextlib.suppress(OSError, KeyError):  # a finding elsewhere is not stored
            _write(path, found, files)
    return found


def _files(analysed: Analysed) -> list[SourceFile]:
    """Return the files to which findings can point, in a fixed order."""
    of_queries = [query.parsed.file for query in analysed.analysis.queries]
    of_schema = [file.file for file in analysed.inputs.schema]
    return list({_identity(file): file for file in (*of_queries, *of_schema)}.values())


def _identity(file: SourceFile) -> tuple[str, str]:
    return (str(file.path), file.text)


def _key(analysed: Analysed, statistics: Statistics) -> str:
    parts: list[object] = [compiler_digest(), embedded_server()]
    parts.append(repr(options_of(analysed.entry, analysed.inputs.shims)))
    parts.append(repr(statistics))
    parts += [_identity(file) for file in _files(analysed)]
    parts += [[file.transactional, file.sql] for file in analysed.inputs.schema]
    for query in analysed.analysis.queries:
        texts = [[variant.key, variant.sql] for variant in query.variants]
        parts.append([query.parsed.place, query.sql, texts])
    return digest_of(*parts)


def _read(path: Path, files: Sequence[SourceFile]) -> Advice | None:
    try:
        document = msgspec.json.decode(path.read_bytes(), type=_Document)
        findings = tuple(_restored(item, files) for item in document.findings)
    except (OSError, msgspec.DecodeError, IndexError, ValueError):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return Advice(findings, tuple(document.notes))


def _restored(item: _Finding, files: Sequence[SourceFile]) -> Diagnostic:
    labels = tuple(
        Label(files[place.file], Span(place.start, place.end), place.text) for place in item.labels
    )
    severity = Severity(item.severity)
    return Diagnostic(item.code, item.message, labels, item.hint, severity, tuple(item.notes))


def _write(path: Path, advice: Advice, files: Sequence[SourceFile]) -> None:
    """Write a result atomically, and delete the oldest results."""
    numbers = {_identity(file): number for number, file in enumerate(files)}
    findings = [_stored(item, numbers) for item in advice.findings]
    document = _Document(findings, list(advice.notes))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(msgspec.json.encode(document))
    Path(draft).replace(path)
    for old in sorted(path.parent.glob("*.json"), key=_last_used, reverse=True)[_MOST:]:
        old.unlink(missing_ok=True)


def _stored(item: Diagnostic, numbers: dict[tuple[str, str], int]) -> _Finding:
    labels = [_place(label, numbers) for label in item.labels]
    return _Finding(
        item.code, item.message, labels, item.hint, item.severity.value, list(item.notes)
    )


def _place(label: Label, numbers: dict[tuple[str, str], int]) -> _Place:
    return _Place(numbers[_identity(label.file)], label.span.start, label.span.end, label.text)


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process deleted it
        return 0.0
