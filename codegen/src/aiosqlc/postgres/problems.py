"""Convert the server's refusal of a query to a diagnostic with a position in the source."""

from __future__ import annotations

import re
from collections.abc import Callable, Container

from aiosqlc.analysis.advice import (
    NOT_GROUPED,
    QUOTES,
    TYPOGRAPHIC,
    Place,
    group_advice,
    lookalike_advice,
    name_advice,
    place_in,
    qualified_advice,
    sources_of,
    syntax_advice,
)
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import ParsedQuery
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.postgres.foreign import conflict_advice, postgres_advice
from aiosqlc.postgres.operands import narrower_of, operand_advice
from aiosqlc.postgres.schema_impact import words_of
from aiosqlc.postgres.standin import extension_wanted
from aiosqlc.postgres.suggestions import as_written
from aiosqlc.postgres.values import flag_advice, one_of, value_advice
from aiosqlc.schema.history import History, Past, with_past
from aiosqlc.servers.postgres.connection import ServerError
from aiosqlc.source import Dialect, SourceMap, Span

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
_MOST_PARAMETERS = 65_535  # the protocol has a 16-bit count
_TOO_DEEP = "54001"
# A text that is invalid for its type, or an invalid time.
_NO_VALUES = frozenset({"22P02", "22007"})
_HINTS = {
    "42702": "qualify the column with the table or its alias, as in `a.id`",
    "42803": NOT_GROUPED,
    "42P18": "add a cast to set the type, as in `{param}::text`",
    _TOO_DEEP: "the query is nested too deeply: split the query, or pass a long list as an array",
    "42P08": (
        "the parameter is used with two types: write `{param}::{type}` at the use with the other "
        "type"
    ),
}
# The server's message for a clause that allows no aggregate or window function.
_NOT_ALLOWED = re.compile(
    r"(?P<kind>aggregate|window) functions are not allowed in (?P<place>.+?)(?: expressions?)?$"
)
_RELATION = re.compile(r'relation "([^"]+)" does not exist')
_COLUMN = re.compile(r'column "?([^" ]+)"? (?:of relation "[^"]+" )?does not exist')
_SAID = {
    "LIMIT #,# syntax": "`LIMIT 3, 5` is written `LIMIT 5 OFFSET 3`",
    "requires inference specification": (
        "name the columns of a unique index: `ON CONFLICT (id) DO …`"
    ),
    "non-DEFAULT value into column": (
        "omit the column: the server computes its value; `OVERRIDING SYSTEM VALUE` after the"
        " list of columns allows your own value"
    ),
    "unrecognized configuration parameter": (
        "SHOW prints a server setting; `information_schema.tables` lists the tables"
    ),
    "SET target columns cannot be qualified": "remove the table name: write `SET a = …`",
    "collation ": "`pg_collation` lists the server's collations",
    "must return only one column": "return one column, or move the sub-select to FROM",
    "does not support subscripting": "to get a character of a text, write `substr(a, 1, 1)`",
    "requires an OVER clause": "write `OVER (ORDER BY …)` after the function",
    "more target columns than expressions": "write a value for each column of the list",
    "more expressions than target columns": "write a column for each value, or remove the value",
    "source for a multiple-column UPDATE": "write a value for each column: `= (1, 2)`",
    "must be type boolean": "write a comparison, such as `a = 1` or `a IS NOT NULL`",
    "is of type": "cast the value to the type of the column: `…::type`",
}
# `a <->@name`: the operator absorbs the parameter's sign.
_GLUED = re.compile(r"[-+*/<>=~!#%^&|`?]+@$")
_MEANT = re.compile(
    r'Perhaps you meant to reference the (?:column|table alias) "([^"]+)"'
    r'(?: or the column "([^"]+)")?\.'
)
_WORD = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|[@$]?\w+|\S""")
_NEAR_NUMBER = re.compile(r'near "\$\d+"')
_PARAM = re.compile(r"parameter \$(\d+)")
_OPERATOR = re.compile(
    r"operator does not exist: (?P<left>.+ |)(?P<sign>[-+*/<>=~!@#%^&|`?]+) (?P<right>.+)$"
)
_APART = re.compile(r"types (.+) and (.+) cannot be matched$")
_QUOTED = re.compile(r'"([^"]+)"')


def query_problem(
    query: ParsedQuery, error: ServerError, sql: str = "", source_map: SourceMap | None = None
) -> Diagnostic:
    """Return the diagnostic for a query that the server refused.

    `sql` is the refused text if the query is dynamic and therefore has several texts.
    """
    span = _place(query, error, sql or query.sql, source_map or query.source_map)
    if choice := _sort_choice(query, error):
        return _unknown_sort(query, error, choice)
    message = error.message
    if error.state == "42601":
        message = _NEAR_NUMBER.sub(f'near "{query.file.text[span.start : span.end]}"', message)
    notes = (query.with_names(error.detail),) if error.detail else ()
    return Diagnostic(
        _CODES.get(error.state, _OTHER),
        query.with_names(message),
        (Label(query.file, span),),
        query.with_names(_hint(query, error, span)),
        notes=notes,
        costs=(query.place,),
    )


_SORT = re.compile(r"--\s*:sort\b(?P<rest>[^\n]*)")


def _sort_choice(query: ParsedQuery, error: ServerError) -> Span | None:
    """Return the position where a `:sort` directive names a missing column."""
    column = _COLUMN.search(error.message) if error.state == "42703" else None
    if column is None or not query.variants:
        return None
    text = query.file.text
    for directive in _SORT.finditer(text, query.span.start):
        name = re.compile(rf"(?<![\w.]){re.escape(column[1])}\b")
        if found := name.search(text, directive.start("rest"), directive.end()):
            return Span(found.start(), found.end())
    return None


def _unknown_sort(query: ParsedQuery, error: ServerError, choice: Span) -> Diagnostic:
    return Diagnostic(
        "E311",
        error.message,
        (Label(query.file, choice, "each choice of `:sort` must be a key of ORDER BY"),),
        "write columns or expressions, such as `-- :sort id, created_at desc`",
        costs=(query.place,),
    )


def _hint(query: ParsedQuery, error: ServerError, span: Span) -> str:
    """Return a hint for a refused query.

    A hint that is certainly right comes first, then the server's hint, then a probable hint.
    """
    message = error.message
    if wanted := extension_wanted(error):
        return f'add `CREATE EXTENSION IF NOT EXISTS "{wanted}";` to the schema'
    if query.file.text[span.start : span.start + 1] in set(TYPOGRAPHIC):
        return QUOTES
    if error.state == _TOO_DEEP:
        return _HINTS[_TOO_DEEP]
    place = place_in(query.file, query.span, span, Dialect.POSTGRESQL)
    if said := lookalike_advice(place):
        return said
    if operands := _OPERATOR.match(message):
        left = (operands["left"] or "").strip()
        return operand_advice(place, left, operands["sign"], operands["right"])
    if grouped := _NOT_ALLOWED.match(message):
        return group_advice(grouped["place"].upper(), grouped["kind"])
    if message.startswith("aggregate function calls cannot"):
        return group_advice("NESTED")
    if message.startswith("argument of AND") and place.clause == "SET":
        return "separate the columns of SET by a comma, not by `AND`"
    if own := flag_advice(place, message) or ("of OR must" in message and one_of(place)):
        return own
    for said, advice in _SAID.items():
        if said in message or said in error.hint:
            return advice
    if error.state == "42601":
        return _syntax_hint(place, error)
    if error.state in _NO_VALUES and place.said()[:1] == "'" and "enum" not in message:
        return value_advice(place, message)
    return _absence_hint(query, error, span, place)


def _absence_hint(query: ParsedQuery, error: ServerError, span: Span, place: Place) -> str:
    """Return a hint for missing names, ambiguous names or wrong types."""
    message = error.message
    meant = _MEANT.sub(_meant, error.hint)
    if error.state == "42703":
        if operator := _GLUED.search(query.file.text[: span.start]):
            return f"`{operator[0]}` is read as one operator: put a space before the `@`"
        return name_advice(place, meant)
    if error.state == "42702":
        return conflict_advice(place) or qualified_advice(place) or _HINTS[error.state]
    if error.state == "42P18" and (numbers := _skipped(query)):
        return f"parameters are numbered from `$1`, and `${numbers[0]}` is not used"
    if message.startswith("missing FROM-clause"):
        ours = "write the alias that FROM gives a table, or join the table that is meant"
        absent = message.split('"')[1:2]
        sources = list(dict.fromkeys(sources_of(place)))
        if len(sources) == 1 and query.file.text.startswith("sqlc.embed(", span.start):
            return f"FROM calls it `{sources[0]}`: write `sqlc.embed({sources[0]})`"
        return meant or did_you_mean("".join(absent), sources, otherwise=ours)
    if apart := _APART.search(message):
        return meant or f"cast one of the values: `…::{apart[1]}` or `…::{apart[2]}`"
    ours = _HINTS.get(error.state, "").replace("{param}", _param(query, error, span))
    ours = ours.replace("{type}", narrower_of(error.detail))
    if error.state in _UNTYPED and any(param.nullable for param in query.params):
        ours += f"; {_OPTIONAL}"
    return meant or ours


def _syntax_hint(place: Place, error: ServerError) -> str:
    """Return a hint for a syntax error; for any other error, return the server's hint."""
    if not error.message.startswith("syntax error"):
        return error.hint
    ended = error.message.endswith("end of input")
    return error.hint or syntax_advice(
        place.moved(len(place.tokens) - place.at) if ended else place, postgres_advice
    )


