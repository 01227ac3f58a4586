"""Replace parameters and sqlc's macros by numbered parameters."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Embed, Param
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.parse.reserved import is_reserved
from aiosqlc.parse.rewrite import Rewriter
from aiosqlc.parse.scanner import LEXES, Kind, Token, unquote
from aiosqlc.source import Dialect, SourceFile, SourceMap, Span

MACROS = ("sqlc.arg", "sqlc.narg", "sqlc.slice", "sqlc.embed", "sqlc.nest", "sqlc.include")
ROWS = frozenset({"embed", "nest"})
"""The macros that return the columns of a table."""

_NO_VALUES = frozenset({"table", *ROWS})
# Operators that may directly precede `@name`. Others, such as `<@`, are separate operators.
_BEFORE_AT = frozenset({"=", "<", ">", "<=", ">=", "<>", "!=", "||", "+", "-", "*", "/", "%", "~"})


class Use(Struct, frozen=True):
    """A span of the text to replace: a parameter or a macro.

    A slice after `(a, b) IN` becomes one use per column, and each use has a piece of the macro's
    text. `column` is the column's index and the number of columns. `row` is the name of the list.
    `alias` is the alias after `sqlc.embed(t)`; the span includes it. `written` is the embedded
    table's name, in quotes if the server needs quotes.
    """

    span: Span
    macro: str
    name: str
    name_span: Span
    number: int | None = None
    membership: Span | None = None
    negated: bool = False
    row: str = ""
    column: tuple[int, int] = (0, 0)
    alias: str = ""
    written: str = ""


class Expanded(Struct):
    """A query's text after the replacement of its macros."""

    sql: str = ""
    source_map: SourceMap = field(default_factory=SourceMap)
    params: tuple[Param, ...] = ()
    embeds: tuple[Embed, ...] = ()


def find_uses(
    file: SourceFile, tokens: list[Token], dialect: Dialect
) -> tuple[list[Use], list[Diagnostic]]:
    """Find every parameter and macro among a query's tokens, in order."""
    uses: list[Use] = []
    problems: list[Diagnostic] = []
    after = 0  # index of the first token after the previous macro
    first = next((token.text.upper() for token in tokens if token.text != "("), "")
    for position, token in enumerate(tokens):
        kind = token.kind
        if position < after or kind not in _TELLING:
            continue
        if kind is Kind.PARAM:
            number = int(token.text[1:]) if token.text != "?" else None
            uses.append(Use(token.span, "arg", "", token.span, number))
        elif kind is Kind.OPERATOR:
            if _is_at(tokens, position, dialect):
                uses.append(_at_use(tokens, position))
                after = position + 2
        elif token.text == "$":
            problems += _numbered(file, tokens, position)
        elif len(token.text) == 5 and _is_whole_table(tokens, position, first):
            uses.append(Use(token.span, "table", "", token.span))
        elif len(token.text) == 4 and token.text.lower() == "sqlc":
            found, step = _macro(file, tokens, position, dialect)
            after = position + step
            if isinstance(found, Use):
                uses += _columns(found, tokens, position)
            elif found:
                problems.append(found)
    return uses, problems


_TELLING = frozenset({Kind.PARAM, Kind.OPERATOR, Kind.NAME, Kind.PUNCTUATION})
_OF_ROWS = frozenset({"DELETE", "INSERT", "MERGE", "REPLACE", "SELECT", "UPDATE", "VALUES", "WITH"})


def _is_whole_table(tokens: list[Token], position: int, first: str) -> bool:
    """Return whether a `TABLE` at a position is short for `SELECT * FROM`.

    `TABLE` is a reserved word. If the `first` word of the statement is SELECT, INSERT or the like,
    it has no other meaning, except in PostgreSQL's `SELECT … INTO TABLE t`.
    """
    if tokens[position].text.upper() != "TABLE":
        return False
    before = tokens[position - 1].text if position else ""
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    named = after is not None and after.kind in {Kind.NAME, Kind.QUOTED}
    return (
        named
        and first in {*_OF_ROWS, "TABLE"}
        and before != "."
        and before.upper() not in {"INTO", "AS"}
    )


