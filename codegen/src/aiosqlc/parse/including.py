"""Expand `sqlc.include(fragment, …)` before queries are parsed.

A file that includes fragments is parsed from an expanded text. The positions in its queries are
then mapped to the file, or to the files of the fragments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import ParsedQuery
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.parse.arguments import argument_of, is_call, split_call, substituted
from aiosqlc.parse.fragments import Fragment, has_fragments, read_fragment, statements
from aiosqlc.parse.hygiene import defined, inside_subqueries, unbound
from aiosqlc.parse.joints import MisfitError, needs_parentheses
from aiosqlc.parse.moved import expanded_from
from aiosqlc.parse.pieces import Piece, Text, on_one_line, pieces_of
from aiosqlc.parse.scanner import Kind
from aiosqlc.source import Dialect, ExpandedFile, Inclusion, SourceFile, SourceMap, Span
from aiosqlc.store.memo import memo

_MOST = 1000  # most expansions in one query: nested fragments may multiply


class Source(Struct, frozen=True):
    """A query file, and its expanded text, from which the queries are parsed.

    `is_library` means that the file has only fragments, and no queries.
    """

    file: SourceFile
    read: SourceFile
    expanded: ExpandedFile | None = None
    source_map: SourceMap = field(default_factory=SourceMap)
    problems: tuple[Diagnostic, ...] = ()
    included: frozenset[str] = frozenset()
    is_library: bool = False

    def placed(
        self, queries: Sequence[ParsedQuery], problems: Sequence[Diagnostic]
    ) -> tuple[tuple[ParsedQuery, ...], list[Diagnostic]]:
        """Return queries and diagnostics with positions in the files, not in the expanded text."""
        if self.expanded is None:
            return tuple(queries), list(problems)
        at = self.source_map.over
        moved = [expanded_from(query, self.expanded, self.source_map) for query in queries]
        shown = [
            replace(
                item,
                labels=tuple(
                    replace(label, file=self.expanded, span=at(label.span)) for label in item.labels
                ),
            )
            for item in problems
        ]
        return tuple(moved), [*self.problems, *shown]


def sources_of(
    files: Sequence[SourceFile], dialect: Dialect, library: Iterable[SourceFile] = ()
) -> tuple[list[Source], list[Diagnostic]]:
    """Expand the fragments of query files. Any file may include the fragments of any other.

    `library` are further files, of which only the fragments are used.
    """
    if not any(has_fragments(file.text) for file in files):
        return [Source(file, file) for file in files], []
    problems: list[Diagnostic] = []
    known: dict[str, Fragment] = {}
    for file in files:
        found, mistakes = _fragments(file, dialect) if has_fragments(file.text) else ((), ())
        problems += mistakes
        for fragment in found:
            other = known.setdefault(fragment.name, fragment)
            if other is not fragment:
                problems.append(_duplicate(fragment, other))
    fragments = tuple({**fragments_of(library, dialect), **known}.values())
    sources = [
        _source(file, fragments, dialect) if has_fragments(file.text) else Source(file, file)
        for file in files
    ]
    used = {name for source in sources for name in source.included}
    problems += [_unused(item) for item in known.values() if item.name not in used]
    return sources, problems


def fragments_of(files: Iterable[SourceFile], dialect: Dialect) -> dict[str, Fragment]:
    """Return the fragments that query files define, by name."""
    concerned = [file for file in files if has_fragments(file.text)]
    return {item.name: item for file in concerned for item in _fragments(file, dialect)[0]}


@memo
def _fragments(
    file: SourceFile, dialect: Dialect
) -> tuple[tuple[Fragment, ...], tuple[Diagnostic, ...]]:
    """Return the fragments that a file defines, and diagnostics about the definitions."""
    found: list[Fragment] = []
    problems: list[Diagnostic] = []
    for tokens, end in statements(file.text, dialect):
        fragment, mistakes = read_fragment(file, tokens, end)
        problems += mistakes
        if fragment is None:
            continue
        body = pieces_of(file.text, fragment.tokens)
        code = [piece for piece in body if piece.kind is not Kind.COMMENT]
        params = {*map(str.lower, fragment.params), *_passed(code)}
        if alias := unbound(code, params):
            problems.append(_unbound(fragment, alias))
        found.append(fragment)
    return tuple(found), tuple(problems)


def _passed(code: Sequence[Piece]) -> Iterator[str]:
    """Yield the names that a fragment passes as arguments to other fragments."""
    for first, last in _calls(code):
        for argument in split_call(code, first, last)[1:]:
            yield from (piece.name.lower() for piece in argument[:1] if piece.is_name)


def _calls(pieces: Sequence[Piece]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last index of each `sqlc.include(…)`."""
    after = 0
    for at in range(len(pieces)):
        if at >= after and is_call(pieces, at, {"include"}):
            depth, last = 1, at + 4
            while last < len(pieces):
                depth += {"(": 1, ")": -1}.get(pieces[last].text, 0)
                if not depth:
                    break
                last += 1
            after = last + 1
            yield at, min(last, len(pieces) - 1)


