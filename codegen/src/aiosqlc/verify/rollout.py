"""Run queries on generated rows, in each schema state of a release."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines.nested import mixed, returned
from aiosqlc.engines.scratch import Answer, Rows, Scratch, States, Trial
from aiosqlc.ir import AnalyzeOptions, Cardinality, TypedQuery
from aiosqlc.verify.release import Code, Release, Step, relies

_CALLS = 16  # of each query, or fewer in a large project
_MOST_CALLS = 2400  # of all queries of a version
_FEWEST = 4
_PASSING = 12  # tries after a key conflict, because the sequences of two states may differ


class _Seen(Struct):
    """The observations in one schema state of a release."""

    tried: int = 0
    old: dict[str, Diagnostic] = field(default_factory=dict)
    new: dict[str, Diagnostic] = field(default_factory=dict)
    on_rows: tuple[Diagnostic, ...] = ()


def try_release(
    scratch: Scratch, release: Release, old: Code, new: Code, options: AnalyzeOptions
) -> list[Step]:
    """Run the queries of both versions in every schema state; migrations also change the rows.

    A call that succeeds on the schema for which its code was generated must also succeed on the
    other schemas, with a result that the code can read. All databases are dropped.
    """
    seen = [_Seen() for _ in range(len(release.pending) + 1)]
    texts = [query.sql for query in (*release.old, *release.new)]
    with scratch.states(release.applied, release.pending, options, texts) as states:
        for number, found in states.failed.items():
            seen[number].on_rows = found
        for code, side in ((old, "old"), (new, "new")) if states.rows else ():
            _try_code(code, states, side, seen)
    names = ["", *(file.file.path.name for file in release.pending)]
    return [
        Step(name, tuple(s.old.values()), tuple(s.new.values()), s.tried, s.on_rows)
        for name, s in zip(names, seen, strict=True)
    ]


def _try_code(code: Code, states: States, side: str, seen: list[_Seen]) -> None:
    home = states.rows[code.own]
    home.fill(0)  # prepares arguments from existing values
    calls = max(_FEWEST, min(_CALLS, _MOST_CALLS // max(1, len(code.queries))))
    trials = [(query, home.draw(query)) for query in code.queries for _ in range(calls)]
    worked = [not answer.refusal for answer in _run_all(home, trials)]
    for number, rows in enumerate(states.rows):
        if number == code.own:
            continue
        found: dict[str, Diagnostic] = getattr(seen[number], side)
        met = states.obstacles(code.own, number)
        for query in code.queries:
            for why in (why for table in query.writes for why in met.get(table, ())):
                found.setdefault(query.parsed.name, relies(query, why))
        seen[number].tried += sum(worked)
        answers = _run_all(rows, trials)
        for (query, trial), works, answer in zip(trials, worked, answers, strict=True):
            why = _problem(query, answer) if works else ""
            if why and query.parsed.name not in found:
                notes = (f"with {trial.arguments}",) if trial.arguments else ()
                found[query.parsed.name] = replace(relies(query, why), notes=notes)


def _run_all(rows: Rows, trials: Sequence[tuple[TypedQuery, Trial]]) -> list[Answer]:
    """Run queries with arguments, and repeat a query after a key conflict.

    Return the last response of each query.
    """
    answers: dict[int, Answer] = {}
    left = list(range(len(trials)))
    with rows.undone():
        for _ in range(_PASSING):
            answers |= zip(left, rows.run([trials[n][1] for n in left]), strict=True)
            left = [n for n in left if answers[n].key_taken]
    return [answers[number] for number in range(len(trials))]


def _problem(query: TypedQuery, answer: Answer) -> str:
    """Return the reason why the query's generated code cannot handle a response, or ''."""
    if answer.refusal:
        return f"fails: {answer.refusal}"
    rows = returned(query, answer)
    if query.columns and query.cardinality.at_most_one and rows > 1:
        return f"returns {rows} rows"
    if query.columns and query.cardinality in {Cardinality.ONE, Cardinality.SOME} and not rows:
        return "returns no row"
    if lists := [name for name, _ in mixed(query, answer)]:
        return f"cannot group rows into {lists[0]}: rows with equal keys have different values"
    absent = {
        index
        for embed in query.embeds
        if embed.nullable
        for index in range(embed.first, embed.first + embed.count)
    }
    for index, column in enumerate(query.columns[: answer.columns]):
        if column.not_null and index not in absent and answer.null_row(index) is not None:
            return f"returns NULL as {column.name}"
    return ""