def _is_at(tokens: list[Token], position: int, dialect: Dialect) -> bool:
    token = tokens[position]
    if not LEXES[dialect].names_by_at or not token.text.endswith("@"):
        return False
    if token.text != "@" and token.text[:-1] not in _BEFORE_AT:
        return False
    if position + 1 >= len(tokens):
        return False
    follower = tokens[position + 1]
    if follower.kind not in {Kind.NAME, Kind.QUOTED} or follower.start != token.end:
        return False
    # `@t.x` and `@f(x)` are absolute values, since a parameter has no columns or arguments.
    beyond = tokens[position + 2] if position + 2 < len(tokens) else None
    return beyond is None or beyond.start != follower.end or beyond.text not in {".", "("}


def _numbered(file: SourceFile, tokens: list[Token], position: int) -> list[Diagnostic]:
    """Report a `$1` in a query for MySQL, which has no numbered parameters."""
    sign = tokens[position]
    number = tokens[position + 1] if position + 1 < len(tokens) else sign
    if number.kind is not Kind.NUMBER or number.start != sign.end:
        return []
    return [
        Diagnostic(
            "E124",
            f"MySQL does not support numbered parameters such as `${number.text}`",
            (Label(file, Span(sign.start, number.end), "PostgreSQL's"),),
            hint=("write `?` or `sqlc.arg(name)`; put the name of a column in backticks"),
        )
    ]


def _at_use(tokens: list[Token], position: int) -> Use:
    sign, name = tokens[position], tokens[position + 1]
    return Use(Span(sign.end - 1, name.end), "arg", unquote(name), name.span)


def _macro(
    file: SourceFile, tokens: list[Token], position: int, dialect: Dialect
) -> tuple[Use | Diagnostic | None, int]:
    """Read `sqlc.word(argument)` at `position`, and return the macro and its number of tokens."""
    head = tokens[position : position + 4]
    if len(head) < 4 or head[1].text != "." or head[3].text != "(":
        return None, 1  # a table or schema with the name sqlc
    macro = f"sqlc.{head[2].text.lower()}"
    span = Span(head[0].start, head[2].end)
    if macro not in MACROS:
        problem = Diagnostic(
            "E120",
            f"unknown macro `{macro}`",
            (Label(file, span, "not an sqlc macro"),),
            hint=did_you_mean(macro, MACROS, otherwise="known are " + ", ".join(MACROS)),
        )
        return problem, 4
    if macro == "sqlc.include":  # expanded before; a file alone, as for the formatter, keeps it
        return None, 4
    close, depth = position + 4, 1
    while close < len(tokens):
        depth += {"(": 1, ")": -1}.get(tokens[close].text, 0)
        if not depth:
            break
        close += 1
    arguments = tokens[position + 4 : close]
    end = tokens[close].end if close < len(tokens) else tokens[-1].end
    step = close - position + 1
    problem_text = _bad_argument(arguments)
    if problem_text:
        at = Span(arguments[0].start, arguments[-1].end) if arguments else Span(span.start, end)
        return (
            Diagnostic(
                "E121",
                f"`{macro}` takes one name",
                (Label(file, at, problem_text),),
                hint=_one_name(macro, arguments, dialect),
            ),
            step,
        )
    name = arguments[0]
    use = Use(
        Span(head[0].start, end),
        head[2].text.lower(),
        unquote(name),
        name.span,
        written=_quoted(name, dialect),
    )
    if use.macro in ROWS:
        return _with_alias(use, tokens, close, step)
    if use.macro == "slice" and LEXES[dialect].has_arrays:  # elsewhere `IN` stays
        use = _with_membership(use, tokens, position, close)
    return use, step


def _one_name(macro: str, arguments: list[Token], dialect: Dialect) -> str:
    """Return a hint that shows the correct form of a macro, for a macro with wrong arguments."""
    name = arguments[0].text if arguments and arguments[0].kind is Kind.NAME else "name"
    parts = [token.text for token in arguments[1:]]
    if macro.removeprefix("sqlc.") in ROWS and parts[:1] == ["."]:
        columns = _columns_of(arguments)
        whole = f"write `{macro}({name})`: this macro returns all columns of a table"
        if macro == "sqlc.embed" and len(columns) == 1:
            return f"{whole}; a column of a composite type is an object without the macro"
        listed = ", ".join(columns)
        subquery = f"`(SELECT {listed}, … FROM …) AS {name}`"  # noqa: S608 - for a message
        return f"{whole}; for some columns, select them in FROM: {subquery}" if columns else whole
    if macro.removeprefix("sqlc.") not in ROWS and len(parts) == 2 and parts[0] == ",":
        typed = f"{macro}({name})::{parts[1]}"
        if not LEXES[dialect].names_by_at:
            typed = f"CAST({macro}({name}) AS {parts[1]})"
        return f"write the type outside the macro: `{typed}`"
    return f"write `{macro}(name)`"


