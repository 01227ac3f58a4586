"""Read the directives of dynamic queries: `-- :if`, `-- :set`, `-- :sort`, `-- :end`.

Directives are comments, so the file remains valid SQL. Other tools run the query with all optional
parts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.parse.macros import Use
from aiosqlc.parse.scanner import Kind, Token
from aiosqlc.source import SourceFile, Span

DIRECTIVES = ("if", "set", "sort", "end")
_DIRECTIVE = re.compile(r"--\s*:(?P<word>[A-Za-z]\w*)(?P<rest>.*)$")
# Words at the start of a line that belong to the clause and not to the condition.
_CLAUSE_STARTS = frozenset({"WHERE", "HAVING", "SET", "ON"})
# Contexts in which ON starts no condition.
_ON_ALONE = (["ON", "CONFLICT"], ["ON", "DUPLICATE"])


# A directive after the semicolon of its line.
_BEHIND = re.compile(r"[ \t]*(--\s*:[A-Za-z][^\n]*)")
_NAMES = re.compile(r"[A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*")


def directive_behind(text: str, semicolon: int) -> Token | None:
    """Return the directive after a statement's semicolon, if it is on the same line."""
    match = _BEHIND.match(text, semicolon)
    return Token(Kind.COMMENT, match[1], match.start(1), match.end(1)) if match else None


def stray_directives(file: SourceFile, above: list[Token]) -> list[Diagnostic]:
    """Report directives above a statement, because they have no effect there."""
    return [
        Diagnostic(
            "E131",
            f"a `:{match['word']}` outside a query",
            (Label(file, token.span, "the directive has no effect here"),),
            hint="move the directive to the end of the line to which it applies",
        )
        for token in above
        if (match := _DIRECTIVE.match(token.text)) and match["word"].lower() in DIRECTIVES
    ]


def swallowed_semicolon(file: SourceFile, comment: Token) -> Diagnostic | None:
    """Report a directive with a semicolon at its end, because a comment cannot end the query."""
    match = _DIRECTIVE.match(comment.text)
    if match is None or match["word"].lower() not in DIRECTIVES:
        return None
    if not match["rest"].rstrip().endswith(";"):
        return None
    return Diagnostic(
        "E131",
        f"malformed `:{match['word']}`",
        (Label(file, comment.span, "the semicolon does not end the query here"),),
        _SWALLOWED,
    )


_SWALLOWED = "the semicolon is part of the comment: move it to the next line"


class Part(Struct, frozen=True):
    """A directive: the text that it controls, and for `sort` the allowed sort keys.

    `also` are the further names of `:if a, b`.
    """

    kind: str
    name: str
    span: Span
    regions: tuple[Span, ...]
    choices: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


class _Directive(Struct, frozen=True):
    comment: Token
    word: str
    rest: str
    line: tuple[Token, ...]

    @property
    def span(self) -> Span:
        return self.comment.span


def read_parts(
    file: SourceFile, tokens: list[Token], uses: list[Use]
) -> tuple[tuple[Part, ...], list[Diagnostic]]:
    """Read the optional parts and sort keys of a query from its tokens, including comments."""
    problems: list[Diagnostic] = []
    parts: list[Part] = []
    opened: list[_Directive] = []
    body = [token for token in tokens if token.kind is not Kind.COMMENT]
    for directive in _directives(file, tokens):
        if directive.word not in DIRECTIVES:
            problems.append(_unknown(file, directive))
        elif directive.word == "if" and not directive.line:
            opened.append(directive)
        elif directive.word == "end":
            if not opened:
                problems.append(_problem(file, directive, "`:end` without an open block"))
                continue
            start = opened.pop()
            inside = _between(body, start.span.end, directive.span.start)
            parts += _if_part(file, start, tuple(inside), problems)
        elif not directive.line:
            problems.append(_problem(file, directive, "this line contains no SQL"))
        elif directive.word == "if":
            parts += _if_part(file, directive, directive.line, problems)
        elif directive.word == "set":
            parts += _set_part(file, directive, uses, problems)
        else:
            parts += _sort_part(file, directive, problems)
    problems += [_problem(file, block, "this block is not closed by `-- :end`") for block in opened]
    problems += [_whole(file, part) for part in parts if _holds(part, body[0])]
    merged: list[Part] = []
    for part in _merged(parts):
        whole = _closed(part, body) if part.kind == "if" else part
        merged.append(whole or part)
        if whole is None:
            problems.append(_unclosed(file, part))
    return tuple(merged), problems