def _skipped(query: ParsedQuery) -> list[int]:
    """Return the parameter numbers that a query does not use, below its highest number."""
    numbers = {param.number for param in query.params}
    return [number for number in range(1, max(numbers, default=0)) if number not in numbers]


def with_history(
    problem: Diagnostic, query: ParsedQuery, history: Callable[[], History]
) -> Diagnostic:
    """Extend the error for a missing object: name the migration that dropped or renamed it."""
    past: Past | None = None
    if problem.code == "E310" and (relation := _RELATION.search(problem.message)):
        past = history().relation(relation[1].rpartition(".")[2])
    elif problem.code == "E311" and (column := _COLUMN.search(problem.message)):
        past = history().column(column[1].rpartition(".")[2], words_of(query.sql))
    return with_past(problem, past)


_FUNCTION_AS_TABLE = re.compile(
    r"\b(?:from|join)\s+(?:[^\s()]+(?:\s+\w+)?\s*,\s*)*"
    r"(?P<name>user|current_user|session_user|current_role|current_catalog)\b(?!\s*[.(])",
    re.IGNORECASE,
)


def function_as_table(query: ParsedQuery, tables: Container[str]) -> Diagnostic | None:
    """Warn if FROM names a table whose name PostgreSQL reads as a function, such as `user`."""
    found = _FUNCTION_AS_TABLE.search(query.sql)
    if found is None or found["name"].lower() not in tables:
        return None
    name, start = found["name"], query.source_map.to_source(found.start("name"))
    return Diagnostic(
        "E319",
        f"`{name}` is read as a PostgreSQL function, not as the table with this name",
        (Label(query.file, Span(start, start + len(name))),),
        f'write `"{name.lower()}"` for the table',
        Severity.WARNING,
    )