def _columns_of(arguments: list[Token]) -> list[str]:
    """Return the columns of the arguments `b.id, b.title`, or nothing for other arguments."""
    parts = [*(token.text for token in arguments), ","]
    found = parts[2::4]
    listed = [part for column in found for part in (parts[0], ".", column, ",")]
    return found if parts == listed else []


def _bad_argument(arguments: list[Token]) -> str:
    if not arguments:
        return "no name given"
    if len(arguments) > 1:
        return "expected a plain name, not an expression"
    if arguments[0].kind not in {Kind.NAME, Kind.QUOTED, Kind.STRING}:
        return "a name expected"
    return ""


_AFTER_ITEM = frozenset(
    {
        *("AS", "EXCEPT", "FETCH", "FOR", "FROM", "GROUP", "HAVING", "INTERSECT", "INTO", "LIMIT"),
        *("LOCK", "MINUS", "OFFSET", "ORDER", "PROCEDURE", "UNION", "WHERE", "WINDOW"),
    }
)


def _with_alias(use: Use, tokens: list[Token], close: int, step: int) -> tuple[Use, int]:
    """Add the alias `[AS] name` that follows `sqlc.embed(t)` or `sqlc.nest(t)` to the macro's use.

    After `sqlc.nest(t)`, the alias may be a path: `AS books.reviews`. A path after `sqlc.embed(t)`
    is reported as an error later.
    """
    following = tokens[close + 1 : close + 3]
    said = bool(following) and following[0].text.upper() == "AS"
    name = following[said] if len(following) > said else None
    if name is None or name.kind not in {Kind.NAME, Kind.QUOTED}:
        return use, step
    if not said and name.text.upper() in _AFTER_ITEM:
        return use, step
    names = [name]
    rest = tokens[close + 2 + said :]
    while len(rest) > 1 and rest[0].text == "." and rest[1].kind in {Kind.NAME, Kind.QUOTED}:
        names.append(rest[1])
        rest = rest[2:]
    span = Span(use.span.start, names[-1].end)
    alias = ".".join(unquote(one) for one in names)
    return replace(use, span=span, alias=alias), step + 2 * len(names) - 1 + said


def _quoted(name: Token, dialect: Dialect) -> str:
    """Return a name in quotes for the server, if quotes are necessary.

    `sqlc.embed(user)` accepts reserved words.
    """
    if name.kind is Kind.STRING:
        return name.text[1:-1]
    if name.kind is Kind.NAME and is_reserved(name.text, dialect):
        return name.text.join(LEXES[dialect].quotes)
    return name.text


def _with_membership(use: Use, tokens: list[Token], first: int, close: int) -> Use:
    """Extend a slice to the `[NOT] IN (…)` around it, which becomes `= ANY (…)` or `<> ALL (…)`."""
    before = [token.text.upper() for token in tokens[max(first - 3, 0) : first]]
    after = tokens[close + 1].text if close + 1 < len(tokens) else ""
    if before[-2:] != ["IN", "("] or after != ")":
        return use
    negated = before[:1] == ["NOT"] and len(before) == 3
    start = tokens[first - (3 if negated else 2)].start
    whole = Span(start, tokens[close + 1].end)
    return replace(use, membership=whole, negated=negated)


_JOINS_ROWS = frozenset(
    {
        *("WHERE", "AND", "OR", "NOT", "ON", "HAVING", "WHEN", "CASE", "THEN", "ELSE", "SELECT"),
        *("ROW", "IF", "RETURNING", "SET", "BY", "DISTINCT", "ALL"),
    }
)


