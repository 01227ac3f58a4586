"""Split a query file into its annotated queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice

from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import Command, OptionalPart, ParsedQuery, Variant
from aiosqlc.messages.files import nul_byte
from aiosqlc.parse.annotations import no_query, read_annotations
from aiosqlc.parse.channels import channels_of
from aiosqlc.parse.doubts import doubts
from aiosqlc.parse.dynamic import read_parts, stray_directives, swallowed_semicolon
from aiosqlc.parse.fragments import is_fragment_line
from aiosqlc.parse.including import sources_of
from aiosqlc.parse.macros import expand, find_uses
from aiosqlc.parse.nesting import nest_misuses
from aiosqlc.parse.ordering import check_sorting
from aiosqlc.parse.paging import paged
from aiosqlc.parse.scanner import Kind, Token, scan
from aiosqlc.parse.statements import parse_ahead, statements_of
from aiosqlc.parse.variants import write_variants
from aiosqlc.source import Dialect, SourceFile, Span

Parsed = tuple[tuple[ParsedQuery, ...], list[Diagnostic]]


def parse_files(
    files: Iterable[SourceFile],
    dialect: Dialect,
    parse: Callable[[SourceFile, Dialect], Parsed] | None = None,
    library: Iterable[SourceFile] = (),
    meanwhile: Callable[[], object] | None = None,
) -> Parsed:
    """Parse query files and expand their fragments. Query names must be unique across the files.

    A caller can pass its own `parse`, for example to cache results. The files may also include
    fragments that the files in `library` define. `meanwhile` is called once, while other processes
    parse long files.
    """
    parse = parse or parse_file
    sources, problems = sources_of(list(files), dialect, library)
    parse_ahead([source.read for source in sources], dialect, _parse_statement, meanwhile)
    queries: list[ParsedQuery] = []
    first: dict[str, ParsedQuery] = {}
    for source in sources:
        parsed, found = source.placed(*parse(source.read, dialect))
        empty = not parsed and not found and not source.is_library
        problems += [_without_query(source.file)] if empty else found
        for query in parsed:
            other = first.setdefault(query.name, query)
            if other is not query:
                problems.append(_duplicate(query, other))
                continue
            queries.append(query)
    return tuple(queries), problems


def count_named(file: SourceFile, dialect: Dialect) -> int:
    """Return the number of queries in a file, including invalid ones."""
    found = 0
    for token in scan(file.text, dialect):
        if token.kind is Kind.COMMENT:
            found += _NAME_LINE.match(token.text) is not None
        elif token.kind is Kind.UNTERMINATED:  # the unterminated token contains the following text
            found += len(_NAME_LINE.findall(token.text))
    return found


_NAME_LINE = re.compile(r"^[^\S\n]*(?:--|#|/\*)\s*name:", re.MULTILINE)


def _without_query(file: SourceFile) -> Diagnostic:
    return Diagnostic(
        "E115",
        f"no query in {file.path.name}",
        (Label(file, Span(0, 0), "nothing to compile"),),
        hint="write a statement below `-- name: QueryName :command`",
        severity=Severity.WARNING,
    )


def _duplicate(query: ParsedQuery, other: ParsedQuery) -> Diagnostic:
    if query.channel and other.channel:
        same = query.channel == other.channel
        return Diagnostic(
            "E110",
            f"the channel `{query.channel}` is declared twice"
            if same
            else f"the functions of `{query.channel}` and `{other.channel}` have the same names",
            (
                Label(query.file, query.name_span, "second channel"),
                Label(other.file, other.name_span, "first channel"),
            ),
            hint="declare the channel once" if same else "rename one of the channels",
        )
    return Diagnostic(
        "E110",
        f"query name `{query.name}` is used twice",
        (
            Label(query.file, query.name_span, "second use"),
            Label(other.file, other.name_span, "first use"),
        ),
        hint="names must be unique across the query files of a configuration entry",
    )


def parse_file(file: SourceFile, dialect: Dialect) -> Parsed:
    """Parse a query file: each annotated statement becomes a query or a diagnostic."""
    statements = statements_of(file, dialect, _parse_statement)
    queries = tuple([query for item in statements for query in item.queries])
    problems: list[Diagnostic] = []
    above: ParsedQuery | None = None
    for number, item in enumerate(statements):
        above = item.query or above
        below = statements[number + 1 : number + 2]
        more = any(problem.code == "E113" for each in below for problem in each.problems)
        if item.query and not more and _controls(scan(item.query.sql, dialect)):
            problems.append(_alone(file, item.query))
        for problem in item.problems:
            second = _second(file, problem, above) if above and problem.code == "E113" else problem
            # `BEGIN; …; COMMIT;` below one name is reported once.
            if problem.code != "E113" or second.hint != _TRANSACTION or second not in problems:
                problems.append(second)
    return queries, problems


def _alone(file: SourceFile, query: ParsedQuery) -> Diagnostic:
    """Warn about a query that is only `BEGIN` or `COMMIT`: a pool may use another connection."""
    word = query.sql.split()[0]
    return Diagnostic(
        "E113",
        f"`{query.name}` is only `{word.upper()}`: the next query may use another connection",
        (Label(file, _first_word(query), "this affects only the connection of this call"),),
        hint=_TRANSACTION,
        severity=Severity.WARNING,
    )


def _first_word(query: ParsedQuery) -> Span:
    return Span(query.span.start, query.span.start + len(query.sql.split()[0]))


def _second(file: SourceFile, unnamed: Diagnostic, query: ParsedQuery) -> Diagnostic:
    """Report a second statement below one query name, because it would be ignored."""
    if _controls(scan(query.sql, Dialect.POSTGRESQL)):
        return Diagnostic(
            "E113",
            f"`{query.name}` starts a transaction, but a query must be one statement",
            (Label(file, _first_word(query), "this statement starts the transaction"),),
            hint=_TRANSACTION,
        )
    return Diagnostic(
        "E113",
        f"a second statement below `-- name: {query.name}`",
        # The first label is on the query, because it identifies the skipped query.
        (Label(file, query.name_span, "names one statement"), unnamed.labels[0]),
        hint="add a `-- name:` line above the statement, or remove the statement",
    )


def _parse_statement(file: SourceFile, tokens: list[Token], dialect: Dialect) -> Parsed:
    """Return the channels that a statement's comments declare, and its query."""
    body = [token for token in tokens if token.kind is not Kind.COMMENT]
    above = [token for token in tokens if not body or token.start < body[0].start]
    notes, problems = read_annotations(file, above)
    if not notes.channels and not any(problem.code == "E150" for problem in problems):
        query, problems = _parse_query(file, tokens, body, above, dialect)
        return (query,) if query else (), problems
    fragment = any(is_fragment_line(token) for token in above)
    unnamed = [] if notes.seen_name or fragment else body
    channels, found = channels_of(file, notes, unnamed, dialect)
    if unnamed or not body:
        return channels, [*problems, *found]
    query, problems = _parse_query(file, tokens, body, above, dialect)
    return (*channels, query) if query else channels, [*found, *problems]