_OPTIONAL = "an optional condition must be on its own line: `AND name = @name -- :if name`"
_UNTYPED = frozenset({"42P18", "42P08"})


def _param(query: ParsedQuery, error: ServerError, span: Span) -> str:
    """Return the parameter that an error refers to, as the query writes it."""
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
    """Return a diagnostic for a query with too many parameters to be sent to the server."""
    param = query.params[-1] if query.params else None
    if param is None or param.number <= _MOST_PARAMETERS:
        return None
    span = param.spans[0] if param.spans else query.name_span
    return Diagnostic(
        _OTHER,
        f"`{query.name}` has {param.number} parameters; PostgreSQL allows {_MOST_PARAMETERS}",
        (Label(query.file, span),),
        "pass one array, as in `id = ANY(@ids::bigint[])`; insert many rows with :copyfrom",
        costs=(query.place,),
    )


def _meant(found: re.Match[str]) -> str:
    return "did you mean " + " or ".join(as_written(name) for name in found.groups() if name) + "?"


def _place(query: ParsedQuery, error: ServerError, sql: str, source_map: SourceMap) -> Span:
    if error.position:
        at = error.position - 1
        if at >= len(sql):  # the error is "at end of input"
            end = source_map.to_source(len(sql.rstrip()) - 1)
            return Span(end, end + 1)
        return _word_at(query, source_map.to_source(at))
    number = _PARAM.search(error.message)
    if number:
        for param in query.params:
            if param.number == int(number.group(1)) and param.spans:
                return param.spans[0]
        if query.params and query.params[0].spans and int(number.group(1)) in _skipped(query):
            return query.params[0].spans[0]
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