# Tokens before a condition or before a parenthesis that encloses conditions.
_BEFORE_A_GROUP = frozenset({"WHERE", "HAVING", "ON", "AND", "OR", "NOT", "("})


def _closed(part: Part, body: list[Token]) -> Part | None:
    """Return an optional part without its outer parentheses, or None if they are unbalanced.

    For example, `AND (a = @a -- :if a` contains one parenthesis, and `OR b = @b) -- :if b` the
    other.
    """
    lines = [_between(body, region.start, region.end) for region in part.regions]
    if not any(_unmatched([token for line in lines for token in line])):
        return part
    regions = []
    for line in lines:
        opened, closed = _unmatched(line)
        first = opened[-1] + 1 if opened else 0
        last = closed[0] if closed else len(line)
        around = {token.text.upper() for token in line[:first]}
        behind = {token.text for token in line[last:]}
        if first >= last or not around <= _BEFORE_A_GROUP or not behind <= {")"}:
            return None
        regions.append(Span(line[first].start, line[last - 1].end))
    return replace(part, regions=tuple(regions))


def _unmatched(tokens: list[Token]) -> tuple[list[int], list[int]]:
    """Return the indexes of unmatched opening and of unmatched closing parentheses."""
    opened: list[int] = []
    closed: list[int] = []
    for position, token in enumerate(tokens):
        if token.text == "(":
            opened.append(position)
        elif token.text == ")" and opened:
            opened.pop()
        elif token.text == ")":
            closed.append(position)
    return opened, closed


def _unclosed(file: SourceFile, part: Part) -> Diagnostic:
    return Diagnostic(
        "E131",
        f"misplaced `:{part.kind}`",
        (Label(file, part.span, "without this line, a parenthesis is not closed or not opened"),),
        hint="put the optional part on its own line, or between `-- :if name` and `-- :end`",
    )


def _between(tokens: list[Token], start: int, end: int) -> list[Token]:
    first = bisect_left(tokens, start, key=_start)
    return tokens[first : bisect_left(tokens, end, key=_start)]


_start = attrgetter("start")


def _holds(part: Part, first: Token) -> bool:
    """Return whether an optional part contains the first word of the statement."""
    return any(region.start <= first.start < region.end for region in part.regions)


def _whole(file: SourceFile, part: Part) -> Diagnostic:
    return Diagnostic(
        "E131",
        f"misplaced `:{part.kind}`",
        (Label(file, part.span, "the first line of a statement cannot be optional"),),
        hint="an optional part must be on its own line: `AND state = @state -- :if state`",
    )


def _directives(file: SourceFile, tokens: list[Token]) -> list[_Directive]:
    found = []
    body: list[Token] = []
    for token in tokens:
        if token.kind is not Kind.COMMENT:
            body.append(token)
        elif match := _DIRECTIVE.match(token.text):
            line_start = file.text.rfind("\n", 0, token.start) + 1
            first = bisect_left(body, line_start, key=_start)
            # A quoted name with a line break inside.
            while first and body[first - 1].end > line_start:
                line_start = file.text.rfind("\n", 0, body[first - 1].start) + 1
                first = bisect_left(body, line_start, key=_start)
            line = tuple(body[first:])
            found.append(_Directive(token, match["word"].lower(), match["rest"].strip(), line))
    return found


def _merged(parts: list[Part]) -> tuple[Part, ...]:
    """Merge optional parts with the same condition, which are included or removed together."""
    merged: dict[tuple[str, str, tuple[str, ...]], Part] = {}
    for part in parts:
        key = (part.kind, part.name, part.also)
        known = merged.get(key)
        regions = (*known.regions, *part.regions) if known else part.regions
        span = known.span if known else part.span
        merged[key] = replace(part, span=span, regions=regions)
    return tuple(merged.values())


