"""Apply a query's hints (comments), which declare the nullability of columns and parameters."""

from __future__ import annotations

from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Analysis, Hint, TypedQuery
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.store.memo import memo_by

PARAM = "param:"


def apply_hints(analysis: Analysis) -> tuple[Analysis, list[Diagnostic]]:
    """Apply the `!` and `?` of all hints to an analysis, and report hints on unknown names."""
    problems: list[Diagnostic] = []
    queries = list(analysis.queries)
    for number, query in enumerate(queries):
        if query.parsed.hints:
            problems += _unknown_targets(query)
            queries[number] = with_hints(query)
    return replace(analysis, queries=tuple(queries)), problems


def with_hints(query: TypedQuery) -> TypedQuery:
    """Return the query with the `!` (NOT NULL) and `?` (nullable) of its hints applied."""
    return _hinted(query).placed(query.parsed)


@memo_by(lambda query: query.digest)
def _hinted(query: TypedQuery) -> TypedQuery:
    said = {hint.target: hint.not_null for hint in query.parsed.hints if hint.not_null is not None}
    columns = tuple(
        replace(
            column,
            not_null=said[column.name],
            reasons=("a hint in the query declares this nullability",),
        )
        if column.name in said
        else column
        for column in query.columns
    )
    params = tuple(
        replace(param, not_null=said[PARAM + param.name]) if PARAM + param.name in said else param
        for param in query.params
    )
    return replace(query, columns=columns, params=params)


def _unknown_targets(query: TypedQuery) -> list[Diagnostic]:
    columns = [column.name for column in query.columns]
    params = [param.name for param in query.params]
    found = []
    for hint in query.parsed.hints:
        is_param = hint.target.startswith(PARAM)
        name = hint.target.removeprefix(PARAM)
        known = params if is_param else columns
        if name not in known:
            found.append(_unknown(query, hint, name, known))
    return found


def _unknown(query: TypedQuery, hint: Hint, name: str, known: list[str]) -> Diagnostic:
    what = "parameter" if hint.target.startswith(PARAM) else "column"
    return Diagnostic(
        "E340",
        f"`{query.parsed.name}` has no {what} `{name}`",
        (Label(query.parsed.file, hint.span, "this hint has no effect"),),
        hint=did_you_mean(name, known, otherwise=f"known are {', '.join(known) or 'none'}"),
    )
