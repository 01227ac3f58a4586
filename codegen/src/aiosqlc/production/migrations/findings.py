"""Derive findings from the locks and effects that were observed while a migration ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiosqlc.analysis.watched.modes import Lock, TableLock
from aiosqlc.analysis.watched.observed import Held, Observed, ObservedFile
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import SchemaFile
from aiosqlc.source import Span

LOCKS = frozenset({"M001", "M002", "M003", "M004", "M005"})
_MOST_NAMES = 8


def danger(seen: Observed) -> str:
    """Return the finding code for a statement's dangerous locks, or '' without dangerous locks.

    A lock is dangerous if queries wait for it while the server does work that grows with the number
    of rows.
    """
    if seen.stopping:
        if seen.rewritten:
            return "M001"
        if seen.indexed:
            return "M003"
        if seen.changed:
            return "M004"
        if seen.scanned:
            return "M002"
    return "M005" if seen.kept else ""


def findings(seen: ObservedFile, *, patient: bool) -> list[Diagnostic]:
    """Return all findings of a migration.

    `patient` is true if the migration tool sets lock_timeout.
    """
    found = [*seen.failures]
    for statement in seen.statements:
        found += _of_statement(statement)
    if not patient:
        found += _without_timeout(seen.statements)
    found += _of_file(seen)
    return found


def _of_statement(seen: Observed) -> Iterator[Diagnostic]:
    code = danger(seen)
    if code:
        yield finding(code, seen, _MESSAGES[code](seen), notes=notes(seen))
    if seen.refused_in_block:
        hint = "move the statement into a separate migration that runs without a transaction"
        yield finding("M007", seen, seen.refused_in_block, hint)


def _without_timeout(statements: Sequence[Observed]) -> list[Diagnostic]:
    """Return a finding for the first statement that may wait for a strong lock forever."""
    asking = [one for one in statements if _requested(one) and not one.patience and _fresh(one)]
    if not asking:
        return []
    first = _requested(asking[0])[0]
    setting = first.mode.timeout
    message = (
        f"{_named(first)} on {first.relation.table} is requested, and no {setting} below one hour"
        " is set"
    )
    hint = (
        f"set {setting} at the start ({first.mode.patience}) and retry the statement after a"
        " timeout; pass `--timeout-set` if your migration tool sets it"
    )
    behind = ["while the statement waits for a running transaction, other queries wait behind it"]
    if len(asking) > 1:
        further = count(len(asking) - 1, "further statement")
        behind.append(f"{further} also requested a lock without a timeout")
    return [finding("M006", asking[0], message, hint, notes=(*notes(asking[0]), *behind))]


def _requested(seen: Observed) -> tuple[Held, ...]:
    """Return the locks that block other queries even before the statement has obtained them."""
    return seen.stopping or seen.brief


def _named(held: Held) -> str:
    if isinstance(held.mode, TableLock):
        return "an exclusive metadata lock"
    return held.mode.written


def _of_file(seen: ObservedFile) -> Iterator[Diagnostic]:
    file = seen.file
    label = (Label(file.file, _first_line(file)),)
    for at, names in _by_cause(seen, seen.broken):
        yield Diagnostic(
            "M008",
            f"{count(len(names), 'query')} of the current code fail after this migration"
            if len(names) > 1
            else "a query of the current code fails after this migration",
            (at,),
            "first deploy code that works before and after the migration, and migrate later",
            Severity.WARNING,
            (listed(names),),
        )
    for at, names in _by_cause(seen, seen.dropped):
        hint = "make sure that running code does not need the data, and that you have a backup"
        yield _warning("M009", f"this migration removes {_all(names)}", (at,), hint)
    for problem in seen.back:
        message = f"the rollback of {file.file.path.name} fails: {problem.message}"
        yield _warning("M010", message, problem.labels, problem.hint)
    if seen.lost:
        message = f"the rollback does not restore {_all(seen.lost)}"
        hint = "first copy the lost data into another table, or accept that the rollback loses data"
        yield _warning("M010", message, label, hint)
    for problem in seen.back_later:
        message = (
            f"the rollback fails on rows that are written after the migration: {problem.message}"
        )
        hint = problem.hint or "change these rows in the rollback before its other statements"
        yield _warning("M010", message, problem.labels, hint)
    if seen.lost_later:
        later = _all(seen.lost_later)
        message = f"the rollback changes data that is written after the migration: {later}"
        hint = "first copy the data into another table, or accept that the rollback loses data"
        yield _warning("M010", message, label, hint)
    for problem in seen.on_rows:
        message = f"the migration fails on rows that the previous schema allows: {problem.message}"
        hint = problem.hint or "change these rows in an earlier migration"
        yield _warning("M011", message, problem.labels, hint)


def _by_cause(seen: ObservedFile, names: Sequence[str]) -> Iterator[tuple[Label, tuple[str, ...]]]:
    """Group broken queries or removed data by the statement that breaks or removes them."""
    for span in seen.file.statements:
        caused = tuple(name for name in names if seen.causes.get(name) == span)
        if caused:
            yield Label(seen.file.file, place(seen.file, span)), caused


def finding(
    code: str, seen: Observed, message: str, hint: str = "", notes: Sequence[str] = ()
) -> Diagnostic:
    """Return a finding whose label is the first line of a statement."""
    label = Label(seen.file.file, place(seen.file, seen.span))
    return Diagnostic(code, message, (label,), hint, Severity.WARNING, tuple(notes))


def place(file: SchemaFile, span: Span) -> Span:
    """Return the span of a statement's first line, without the comments before it."""
    text = file.sql[span.start : span.end]
    start = span.start + len(text) - len(text.lstrip())
    end = file.sql.find("\n", start, span.end)
    return Span(start, end if end > 0 else span.end)