def _parse_query(
    file: SourceFile,
    tokens: list[Token],
    body: list[Token],
    above: list[Token],
    dialect: Dialect,
) -> tuple[ParsedQuery | None, list[Diagnostic]]:
    if not body:
        return None, _nothing_under(file, tokens)
    nul = file.text.find("\0", tokens[0].start, body[-1].end)
    if nul >= 0:  # the server would silently ignore the text after the NUL
        named, _ = read_annotations(file, [t for t in tokens if t.start < body[0].start])
        broken = nul_byte(file, nul)
        place = (Label(file, named.name_span, "in this query"),) if named.seen_name else ()
        return None, [replace(broken, labels=(*broken.labels, *place))]
    unclosed = next((token for token in body if token.kind is Kind.UNTERMINATED), None)
    if unclosed:
        return None, [unterminated(file, unclosed)]
    if any(is_fragment_line(token) for token in above):
        return None, []  # read elsewhere, since its queries may be in other files
    notes, problems = read_annotations(file, above)
    misplaced = _name_inside(file, tokens, body[0].start)
    if misplaced or not notes.seen_name:
        return None, [misplaced] if misplaced else problems or [_unnamed(file, body)]
    uses, found = find_uses(file, body, dialect)
    problems += [*found, *check_sorting(file, body, uses), *stray_directives(file, above)]
    if problems or notes.command is None:
        return None, problems
    span = Span(body[0].start, body[-1].end)
    inside = [token for token in tokens if token.start >= span.start]
    parts, found = read_parts(file, inside, uses)
    if found:
        return None, found
    variants: tuple[Variant, ...] = ()
    dynamic: tuple[OptionalPart, ...] = ()
    if parts:
        expanded, variants, dynamic, found = write_variants(
            file, span, inside, uses, parts, dialect
        )
    else:
        expanded = expand(file, span, uses)
    if found:
        return None, found
    query = ParsedQuery(
        file=file,
        name=notes.name,
        command=notes.command,
        sql=expanded.sql,
        source_map=expanded.source_map,
        name_span=notes.name_span,
        span=span,
        doc=_trimmed(notes.doc),
        comments=_comments(file.text[tokens[0].start : span.end]),
        heading=_trimmed(notes.heading)
        if tokens[0] is above[0] and _opens(file, tokens[0])
        else (),
        params=expanded.params,
        embeds=expanded.embeds,
        hints=tuple(notes.hints),
        dynamic=dynamic,
        variants=variants,
        options=tuple(notes.options),
        ignores=tuple(notes.ignores),
    )
    found = list(nest_misuses(query, dialect))
    if found:
        return None, found
    found = doubts(file, body, uses, dialect)
    if query.command is not Command.PAGE:
        return query, found
    page = paged(query, dialect)
    return (None, [page]) if isinstance(page, Diagnostic) else (page, found)


