"""Search for rows that disprove a guarantee about the user's queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.engines import engine_for
from aiosqlc.engines.nested import mixed, returned
from aiosqlc.engines.scratch import Answer, Rows, Scratch, Trial
from aiosqlc.ir import AnalyzeOptions, Cardinality, TypedQuery
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.selfcheck.calling import Called, Package, call_all
from aiosqlc.servers.private import NoServerError

_ROUNDS = 10  # data sets, over which the executions of a query are distributed
_ROWS = 5


class Checked(Struct, frozen=True):
    """The findings of a search, and the queries that were tested.

    `refuted` are the findings about false guarantees. `unrun` are queries that failed in every run.
    `uncalled` maps queries whose function failed in every call to the reason. `unread` are queries
    whose results Python cannot represent. `rowless` are queries for which no row was returned or
    written, so that nothing was tested. `empty` are the tables into which no row could be inserted.
    """

    refuted: tuple[Diagnostic, ...] = ()
    unrun: tuple[Diagnostic, ...] = ()
    uncalled: tuple[tuple[str, str], ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    rowless: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


class _Seen(Struct):
    """The outcomes of all executions of one query."""

    ran: bool = False
    rows: bool = False
    refusal: str = ""


def selfcheck(
    analysed: Analysed, *, executions: int = 50, seed: int = 0, package: Package | None = None
) -> Checked:
    """Run each query about `executions` times on random rows, and report false guarantees.

    The search uses its own database, which is dropped afterwards. A guarantee is proved by the
    compiler or declared by the user (`!`). A finding contains the row and the parameters that
    disprove the guarantee. The functions of `package` are called too.
    """
    try:
        with engine_for(analysed.entry.engine) as engine:
            if engine.scratch is None:
                return Checked()
            return _checked(engine.scratch, analysed, executions, seed, package)
    except NoServerError as error:
        return Checked((Diagnostic("E210", f"no PostgreSQL server: {error}"),))


def _checked(
    scratch: Scratch, analysed: Analysed, executions: int, seed: int, package: Package | None
) -> Checked:
    entry, inputs, queries = analysed.entry, analysed.inputs, analysed.analysis.queries
    options = AnalyzeOptions(database_uri=entry.database_uri, shims=inputs.shims)
    with scratch.rows(inputs.schema, options, [query.sql for query in queries], seed) as rows:
        seen = {query.parsed.name: _Seen() for query in queries}
        refuted = list(_counterexamples(rows, queries, executions, seen))
        empty = tuple(rows.empty)
        called = call_all(rows.address, package, queries, seed) if package else Called()
    broken = [(query, called.broken.get(query.parsed.name)) for query in queries]
    refuted += [_broken(query, said) for query, said in broken if said]
    return Checked(
        tuple(refuted),
        tuple(_unrun(q, seen[q.parsed.name]) for q in queries if not seen[q.parsed.name].ran),
        tuple(
            (name, why) for name, why in called.unanswered.items() if name not in called.answered
        ),
        tuple(called.unread.items()),
        tuple(
            query.parsed.name
            for query in queries
            if (one := seen[query.parsed.name]).ran
            and not one.rows
            and (query.columns or query.writes)
        ),
        empty,
    )


def _counterexamples(
    rows: Rows, queries: Sequence[TypedQuery], executions: int, seen: dict[str, _Seen]
) -> Iterator[Diagnostic]:
    """Yield counterexamples among temporary rows; then insert rows for the generated functions."""
    refuted: set[tuple[str, str]] = set()
    for _ in range(_ROUNDS):
        with rows.undone():
            rows.fill(rows.random.randrange(_ROWS + 1))
            drawn = [
                (query, rows.draw(query))
                for query in queries
                for _ in range(max(1, executions // _ROUNDS))
            ]
            answers = rows.run([trial for _, trial in drawn])
            for (query, trial), answer in zip(drawn, answers, strict=True):
                _note(seen[query.parsed.name], answer)
                for finding in _compare(query, answer):
                    if (query.parsed.name, finding.claim) not in refuted:
                        refuted.add((query.parsed.name, finding.claim))
                        yield _diagnostic(query, finding, trial)
    with rows.kept():
        rows.fill(_ROWS)


def _note(seen: _Seen, answer: Answer) -> None:
    if answer.refusal:
        seen.refusal = answer.refusal
    else:
        seen.ran = True
        seen.rows = seen.rows or answer.touched


class _Finding(Struct, frozen=True):
    claim: str
    row: str


def _compare(query: TypedQuery, answer: Answer) -> Iterator[_Finding]:
    if answer.refusal:
        return
    if query.columns and answer.columns != len(query.columns):
        yield _Finding(
            f"the query returns {len(query.columns)} columns", f"{answer.columns} columns"
        )
        return
    count = returned(query, answer)
    if query.columns and count > 1 and query.cardinality.at_most_one:
        yield _Finding("returns at most one row", f"{count} rows")
    if query.columns and not count and query.cardinality in {Cardinality.ONE, Cardinality.SOME}:
        yield _Finding("returns at least one row", "no row")
    for name, number in mixed(query, answer):
        yield _Finding(f"the key of {name} determines all its columns", answer.row(number))
    missing = {
        index for embed in query.embeds if embed.nullable
        for index in range(embed.first, embed.first + embed.count)
    }  # fmt: skip
    for index, column in enumerate(query.columns):
        row = answer.null_row(index)
        if column.not_null and index not in missing and row is not None:
            yield _Finding(f"column {column.name} is NOT NULL", answer.row(row))


def _unrun(query: TypedQuery, seen: _Seen) -> Diagnostic:
    return Diagnostic(
        "E362",
        f"`{query.parsed.name}` could not be executed on any generated data, so nothing was tested",
        (Label(query.parsed.file, query.parsed.name_span),),
        "the query is wrong if it can never succeed on rows that the schema allows; more executions"
        " (`-n`) may find rows on which it succeeds",
        Severity.WARNING,
        notes=(f"the last refusal: {seen.refusal}",) if seen.refusal else (),
    )


def _broken(query: TypedQuery, said: str) -> Diagnostic:
    return Diagnostic(
        "E360",
        f"{query.parsed.name}: the result of the function does not match its type annotation",
        (Label(query.parsed.file, query.parsed.name_span),),
        "if the error comes from a class of yours, correct the fields of the class;"
        " otherwise please report this as a bug",
        notes=(said,),
    )


def _diagnostic(query: TypedQuery, finding: _Finding, trial: Trial) -> Diagnostic:
    notes = [f"the refuting row: {finding.row}"]
    if trial.arguments:
        notes.append(f"with {trial.arguments}")
    return Diagnostic(
        "E360",
        f"{query.parsed.name}: this guarantee is false: {finding.claim}",
        (Label(query.parsed.file, query.parsed.name_span),),
        "if the query has a `!` hint, remove the hint; otherwise please report this as a bug",
        notes=tuple(notes),
    )
