"""Read the fragments of query files: named pieces of SQL that queries include."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.parse.annotations import read_annotations
from aiosqlc.parse.dynamic import directive_behind
from aiosqlc.parse.scanner import Kind, Token, scan
from aiosqlc.source import Dialect, SourceFile, Span

_LINE = re.compile(r"(?:--|#|/\*)\s*fragment\s*:(?P<rest>.*?)(?:\*/)?$", re.IGNORECASE | re.DOTALL)
_HEAD = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*(?:\((?P<params>[^()]*)\))?\s*", re.ASCII)
_SORT = re.compile(r"--\s*:sort\b", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_FORM = "write `-- fragment: name(alias, …)` above the SQL, and a semicolon below it"


class Fragment(Struct, frozen=True):
    """A named piece of SQL. `tokens` include the comments between the first and the last token."""

    file: SourceFile
    name: str
    params: tuple[str, ...]
    span: Span
    name_span: Span
    tokens: tuple[Token, ...]

    def __hash__(self) -> int:
        return hash((self.file, self.name, self.span))

    @property
    def body(self) -> Span:
        """Return the span of the fragment's SQL."""
        return Span(self.tokens[0].start, self.tokens[-1].end)


def has_fragments(text: str) -> bool:
    """Return whether a text may define or include a fragment."""
    return _MAYBE.search(text) is not None


_MAYBE = re.compile(r"(?:--|#|/\*)\s*fragment\s*:|\.\s*include\s*\(", re.IGNORECASE)


def is_fragment_line(comment: Token) -> bool:
    """Return whether a comment defines a fragment, unlike ordinary text with the same start."""
    found = _LINE.match(comment.text)
    if found is None:
        return False
    rest = found["rest"].strip()
    return _HEAD.fullmatch(rest) is not None or not re.search(r"\w\s+\w", rest.partition("(")[0])


def statements(text: str, dialect: Dialect) -> Iterator[tuple[list[Token], int]]:
    """Yield each statement's tokens, including comments, and the offset of the statement's end."""
    tokens: list[Token] = []
    opened = False
    after = 0
    for token in scan(text, dialect):
        opened = token.kind is Kind.OPENING or (opened and token.kind is not Kind.CLOSING)
        if token.start < after:
            continue
        if token.text == ";" and token.kind is Kind.PUNCTUATION and not opened:
            behind = directive_behind(text, token.end)
            tokens += [behind] if behind else []
            after = tokens[-1].end if behind else token.end
            yield tokens, after
            tokens = []
        else:
            tokens.append(token)
    if tokens:
        yield tokens, len(text)


def read_fragment(
    file: SourceFile, tokens: Sequence[Token], end: int
) -> tuple[Fragment | None, list[Diagnostic]]:
    """Read a statement that may be a fragment; return (None, []) if it is not a fragment."""
    lines = [at for at, token in enumerate(tokens) if _defines(token)]
    if not lines:
        return None, []
    at = lines[0]
    line = tokens[at]
    first = next((n for n, token in enumerate(tokens) if token.kind is not Kind.COMMENT), None)
    if first is not None and first < at:
        text = "add the missing semicolon before this line"
        return None, [_malformed(file, line.span, text, "a fragment inside another statement")]
    found = _LINE.match(line.text)
    head = _HEAD.fullmatch(found["rest"]) if found else None
    if found is None or head is None:
        return None, [_malformed(file, line.span, "expected `-- fragment: name(alias, …)`")]
    problem = _beside(file, tokens, lines) or _params(file, line, head["params"] or "")
    if problem:
        return None, [problem]
    body = list(tokens[first:]) if first is not None else []
    wrong = next((token for token in body if token.kind in {Kind.PARAM, Kind.UNTERMINATED}), None)
    if wrong and wrong.kind is Kind.UNTERMINATED:
        place = Span(wrong.start, wrong.start + 1)
        return None, [_malformed(file, place, "the string or comment that starts here has no end")]
    if wrong:
        text = "a parameter without a name"
        return None, [_malformed(file, wrong.span, text, hint="write `sqlc.arg(name)`")]
    if sort := next((token for token in body if _SORT.match(token.text)), None):
        text = "the sort keys would not change with the arguments of the fragment"
        hint = "write ORDER BY and the directive in the query"
        return None, [_malformed(file, sort.span, text, "a fragment cannot have `:sort`", hint)]
    if not body:
        return None, [_malformed(file, line.span, "there is no SQL below this line")]
    if unbalanced := _unbalanced(body):
        text = "the matching parenthesis is not in the fragment"
        return None, [
            _malformed(
                file,
                unbalanced.span,
                text,
                hint="open and close each parenthesis in the same fragment",
            )
        ]
    params = tuple(map(str.strip, head["params"].split(","))) if head["params"] else ()
    start = line.start + found.start("rest") + head.start("name")
    name_span = Span(start, start + len(head["name"]))
    whole = Span(_start(file, tokens, at), end)
    return Fragment(file, head["name"], params, whole, name_span, tuple(body)), []


