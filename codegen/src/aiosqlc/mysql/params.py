"""Infer each parameter's type and name, and whether it may be None, from all its uses."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import ParsedQuery, SqlType, TypedParam
from aiosqlc.mysql import types
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.uses import Use, use_of
from aiosqlc.parse.placeholders import Place
from aiosqlc.source import Span


def infer(
    query: ParsedQuery, reader: Reader
) -> tuple[tuple[TypedParam, ...], tuple[Use, ...], list[Diagnostic]]:
    """Infer the types and names of the parameters of a parsed query.

    The uses are in the order of the text. A parameter without a type is a diagnostic.
    """
    uses = [
        use for node in reader.tree.root.find_all(exp.Placeholder) if (use := use_of(node, reader))
    ]
    uses.sort(key=lambda use: use.place.start)
    params: list[TypedParam] = []
    problems: list[Diagnostic] = []
    for param in query.params:
        mine = [use for use in uses if use.place.number == param.number]
        typed = _strongest(mine)
        problem = _conflict(query, param.number, typed)
        if problem is None and not typed:
            hint = next((use.hint for use in mine if use.hint), _CAST_HINT)
            problem = _untyped(query, param.number, param.name or "", hint)
        if problem:
            problems.append(problem)
        best = _best(typed) or Use(Place(param.number, 0, 0), types.ANY)
        optional = param.nullable if param.nullable is not None else any(u.optional for u in mine)
        params.append(
            TypedParam(
                number=param.number,
                name=param.name or best.name or f"p{param.number}",
                type=best.type or types.ANY,
                not_null=not optional,
                origin=best.origin,
                is_slice=param.is_slice,
                is_named=param.name is not None,
                is_part=any(use.part for use in typed),
                reasons=tuple(_reason(use) for use in typed),
                row=param.row,
            )
        )
    return tuple(params), tuple(uses), problems


def _strongest(uses: Sequence[Use]) -> list[Use]:
    """Return the uses that decide a parameter's type; uses that suggest no type are ignored."""
    typed = [use for use in uses if use.type]
    certain = [use for use in typed if not use.weak]
    moments = [use for use in typed if use.type != types.ANY]
    everywhere = len(typed) == len(uses)  # or else another use may accept values of an unknown type
    return certain or moments or (typed if everywhere else [])


def _best(uses: Sequence[Use]) -> Use | None:
    """Return the first use of a parameter with a column, or else the first use.

    The type of a column also has a length or the labels of an enum.
    """
    return next((use for use in uses if use.origin), uses[0] if uses else None)


def _reason(use: Use) -> str:
    where = f"{use.origin.table}.{use.origin.column}" if use.origin else "where it stands"
    return f"{use.type.name if use.type else '?'}: from {where}"


def _conflict(query: ParsedQuery, number: int, uses: Sequence[Use]) -> Diagnostic | None:
    """Report a parameter whose uses require two types, if no Python value fits both."""
    if not uses:
        return None
    first = uses[0]
    for other in uses[1:]:
        if _kind(first.type) != _kind(other.type):
            return Diagnostic(
                code="E314",
                message=f"parameter `{_name(query, number)}` is used with two types",
                labels=(
                    Label(query.file, _span(query, first.place), f"{_shown(first)} here"),
                    Label(query.file, _span(query, other.place), f"{_shown(other)} here"),
                ),
                hint=(
                    f"cast the parameter at one use: `CAST(… AS {_cast_name(first.type)})`, or "
                    "use two parameters"
                ),
            )
    return None


def _kind(kind: SqlType | None) -> str:
    family = types.family(kind) if kind else ""
    if family in {"integer", "decimal", "float", "double"}:
        return "number"
    return {"timestamp": "datetime", "bytes": "text"}.get(family, family)


_CAST_HINT = (
    "add a cast: `CAST(? AS CHAR)`, `CAST(? AS SIGNED)`,"
    " `CAST(? AS DECIMAL(20, 6))`, `CAST(? AS DOUBLE)`, `CAST(? AS DATE)`,"
    " `CAST(? AS DATETIME)`, `CAST(? AS TIME)`, `CAST(? AS BINARY)`"
)


def _untyped(query: ParsedQuery, number: int, name: str, hint: str) -> Diagnostic:
    span = next((p.spans[0] for p in query.params if p.number == number and p.spans), query.span)
    return Diagnostic(
        code="E313",
        message=f"cannot infer the type of parameter `{name or '?'}`",
        labels=(
            Label(
                query.file,
                span,
                (
                    "the parameter is neither compared with, nor passed to, an expression with a "
                    "known type"
                ),
            ),
        ),
        hint=hint,
    )


def _name(query: ParsedQuery, number: int) -> str:
    return next((p.name for p in query.params if p.number == number and p.name), "?")


def _span(query: ParsedQuery, place: Place) -> Span:
    start = query.source_map.to_source(place.start)
    spans = [s for p in query.params if p.number == place.number for s in p.spans]
    return next((s for s in spans if s.start <= start < s.end), Span(start, start + 1))


def _shown(use: Use) -> str:
    return use.type.name if use.type else "unknown"


# The types that CAST supports; other types use the most similar one.
_CASTS = {
    "integer": "SIGNED", "decimal": "DECIMAL(20, 6)", "float": "DOUBLE", "double": "DOUBLE",
    "text": "CHAR", "bytes": "BINARY", "date": "DATE", "time": "TIME", "datetime": "DATETIME",
    "timestamp": "DATETIME",
}  # fmt: skip


def _cast_name(kind: SqlType | None) -> str:
    return _CASTS.get(types.family(kind) if kind else "", "CHAR")