def _columns(use: Use, tokens: list[Token], first: int) -> list[Use]:
    """Return one parameter per column for a list of rows: `(a, b) IN (sqlc.slice(pairs))`.

    The first token of the macro is at `first`. Each use has a piece of the macro's text.
    """
    width = _width_before(tokens, first) if use.macro == "slice" else 1
    if width < 2:
        return [use]
    ends = [*range(use.span.start + 1, use.span.start + width), use.span.end]
    starts = [use.span.start, *ends[:-1]]
    return [
        Use(
            Span(start, end),
            "slice",
            use.name if not column else f"{use.name}[{column}]",
            use.name_span,
            row=use.name,
            column=(column, width),
        )
        for column, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def _width_before(tokens: list[Token], first: int) -> int:
    """Return the number of columns in the row before `[NOT] IN (`, or 1 if there is no row."""
    words = [token.text.upper() for token in tokens[max(first - 3, 0) : first]]
    if words[-2:] != ["IN", "("]:
        return 1
    last = first - (4 if words[0] == "NOT" and len(words) == 3 else 3)
    if last < 0 or tokens[last].text != ")":
        return 1
    width, depth, at = 1, 0, last
    while at >= 0:
        depth += {")": 1, "(": -1}.get(tokens[at].text, 0)
        if not depth:
            break
        width += depth == 1 and tokens[at].text == ","
        at -= 1
    before = tokens[at - 1] if at > 0 else None
    is_call = before is not None and before.kind in {Kind.NAME, Kind.QUOTED}
    if is_call and before is not None and before.text.upper() not in _JOINS_ROWS:
        return 1
    return width


class Numbering:
    """Assigns `$n`: one number per name, skipping the numbers that the user wrote."""

    def __init__(self, uses: list[Use], given: dict[str, int] | None = None) -> None:
        self._taken = {use.number for use in uses if use.number is not None}
        self._by_name: dict[str, int] = dict(given or {})
        self._free = 1

    def number(self, use: Use) -> int:
        """Return the number `n` of a parameter; each unnamed `?` gets a new number."""
        if use.number is not None:
            return use.number
        known = self._by_name.get(use.name) if use.name else None
        if known is not None:
            return known
        while self._free in self._taken:
            self._free += 1
        self._taken.add(self._free)
        if use.name:
            self._by_name[use.name] = self._free
        return self._free


def expand(
    file: SourceFile,
    span: Span,
    uses: list[Use],
    cuts: list[tuple[Span, str]] | None = None,
    numbers: dict[str, int] | None = None,
) -> Expanded:
    """Return a span of a file with numbered parameters in place of its parameters and macros.

    `cuts` are further spans, each with the text that replaces it (an empty text removes the span).
    `numbers` are predefined numbers by name.
    """
    rewriter = Rewriter(file.text, span.start)
    numbering = Numbering(uses, numbers)
    numbered = [(use, numbering.number(use)) for use in uses if use.macro not in _NO_VALUES]
    by_start: dict[int, tuple[int, str]] = {}
    embeds_at: dict[int, Use] = {}
    for use, number in numbered:
        where, text = use.span, _placed(use, number)
        if use.membership:
            where = use.membership
            text = f"<> ALL (${number})" if use.negated else f"= ANY (${number})"
        by_start[where.start] = (where.end, text)
    for use in uses:
        if use.macro == "table":
            by_start[use.span.start] = (use.span.end, "SELECT * FROM")
        if use.macro in ROWS:
            by_start[use.span.start] = (use.span.end, f"{use.written}.*")
            embeds_at[use.span.start] = use
    for cut, text in cuts or []:
        by_start[cut.start] = (cut.end, text)
    embeds = []
    for start in sorted(by_start):
        end, text = by_start[start]
        rewriter.copy_to(start)
        if start in embeds_at:
            use = embeds_at[start]
            nest = use.macro == "nest"
            embeds.append(Embed(use.name, use.span, rewriter.length, use.alias, nest))
        rewriter.replace(end, text)
    rewriter.copy_to(span.end)
    sql, source_map = rewriter.result()
    return Expanded(sql, source_map, _params(numbered), tuple(embeds))


def _placed(use: Use, number: int) -> str:
    """Return the text that replaces a parameter or a macro.

    A list of rows is replaced by the parameters of one row.
    """
    column, width = use.column
    before = "" if not width else ", " if column else "("
    return f"{before}${number}{')' if width and column == width - 1 else ''}"


def _params(numbered: list[tuple[Use, int]]) -> tuple[Param, ...]:
    by_number: dict[int, list[Use]] = {}
    for use, number in numbered:
        by_number.setdefault(number, []).append(use)
    return tuple(
        Param(
            number=number,
            name=next((use.name for use in uses if use.name), None),
            spans=tuple(use.span for use in uses),
            nullable=True if any(use.macro == "narg" for use in uses) else None,
            is_slice=any(use.macro == "slice" for use in uses),
            row=next((use.row for use in uses if use.row), ""),
        )
        for number, uses in sorted(by_number.items())
    )