def fragment_spans(text: str, dialect: Dialect) -> list[Span]:
    """Return the spans of the fragments in a text, with the comments above them."""
    if not has_fragments(text):
        return []
    return [
        Span(tokens[0].start, end)
        for tokens, end in statements(text, dialect)
        if any(map(_defines, tokens))
    ]


def _defines(token: Token) -> bool:
    return token.kind is Kind.COMMENT and is_fragment_line(token)


def _start(file: SourceFile, tokens: Sequence[Token], at: int) -> int:
    """Return the start of the comments directly above a fragment, which describe it."""
    while at and file.text.count("\n", tokens[at - 1].end, tokens[at].start) < 2:
        at -= 1
    return tokens[at].start


def _beside(file: SourceFile, tokens: Sequence[Token], lines: Sequence[int]) -> Diagnostic | None:
    """Report query annotations above a fragment, and a second `fragment` line in one statement."""
    if len(lines) > 1:
        text = "add a semicolon before this line"
        return _malformed(file, tokens[lines[1]].span, text, "a fragment inside a fragment")
    for token in tokens:
        if token.kind is not Kind.COMMENT or token is tokens[lines[0]]:
            continue
        notes, _ = read_annotations(file, [token])
        if notes.seen_name or notes.hints or notes.ignores or notes.options:
            text = "this annotation has no effect on a fragment"
            hint = "move the line above the queries that include the fragment"
            if notes.seen_name:
                hint = "end the fragment with a semicolon"
            return _malformed(file, token.span, text, hint=hint)
    return None


def _params(file: SourceFile, line: Token, written: str) -> Diagnostic | None:
    names = [name.strip() for name in written.split(",")] if written.strip() else []
    if written and not names:
        return None
    folded = [name.lower() for name in names]
    wrong = next((name for name in names if not _NAME.fullmatch(name)), None)
    if wrong is not None:
        return _malformed(file, line.span, f"`{wrong}` is not the name of an alias or a column")
    twice = next((name for name in folded if folded.count(name) > 1), None)
    return _malformed(file, line.span, f"`{twice}` is listed twice") if twice else None


def _unbalanced(tokens: Sequence[Token]) -> Token | None:
    opened: list[Token] = []
    for token in tokens:
        if token.kind is Kind.PUNCTUATION and token.text in {"(", "["}:
            opened.append(token)
        elif token.kind is Kind.PUNCTUATION and token.text in {")", "]"}:
            if not opened:
                return token
            opened.pop()
    return opened[0] if opened else None


def _malformed(
    file: SourceFile,
    span: Span,
    text: str,
    message: str = "malformed fragment",
    hint: str = _FORM,
) -> Diagnostic:
    return Diagnostic("E141", message, (Label(file, span, text),), hint)