_NAMED = ("-- name:", "/* name:", "# name:")


def _comments(text: str) -> tuple[str, ...]:
    """Return the lines of a statement that consist only of a comment."""
    found = []
    for line in text.split("\n"):
        line = line.rstrip("\r")
        if line.startswith(_NAMED):
            continue
        if line.startswith("--"):
            found.append(line[2:])
        elif line.startswith("/*") and line.endswith("*/"):
            found.append(line[2:-2])
        elif line.startswith("#"):
            found.append(line[1:])
    return tuple(found)


def _opens(file: SourceFile, token: Token) -> bool:
    return not file.text[: token.start].strip()


def _trimmed(comment: list[str]) -> tuple[str, ...]:
    lines = [line.rstrip() for line in comment]
    said = [at for at, line in enumerate(lines) if line.strip()]
    return tuple(lines[said[0] : said[-1] + 1]) if said else ()


def _nothing_under(file: SourceFile, tokens: list[Token]) -> list[Diagnostic]:
    notes, problems = read_annotations(file, tokens)
    if not notes.seen_name:
        return []
    if notes.command is None:  # the problem has already been reported
        return problems
    text = "the next token is a semicolon or the end of the file"
    return [*problems, no_query(file, notes.name_span, text)]


def _name_inside(file: SourceFile, tokens: list[Token], start: int) -> Diagnostic | None:
    """Report a query name inside a statement: the semicolon before the name is missing."""
    for position, token in enumerate(tokens):
        if token.kind is Kind.COMMENT and token.start > start:
            notes, _ = read_annotations(file, [token])
            if notes.seen_name:
                if hidden := swallowed_semicolon(file, tokens[position - 1]):
                    return hidden
                return Diagnostic(
                    "E112",
                    "a name annotation inside another statement",
                    (Label(file, token.span, "add the missing semicolon before this line"),),
                    hint=_script(file, start, tokens[position - 1]),
                )
    return None


def _script(file: SourceFile, start: int, last: Token) -> str:
    """Return a hint for a command of psql or of SQL Server's tools, or '' for other text."""
    if file.text[start] == "\\":
        return "remove the line: a line that begins with a backslash is a command of psql"
    if last.text.upper() == "GO":
        return "remove `GO`, which is a command of SQL Server's tools"
    return ""


def _unnamed(file: SourceFile, body: list[Token]) -> Diagnostic:
    return Diagnostic(
        "E113",
        "a statement without a name is skipped",
        (Label(file, body[0].span, "no `-- name:` above"),),
        hint=_TRANSACTION
        if _controls(body)
        else "add `-- name: QueryName :command` above the statement, or remove the statement",
        severity=Severity.WARNING,
    )


_TRANSACTION = (
    "remove the statement: start the transaction in the code that calls the queries, with the "
    "driver or with"
    " `in_transaction` of `emit_helpers: true`"
)


_ENDS = (["BEGIN"], ["COMMIT"], ["ROLLBACK"], ["SAVEPOINT"], ["RELEASE"])


def _controls(tokens: Iterable[Token]) -> bool:
    """Return whether a statement starts or ends a transaction. Only two tokens are read."""
    body = (token.text.upper() for token in tokens if token.kind is not Kind.COMMENT)
    words = [*islice(body, 2)]
    return words[:1] in _ENDS or words == ["START", "TRANSACTION"]


def unterminated(file: SourceFile, token: Token) -> Diagnostic:
    """Return the error for a string or comment that is not closed. `token` is `UNTERMINATED`."""
    what = {"/": "comment", "$": "dollar-quoted string", '"': "quoted identifier"}
    at = token.start + (token.text[0] in "eE")  # behind the prefix of a string with escapes
    mark = file.text[at]
    return Diagnostic(
        "E114",
        f"unterminated {what.get(mark, 'string')}",
        (Label(file, Span(at, at + 1), "opened here, but not closed"),),
        "write a quote inside a string as `''`" if mark == "'" else "",
    )