@memo
def _source(file: SourceFile, fragments: tuple[Fragment, ...], dialect: Dialect) -> Source:
    """Expand one file."""
    expander = _Expander(file, {item.name: item for item in fragments})
    text = Text()
    at = 0
    others = 0
    for tokens, end in statements(file.text, dialect):
        fragment, mistakes = read_fragment(file, tokens, end)
        if fragment or mistakes:
            start = fragment.span.start if fragment else tokens[0].start
            text.add(file.text[at:start], at)
            at = end
            continue
        others += any(token.kind is not Kind.COMMENT for token in tokens)
        if not has_fragments(file.text[tokens[0].start : end] if tokens else ""):
            continue
        for first, last, pieces in expander.statement(pieces_of(file.text, tokens)):
            text.add(file.text[at:first], at)
            text.add_pieces(pieces)
            at = last
        if expander.refused:
            text.add(file.text[at : tokens[0].start], at)
            expander.refused, at = False, end
    text.add(file.text[at:], at)
    sql, source_map = text.result()
    expanded = expander.file()
    problems = [replace(item, labels=_in(item.labels, expanded)) for item in expander.problems]
    return Source(
        file,
        SourceFile(file.path, sql),
        expanded,
        source_map,
        tuple(problems),
        frozenset(expander.included),
        is_library=not others,
    )


def _in(labels: Iterable[Label], expanded: ExpandedFile) -> tuple[Label, ...]:
    return tuple(
        replace(label, file=expanded) if isinstance(label.file, ExpandedFile) else label
        for label in labels
    )