def _if_part(
    file: SourceFile, directive: _Directive, tokens: tuple[Token, ...], problems: list[Diagnostic]
) -> list[Part]:
    if not _NAMES.fullmatch(directive.rest):
        problems.append(_problem(file, directive, "expected `-- :if name` or `-- :if name, other`"))
        return []
    words = [token.text.upper() for token in tokens[:2]]
    if tokens and words[0] in _CLAUSE_STARTS and words not in _ON_ALONE:
        tokens = tokens[1:]
    if not tokens:
        problems.append(_problem(file, directive, "this optional part contains only a keyword"))
        return []
    region = Span(tokens[0].start, tokens[-1].end)
    name, *also = dict.fromkeys(re.split(r"\s*,\s*", directive.rest))
    return [Part("if", name, directive.span, (region,), also=tuple(also))]


def _set_part(
    file: SourceFile, directive: _Directive, uses: list[Use], problems: list[Diagnostic]
) -> list[Part]:
    tokens = directive.line
    if tokens[0].text.upper() in {"SET", "UPDATE"}:
        starts = [i for i, token in enumerate(tokens) if token.text.upper() == "SET"]
        tokens = tokens[starts[-1] + 1 :] if starts else tokens
    if not tokens:
        problems.append(_problem(file, directive, "this line contains no SQL"))
        return []
    region = Span(tokens[0].start, tokens[-1].end)
    first = bisect_left(uses, region.start, key=lambda use: use.span.start)
    last = bisect_left(uses, region.end, key=lambda use: use.span.start)
    names = {use.name for use in uses[first:last] if use.name}
    name = directive.rest or (names.pop() if len(names) == 1 else "")
    if not name:
        problems.append(_problem(file, directive, "say which parameter: `-- :set name`"))
        return []
    return [Part("set", name, directive.span, (region,))]


_NAMED_SORT = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*:\s*(?P<choices>.+)$")
_WAY = r"(?:(?:asc|desc)(?:\s+nulls\s+(?:first|last))?|nulls\s+(?:first|last))"
_WAYS = re.compile(rf"(?P<key>.*?\S)\s+(?P<ways>{_WAY}(?:\s*\|\s*{_WAY})+)$", re.IGNORECASE)


def _sort_part(file: SourceFile, directive: _Directive, problems: list[Diagnostic]) -> list[Part]:
    """Read `ORDER BY created_at, -- :sort created_at, total desc`: callers choose the sort key."""
    tokens = list(directive.line)
    words = [token.text.upper() for token in tokens]
    if words[:2] == ["ORDER", "BY"]:
        tokens = tokens[2:]
    if tokens and tokens[-1].text == ",":
        tokens = tokens[:-1]
    named = _NAMED_SORT.match(directive.rest)
    choices = _choices(named["choices"] if named else directive.rest)
    if not tokens or not choices:
        problems.append(_problem(file, directive, "expected `ORDER BY key -- :sort key, other`"))
        return []
    name = named["name"] if named else "sort"
    region = Span(tokens[0].start, tokens[-1].end)
    return [Part("sort", name, directive.span, (region,), choices)]


def _choices(text: str) -> tuple[str, ...]:
    """Split a list of sort keys at commas outside of parentheses; `key asc|desc` is two sort keys.

    `key asc nulls last|desc nulls last` is two sort keys too.
    """
    found: list[str] = []
    depth, current = 0, ""
    for char in f"{text},":
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char != "," or depth:
            current += char
            continue
        if current.strip():
            several = _WAYS.match(current.strip())
            if several is None:
                found.append(current.strip())
            else:
                for way in several["ways"].lower().split("|"):
                    words = [word for word in way.split() if word != "asc"]
                    found.append(" ".join([several["key"], *words]))
        current = ""
    return tuple(dict.fromkeys(found))


def _unknown(file: SourceFile, directive: _Directive) -> Diagnostic:
    known = ", ".join(f":{word}" for word in DIRECTIVES)
    return Diagnostic(
        "E130",
        f"unknown directive `:{directive.word}`",
        (Label(file, directive.span, "not a directive"),),
        hint=did_you_mean(directive.word, DIRECTIVES, otherwise=f"known are {known}"),
    )


def _problem(file: SourceFile, directive: _Directive, text: str) -> Diagnostic:
    swallowed = directive.rest.endswith(";")
    hint = _SWALLOWED if swallowed else ""
    return Diagnostic(
        "E131", f"malformed `:{directive.word}`", (Label(file, directive.span, text),), hint
    )