def notes(seen: Observed) -> tuple[str, ...]:
    """Return notes about a statement's locks and the queries that wait for them."""
    strongest: dict[str, Held] = {}  # locks of indexes only if they are stronger
    for held in sorted(_requested(seen), key=lambda held: (-held.mode, held.relation.is_index)):
        strongest.setdefault(held.relation.table, held)
    found = [_lock(seen, held) for held in strongest.values()]
    if seen.waiting:
        found.append(f"{count(len(seen.waiting), 'query')} would wait: {listed(seen.waiting)}")
    elif _requested(seen):
        found.append("no query of this project would wait")
    return tuple(found)


def listed(names: Sequence[str]) -> str:
    """Return a text with the first few names and the number of further names."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def count(number: int, thing: str) -> str:
    """Return a number with its noun in the singular or plural: `1 query`, `2 queries`."""
    if number == 1:
        return f"1 {thing}"
    return f"{number} {thing.removesuffix('y')}ies" if thing.endswith("y") else f"{number} {thing}s"


def _lock(seen: Observed, held: Held) -> str:
    what = f"the index {held.relation.name}" if held.relation.is_index else held.relation.name
    who = "reads and writes wait" if held.mode.stops_reads else "writes wait"
    line = seen.file.file.line_col(place(seen.file, held.since).start)[0]
    since = "" if held.since == seen.span else f", since line {line}"
    if held in seen.brief:
        return f"locks {what} exclusively for a moment: reads and writes wait"
    if held.mode is TableLock.ROWS:
        return f"locks the rows of {what}: {who}"
    return f"holds {held.mode.written} on {what}{since}: {who}"


def _fresh(seen: Observed) -> bool:
    """Return whether this statement requests a lock that no earlier statement already holds."""
    return any(held.since == seen.span for held in _requested(seen))


def _strongest(seen: Observed) -> Lock:
    return seen.stopping[0].mode


def _who(seen: Observed) -> str:
    return "reads and writes" if _strongest(seen).stops_reads else "writes"


def _all(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


_MESSAGES = {
    "M001": lambda s: f"rewrites {_all(s.rewritten)} while {_who(s)} wait",
    "M002": lambda s: f"scans all rows of {_all(s.scanned)} while {_who(s)} wait",
    "M003": lambda s: f"builds an index on {_all(s.indexed)} while {_who(s)} wait",
    "M004": lambda s: f"scans all rows of {_all(s.changed)} while {_who(s)} wait",
    "M005": lambda s: (
        f"changes the rows of {_all(s.kept)} in one statement, and locks these rows until the "
        f"transaction ends"
    ),
}


def _warning(code: str, message: str, labels: tuple[Label, ...], hint: str = "") -> Diagnostic:
    return Diagnostic(code, message, labels, hint, Severity.WARNING)


def _first_line(file: SchemaFile) -> Span:
    return place(file, file.statements[0]) if file.statements else Span(0, 0)