class _RefusedError(Exception):
    """Raised for a statement with an include that cannot be expanded."""

    def __init__(self, problem: Diagnostic) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Expander:
    """Expands the statements of one file, and collects the texts of the included fragments."""

    def __init__(self, file: SourceFile, fragments: Mapping[str, Fragment]) -> None:
        self._file = file
        self._fragments = fragments
        self._texts = [file.text]
        self._length = len(file.text)
        self._inclusions: list[Inclusion] = []
        self._left = _MOST
        self.included: set[str] = set()
        self.problems: list[Diagnostic] = []
        self.refused = False

    def file(self) -> ExpandedFile:
        """Return the file with the text of every fragment that was expanded so far."""
        text = "".join(self._texts)
        return ExpandedFile(self._file.path, text, len(self._file.text), tuple(self._inclusions))

    def statement(self, pieces: Sequence[Piece]) -> list[tuple[int, int, list[Piece]]]:
        """Return each `sqlc.include` of a statement: its span, and the tokens that replace it."""
        self._left = _MOST
        try:
            return [
                (pieces[first].at, pieces[last].at + len(pieces[last].text), expanded)
                for first, last, expanded in self._expanded(pieces, ())
            ]
        except _RefusedError as refused:
            self.problems.append(refused.problem)
            self.refused = True
            return []

    def _expanded(
        self, pieces: Sequence[Piece], around: tuple[str, ...]
    ) -> Iterator[tuple[int, int, list[Piece]]]:
        for first, last in _calls(pieces):
            directed = _has_directive(pieces, last)
            before = [piece for piece in pieces[:first] if piece.kind is not Kind.COMMENT]
            after = self._next_word([p for p in pieces[last + 1 :] if p.kind is not Kind.COMMENT])
            call = pieces[first : last + 1]
            yield first, last, self._include(call, before, after, around, directed=directed)

    def _next_word(self, following: Sequence[Piece]) -> str:
        """Return the first word of tokens; if they start with an include, that of the fragment."""
        seen: set[str] = set()
        while is_call(following, 0, {"include"}) and len(following) > 4:
            fragment = self._fragments.get(following[4].text)
            if fragment is None or fragment.name in seen:
                break
            seen.add(fragment.name)
            following = pieces_of(fragment.file.text, fragment.tokens)
        return following[0].word if following else ""

    def _include(
        self,
        call: Sequence[Piece],
        before: Sequence[Piece],
        after: str,
        around: tuple[str, ...],
        *,
        directed: bool,
    ) -> list[Piece]:
        where = Span(call[0].at, call[-1].at + len(call[-1].text))
        fragment, arguments = self._called(call, where, around)
        base = self._length + 1
        written = fragment.file.text[fragment.body.start : fragment.body.end]
        self._texts += ["\n", written]
        self._length += 1 + len(written)
        self._inclusions.append(Inclusion(base, fragment.file, fragment.body.start, where))
        by = base - fragment.body.start
        body = pieces_of(fragment.file.text, fragment.tokens, by)
        self._check_captures(fragment, body, arguments)
        body = substituted(body, arguments)
        body = self._nested(body, (*around, fragment.name))
        if directed and not any(piece.is_directive for piece in body):
            body = on_one_line(body)
        code = [piece for piece in body if piece.kind is not Kind.COMMENT]
        try:
            enclosed = needs_parentheses(code, before, after)
        except MisfitError as misfit:
            raise self._refusal(
                "E145",
                f"the fragment `{fragment.name}` cannot be included here: {misfit.why}",
                where,
                hint=misfit.hint,
            ) from None
        return _written(body, call, enclosed=enclosed)

    def _nested(self, body: list[Piece], around: tuple[str, ...]) -> list[Piece]:
        at = 0
        found: list[Piece] = []
        for first, last, expanded in self._expanded(body, around):
            found += body[at:first]
            found += [replace(expanded[0], gap=body[first].gap + expanded[0].gap), *expanded[1:]]
            at = last + 1
        return [*found, *body[at:]]

    def _called(
        self, call: Sequence[Piece], where: Span, around: tuple[str, ...]
    ) -> tuple[Fragment, dict[str, list[Piece]]]:
        """Return the included fragment, and the tokens of each argument by parameter name."""
        if call[-1].text != ")":
            raise self._refusal("E143", "`sqlc.include` is not closed", where)
        parts = split_call(call, 0, len(call) - 1)
        name = parts[0][0].text if parts and len(parts[0]) == 1 else ""
        if not name or not parts[0][0].is_name:
            hint = "write `sqlc.include(fragment, alias, …)`"
            raise self._refusal("E143", "`sqlc.include` needs a fragment's name", where, hint=hint)
        fragment = self._fragments.get(name)
        name_span = Span(parts[0][0].at, parts[0][0].at + len(name))
        if fragment is None:
            listed = ", ".join(sorted(self._fragments)[:8])
            otherwise = f"known are {listed}" if listed else "no query file defines a fragment"
            hint = did_you_mean(name, self._fragments, otherwise=otherwise)
            raise self._refusal("E140", f"unknown fragment `{name}`", name_span, hint=hint)
        self.included.add(name)
        if name in around:
            circle = " → ".join((*around[around.index(name) :], name))
            raise self._refusal("E144", f"the fragment `{name}` includes itself", name_span, circle)
        self._left -= 1
        if self._left < 0:
            raise self._refusal(
                "E144", f"the query includes more than {_MOST} fragments", name_span
            )
        if len(parts) - 1 != len(fragment.params):
            listed = ", ".join((fragment.name, *fragment.params))
            wanted, passed = len(fragment.params), len(parts) - 1
            raise self._refusal(
                "E143",
                f"`{name}` takes {wanted} argument{'s' * (wanted != 1)}, not {passed}",
                where,
                hint=f"write `sqlc.include({listed})`",
            )
        arguments: dict[str, list[Piece]] = {}
        for param, part in zip(fragment.params, parts[1:], strict=True):
            argument = argument_of(part)
            if argument is None:
                place = _span(part) if part else where
                said = "an argument must be one name or value"
                raise self._refusal("E143", said, place, hint=_FORM)
            arguments[param.lower()] = argument
        return fragment, arguments

    def _check_captures(
        self, fragment: Fragment, body: Sequence[Piece], arguments: Mapping[str, list[Piece]]
    ) -> None:
        """Report an argument whose name would mean another table or column inside the fragment."""
        code = [piece for piece in body if piece.kind is not Kind.COMMENT]
        own = defined(code) - set(arguments)
        inside = set(inside_subqueries(code))
        for param, argument in arguments.items():
            if not argument[0].is_name or not argument[0].kind:
                continue
            name = argument[0].name
            if name.lower() in own:
                raise self._refusal(
                    "E146",
                    f"the fragment `{fragment.name}` has an alias `{name}` of its own",
                    _span(argument),
                    "in the fragment, the argument would mean the fragment's own table",
                    "use another alias in the query or in the fragment",
                )
            bare = any(_is_bare(code, at, param) for at in inside)
            if len(argument) == 1 and bare and name.upper() not in _CONSTANTS:
                raise self._refusal(
                    "E146",
                    f"`{name}` could denote a column of a table in the fragment's subquery",
                    _span(argument),
                    f"`{fragment.name}` uses the argument inside a subquery",
                    f"write the table before the column: `table.{name}`",
                )

    def _refusal(
        self, code: str, message: str, span: Span, text: str = "", hint: str = ""
    ) -> _RefusedError:
        return _RefusedError(Diagnostic(code, message, (Label(self.file(), span, text),), hint))


