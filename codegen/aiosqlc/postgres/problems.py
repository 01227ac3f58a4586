"""Turns the server's refusal of a query into a diagnostic at the right place of the right file."""

from __future__ import annotations

import re

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import ParsedQuery
from aiosqlc.postgres.standin import extension_wanted
from aiosqlc.postgres.syntax_hints import QUOTES, TYPOGRAPHIC, syntax_hint
from aiosqlc.servers.postgres.connection import ServerError
from aiosqlc.source import SourceMap, Span

_CODES = {
    "42601": "E300",  # syntax error
    "42P01": "E310",  # undefined table
    "42703": "E311",  # undefined column
    "42883": "E312",  # undefined function or operator
    "42P18": "E313",  # the type of a parameter cannot be determined
    "42P08": "E314",  # a parameter is used with two types
    "42702": "E315",  # ambiguous column
    "42804": "E316",  # datatype mismatch
    "42803": "E317",  # grouping error
    "42704": "E318",  # undefined object: a type, a collation …
}
_OTHER = "E301"
_MOST_PARAMETERS = 65_535  # the protocol counts them in 16 bits
_TOO_DEEP = "54001"
_HINTS = {
    "42702": "write the table or its alias before it, as in `a.id`",
    "42803": "add it to GROUP BY, or take one value of each group, as in `max(…)`",
    "42P18": "say the type with a cast, as in `{param}::text`",
    _TOO_DEEP: "it is nested too deeply: split it, or write a long list as one array",
    "42P08": "the same parameter is used with two types; cast one use, as in `{param}::text`",
}
_GLUED = re.compile(r"[-+*/<>=~!#%^&|`?]+@$")  # `a <->@name`: the parameter's mark is lost
_MEANT = re.compile(
    r'Perhaps you meant to reference the (?:column|table alias) "([^"]+)"'
    r'(?: or the column "([^"]+)")?\.'
)
_WORD = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|[@$]?\w+|\S""")
_NEAR_NUMBER = re.compile(r'near "\$\d+"')
_PARAM = re.compile(r"parameter \$(\d+)")
_OPERATOR = re.compile(
    r"operator does not exist: (?P<left>.+) (?P<sign>[-+*/<>=~!@#%^&|`?]+) (?P<right>.+)$"
)
_APART = re.compile(r"types (.+) and (.+) cannot be matched$")
_QUOTED = re.compile(r'"([^"]+)"')


def query_problem(
    query: ParsedQuery, error: ServerError, sql: str = "", source_map: SourceMap | None = None
) -> Diagnostic:
    """Return the diagnostic for a query (or one text of a dynamic query) the server refused."""
    span = _place(query, error, sql or query.sql, source_map or query.source_map)
    ours = _HINTS.get(error.state, "").replace("{param}", _param(query, error, span))
    if error.state in _UNTYPED and any(param.nullable for param in query.params):
        ours += f"; {_OPTIONAL}"
    hint = ours if error.state == _TOO_DEEP else _MEANT.sub(_meant, error.hint) or ours
    message = error.message
    if error.state == "42601":
        if message.startswith("syntax error"):  # other texts of this state say what is wrong
            hint = hint or syntax_hint(query, span)
        message = _NEAR_NUMBER.sub(f'near "{query.file.text[span.start : span.end]}"', message)
    if message.startswith("missing FROM-clause"):
        hint = hint or "write the alias that FROM gives a table, or join the table that is meant"
    if apart := _APART.search(message):
        hint = hint or f"cast one of them: `…::{apart[1]}` or `…::{apart[2]}`"
    if operands := _OPERATOR.match(message):
        hint = _operator_hint(operands)
    notes = (query.with_names(error.detail),) if error.detail else ()
    if wanted := extension_wanted(error):
        hint = f'put `CREATE EXTENSION IF NOT EXISTS "{wanted}";` into the schema'
    elif query.file.text[span.start : span.start + 1] in set(TYPOGRAPHIC):
        hint = QUOTES
    elif error.state == "42703" and (operator := _GLUED.search(query.file.text[: span.start])):
        hint = f"`{operator[0]}` is one operator: put a space before the `@`"
    code = _CODES.get(error.state, _OTHER)
    label = Label(query.file, span)
    message, hint = query.with_names(message), query.with_names(hint)
    return Diagnostic(code, message, (label,), hint, notes=notes, costs=(query.place,))


_OPTIONAL = "a condition that may be left out is a line of its own: `AND name = @name -- :if name`"
_UNTYPED = frozenset({"42P18", "42P08"})


def _param(query: ParsedQuery, error: ServerError, span: Span) -> str:
    """Return the parameter that an error is about, as the query writes it."""
    numbered = _PARAM.search(error.message)
    number = int(numbered.group(1)) if numbered else 0
    at = next(
        (
            param
            for param in query.params
            if param.number == number or any(span.start == place.start for place in param.spans)
        ),
        None,
    )
    if at is None:
        return "@name"
    return f"@{at.row or at.name}" if at.name else query.spelled(at.number)


def too_many_parameters(query: ParsedQuery) -> Diagnostic | None:
    """Return the diagnostic for a query with more parameters than can be sent: known unasked."""
    param = query.params[-1] if query.params else None
    if param is None or param.number <= _MOST_PARAMETERS:
        return None
    span = param.spans[0] if param.spans else query.name_span
    return Diagnostic(
        _OTHER,
        f"`{query.name}` has {param.number} parameters, PostgreSQL takes {_MOST_PARAMETERS}",
        (Label(query.file, span),),
        "pass one array, as in `id = ANY(@ids::bigint[])`; many rows are inserted by :copyfrom",
        costs=(query.place,),
    )


def _meant(found: re.Match[str]) -> str:
    return "did you mean " + " or ".join(f"`{name}`" for name in found.groups() if name) + "?"


def _operator_hint(found: re.Match[str]) -> str:
    if found["sign"] == "==":
        return "SQL compares with a single `=`"
    if found["right"].removesuffix("[]") == found["left"] and found["sign"] in {"=", "<>"}:
        return f"a list is compared with `{'= ANY' if found['sign'] == '=' else '<> ALL'}(…)`"
    kinds = dict.fromkeys(kind for kind in (found["left"], found["right"]) if kind != "unknown")
    return f"cast one side: {' or '.join(f'`…::{kind}`' for kind in kinds)}"


def _place(query: ParsedQuery, error: ServerError, sql: str, source_map: SourceMap) -> Span:
    if error.position:
        at = error.position - 1
        if at >= len(sql):  # "at end of input"
            end = source_map.to_source(len(sql.rstrip()) - 1)
            return Span(end, end + 1)
        return _word_at(query, source_map.to_source(at))
    number = _PARAM.search(error.message)
    if number:
        for param in query.params:
            if param.number == int(number.group(1)) and param.spans:
                return param.spans[0]
        at = sql.find(f"${number.group(1)}")
        if at >= 0:
            return _word_at(query, source_map.to_source(at))
    for name in _QUOTED.findall(error.message):
        at = sql.find(name)
        if at >= 0:
            return _word_at(query, source_map.to_source(at))
    return query.name_span


def _word_at(query: ParsedQuery, start: int) -> Span:
    word = _WORD.match(query.file.text, start)
    return Span(start, word.end() if word else start + 1)