_FORM = "pass an alias, a column, a literal or a parameter"
_CONSTANTS = frozenset({"NULL", "TRUE", "FALSE", "DEFAULT"})
_NAMES_FOLLOW = frozenset({"AS", "FROM", "JOIN", "INTO", "UPDATE", "ONLY", "USING", "."})


def _is_bare(code: Sequence[Piece], at: int, param: str) -> bool:
    """Return whether a parameter stands at an index and no column (`.id`) follows it."""
    piece = code[at]
    if not piece.is_name or piece.name.lower() != param:
        return False
    previous = code[at - 1].word if at else ""
    following = code[at + 1].text if at + 1 < len(code) else ""
    return previous not in _NAMES_FOLLOW and following not in {".", "("}


def _span(pieces: Sequence[Piece]) -> Span:
    return Span(pieces[0].at, max(pieces[-1].at + len(pieces[-1].text), pieces[0].at + 1))


def _has_directive(pieces: Sequence[Piece], last: int) -> bool:
    """Return whether the line of a token ends with a directive."""
    for piece in pieces[last + 1 :]:
        if "\n" in piece.gap:
            return False
        if piece.is_directive:
            return True
    return False


def _written(body: Sequence[Piece], call: Sequence[Piece], *, enclosed: bool) -> list[Piece]:
    """Return the tokens of an expanded fragment; each directive gets a line of its own."""
    apart = "\n" if any(piece.is_directive for piece in body) else ""
    first, *rest = body
    found = [replace(first, gap=apart), *rest]
    if enclosed:
        opening = Piece(Kind.PUNCTUATION, "(", call[0].at)
        return [opening, *found, Piece(Kind.PUNCTUATION, ")", call[-1].at, apart)]
    return [*found, Piece(Kind.COMMENT, "", call[-1].at, apart)] if apart else found


def _duplicate(fragment: Fragment, other: Fragment) -> Diagnostic:
    return Diagnostic(
        "E142",
        f"the fragment `{fragment.name}` is defined twice",
        (
            Label(fragment.file, fragment.name_span, "second definition"),
            Label(other.file, other.name_span, "first definition"),
        ),
        hint="names must be unique across the query files of a configuration entry",
    )


def _unbound(fragment: Fragment, alias: Piece) -> Diagnostic:
    params = ", ".join((*fragment.params, alias.text))
    return Diagnostic(
        "E146",
        f"the fragment `{fragment.name}` uses the alias `{alias.text}`, which it does not define",
        (Label(fragment.file, _span([alias]), "not a parameter of the fragment"),),
        hint=f"write `-- fragment: {fragment.name}({params})`",
    )


def _unused(fragment: Fragment) -> Diagnostic:
    return Diagnostic(
        "E147",
        f"no query includes the fragment `{fragment.name}`",
        (Label(fragment.file, fragment.name_span),),
        hint=f"write `sqlc.include({', '.join((fragment.name, *fragment.params))})` in a query, or"
        " remove the fragment",
        severity=Severity.WARNING,
    )
