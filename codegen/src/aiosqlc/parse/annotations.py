"""Read the comments above a query: name, command, hints, ignored rules, description."""

from __future__ import annotations

import re

from msgspec import Struct, field

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Command, Hint
from aiosqlc.messages.suggest import did_you_mean, nearest
from aiosqlc.parse.scanner import Token
from aiosqlc.parse.typenames import is_type, type_hint, unknown_type
from aiosqlc.source import SourceFile, Span

KEYWORDS = ("name", "column", "param", "row", "ignore", "tenant", "plan", "notify")
OPTIONS = ("bulk", "batchget")
_WORD = re.compile(r":batchget\([^()]*\)|\S+")
_OPTION = re.compile(
    r"(?P<name>bulk|batchget)(?:(?<=get)\(\s*(?P<choice>\w+(?:\s*,\s*\w+)*)\s*\))?"
)
COMMANDS = tuple(command.value for command in Command)


class Declared(Struct, frozen=True):
    """A line `notify: channel Payload`, with the spans of these two words."""

    channel: str
    span: Span
    payload: str
    payload_span: Span


class Annotations(Struct):
    """The annotations of a query. `command` is None if the name line is invalid."""

    name: str = ""
    name_span: Span = field(default=Span(0, 0))
    command: Command | None = None
    options: list[tuple[str, str]] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    ignores: list[tuple[str, str]] = field(default_factory=list)
    doc: list[str] = field(default_factory=list)
    heading: list[str] = field(default_factory=list)
    seen_name: bool = False
    channels: list[Declared] = field(default_factory=list)


class _Line(Struct, frozen=True):
    """A line of a comment without the comment markers, with its offset in the file.

    `inner` means that the line is in a block comment, after the comment's first line; there, dashes
    before a text disable the text.
    """

    text: str
    start: int
    inner: bool = False

    def span(self, match: re.Match[str], group: int | str = 0) -> Span:
        return Span(self.start + match.start(group), self.start + match.end(group))

    @property
    def whole(self) -> Span:
        return Span(self.start, self.start + len(self.text))


_SAYS_NAME = r"name\s*+(?::\s*+)?\w*+\s*+:"  # possessive quantifiers prevent backtracking
_NAME_LINE = re.compile(_SAYS_NAME, re.IGNORECASE)
_DASHED = re.compile(rf"(?P<dashes>-+)\s*+{_SAYS_NAME}", re.IGNORECASE)
_NAME = re.compile(r" name: +(?P<name>\S+)(?P<rest>.*)$")
_KEYWORD = re.compile(r"\s*(?P<word>@?[A-Za-z][\w-]*)\s*:(?!:)\s*(?P<rest>.*)$")
_HINT = re.compile(r"(?P<target>[^\s]+)\s+(?P<type>.*?)(?P<mark>[!?]?)$")
_IGNORE = re.compile(r"(?P<code>[A-Z]\d{3})\b[\s:,-]*(?P<reason>.*)$")
_LIMIT = r"(?:rows|cost)\s*<=\s*\d[\d_]*"
_BUDGET = re.compile(rf"{_LIMIT}(?:\s*,\s*{_LIMIT})?")
_PART = r'(?:"(?:[^"]|"")+"|\w+)'
_NOTIFY = re.compile(rf"(?P<channel>{_PART})\s+(?P<payload>{_PART}(?:\.{_PART})?)")
_LONGEST_CHANNEL = 63  # bytes; pg_notify refuses longer names, and LISTEN truncates them
_ROW = re.compile(r"[A-Z]\w*", re.ASCII)
# With more words than these, the keyword starts a sentence: `-- row: one per day`.
_MOST_WORDS = {"column": 3, "param": 3, "row": 2, "ignore": 2, "tenant": 2, "plan": 0, "notify": 2}


def read_annotations(
    file: SourceFile, comments: list[Token]
) -> tuple[Annotations, list[Diagnostic]]:
    """Read the comments above a query's first word, in the order of the file."""
    found = Annotations()
    problems: list[Diagnostic] = []
    for position, comment in enumerate(comments):
        if position and _apart(file, comments[position - 1], comment) and not found.seen_name:
            found.heading += [*found.doc, ""] if found.doc else []
            found.doc = []
        for line in _lines(comment):
            named, above = found.name, found.name_span
            problem = _read_line(file, line, found)
            if named and above != found.name_span:
                problems.append(no_query(file, above, "the next line is another `-- name:` line"))
            if problem:
                problems.append(problem)
    return found, problems


def names_query(comment: Token) -> bool:
    """Return whether a comment has a `name:` line."""
    return any(_NAME_LINE.match(line.text.strip()) for line in _lines(comment))


def no_query(file: SourceFile, name: Span, text: str) -> Diagnostic:
    """Return the error for a name without a query below it."""
    return Diagnostic(
        "E111", "there is no query below this `-- name:` line", (Label(file, name, text),)
    )


def _apart(file: SourceFile, above: Token, below: Token) -> bool:
    """Return whether a blank line separates two comments; the first then belongs to no query."""
    return file.text.count("\n", above.end, below.start) > 1


def _lines(comment: Token) -> list[_Line]:
    text, start = comment.text, comment.start
    if text.startswith("--"):
        return [_Line(text[2:].rstrip(), start + 2)]
    if text.startswith("#"):
        return [_Line(text[1:].rstrip(), start + 1)]
    lines: list[_Line] = []
    at = start + 2
    for part in text[2:-2].split("\n"):
        lines.append(_Line(part.rstrip(), at, inner=bool(lines)))
        at += len(part) + 1
    return lines


def _read_line(file: SourceFile, line: _Line, found: Annotations) -> Diagnostic | None:
    stripped = line.text.strip()
    if _NAME_LINE.match(stripped):
        return _read_name(file, line, found)
    if (dashed := _DASHED.match(line.text)) and not line.inner:
        found.seen_name = True
        return Diagnostic(
            "E102",
            "malformed name annotation",
            (Label(file, line.span(dashed, "dashes"), "a third dash"),),
            hint="write two dashes instead of three: `-- name: QueryName :command`",
        )
    if stripped.startswith("@sqlc-vet-disable"):
        codes = stripped.split()[1:] or ["all"]
        found.ignores.extend((code, "@sqlc-vet-disable") for code in codes)
        return None
    keyword = _KEYWORD.match(line.text)
    if keyword is None or keyword["word"].startswith("@"):
        found.doc.append(line.text)
        return None
    word, rest = keyword["word"], keyword["rest"].strip()
    meant = word if word in KEYWORDS else nearest(word, KEYWORDS) if word.islower() else ""
    if not meant or _is_prose(meant, rest, misspelt=meant != word):
        found.doc.append(line.text)
        return None
    if word in {"column", "param"}:
        return _read_hint(file, line, keyword, found)
    if word == "row":
        return _read_row(file, line, keyword, found)
    if word == "ignore":
        return _read_ignore(file, line, keyword, found)
    if word == "tenant":
        return _read_tenant(file, line, keyword, found)
    if word == "plan":
        return _read_plan(file, line, keyword, found)
    if word == "notify":
        return _read_notify(file, line, keyword, found)
    return Diagnostic(
        "E101",
        f"unknown annotation `{word}`",
        (Label(file, line.span(keyword, "word"), "not an annotation"),),
        hint=did_you_mean(word, KEYWORDS),
    )


def _is_prose(keyword: str, rest: str, *, misspelt: bool) -> bool:
    """Return whether a comment that starts with an annotation's keyword is only ordinary text."""
    if keyword == "ignore":
        well_formed = _IGNORE.match(rest) is not None
    elif keyword == "tenant":
        well_formed = rest.split()[:1] == ["all"]
    elif keyword == "plan":
        well_formed = re.match(r"\w+\s*[<>=]", rest) is not None
    elif keyword == "notify":
        well_formed = _NOTIFY.fullmatch(rest) is not None
    elif keyword == "row":
        well_formed = _ROW.fullmatch(rest) is not None
    elif keyword == "name":
        well_formed = re.match(r"\w+\s+:\w", rest) is not None
    else:
        hint = _HINT.match(rest)
        well_formed = hint is not None and _is_hint(hint["target"], hint["type"].strip())
    words = len(rest.split())
    return not well_formed and (misspelt or words > _MOST_WORDS.get(keyword, words))


def _is_hint(target: str, python_type: str) -> bool:
    return re.fullmatch(r"[\w.]+", target) is not None and (not python_type or is_type(python_type))


def _read_name(file: SourceFile, line: _Line, found: Annotations) -> Diagnostic | None:
    found.seen_name = True
    match = _NAME.match(line.text)
    if match is None:
        return Diagnostic(
            "E102",
            "malformed name annotation",
            (Label(file, line.whole, "expected `-- name: QueryName :command`"),),
            hint="write one space before `name:`, then the name, then the command",
        )
    found.name = match["name"]
    found.name_span = line.span(match, "name")
    if not re.fullmatch(r"[A-Za-z_]\w*", found.name, re.ASCII):
        return Diagnostic(
            "E103",
            f"invalid query name `{found.name}`",
            (Label(file, found.name_span, "letters, digits and underscores only"),),
            hint=_name_hint(found.name, match["rest"]),
        )
    return _read_words(file, line, match, found)


def _name_hint(name: str, rest: str) -> str:
    bare = name.rstrip(":")
    if bare != name and rest.strip() in COMMANDS:
        return f"write the colon before the command: `-- name: {bare} :{rest.strip()}`"
    return "start with a letter, such as `GetUser`"


def _read_words(
    file: SourceFile, line: _Line, match: re.Match[str], found: Annotations
) -> Diagnostic | None:
    """Parse the words after the query's name: one command, then options."""
    words = list(_WORD.finditer(match["rest"]))
    if not words:
        return Diagnostic(
            "E104",
            f"query `{found.name}` has no command",
            (Label(file, found.name_span, "add a command such as :one or :many"),),
            hint="add one of " + " ".join(f":{name}" for name in COMMANDS),
        )
    for position, word in enumerate(words):
        text = word.group()
        offset = line.start + match.start("rest")
        span = Span(offset + word.start(), offset + word.end())
        value = text.removeprefix(":")
        if not text.startswith(":"):
            return Diagnostic(
                "E105",
                f"unexpected `{text}` after the query's name",
                (Label(file, span, "commands and options start with a colon"),),
                hint=_stray(text, position),
            )
        if position == 0 and value in COMMANDS:
            found.command = Command(value)
        elif position and (option := _OPTION.fullmatch(value)):
            chosen = re.sub(r"\s", "", option["choice"] or "")
            found.options.append((option["name"], chosen))
        else:
            return _bad_word(file, span, value, position, found)
    return None


def _stray(text: str, position: int) -> str:
    """Return a hint for a word without a colon in the place of a command or an option."""
    if text in (*COMMANDS, *OPTIONS):
        return f"did you mean `:{text}`?"
    if position:
        return "write a remark as a comment on a separate line below this line"
    return "a query name must be one word, such as `GetUser`"


def _bad_word(
    file: SourceFile, span: Span, value: str, position: int, found: Annotations
) -> Diagnostic:
    if position and value in COMMANDS:
        return Diagnostic(
            "E106",
            f"query `{found.name}` has two commands",
            (Label(file, span, "a query must have exactly one command"),),
        )
    known = OPTIONS if position else COMMANDS
    listed = " ".join(f":{name}" for name in known)
    if value in OPTIONS:
        commands = ("exec", "many") if value == "bulk" else ("one", "many")
        hint = "`:{0}` is an option: write `:{1} :{0}` or `:{2} :{0}`".format(value, *commands)
        return Diagnostic("E107", f"write a command before `:{value}`", (Label(file, span),), hint)
    suggestion = nearest(value, known)
    return Diagnostic(
        "E107",
        f"unknown {'option' if position else 'command'} `:{value}`",
        (Label(file, span, f"known are {listed}"),),
        hint=f"did you mean `:{suggestion}`?" if suggestion else "",
    )


def _read_hint(
    file: SourceFile, line: _Line, keyword: re.Match[str], found: Annotations
) -> Diagnostic | None:
    """Read a hint such as `column: total Decimal!` or `param: tags ?`."""
    match = _HINT.match(keyword["rest"].strip())
    if match is None:
        return Diagnostic(
            "E108",
            f"malformed `{keyword['word']}` annotation",
            (Label(file, line.whole, f"expected `{keyword['word']}: name Type!`"),),
            hint="`!` means never NULL, and `?` means may be NULL; the type can be left out",
        )
    target, python_type = match["target"], match["type"].strip()
    if python_type and not is_type(python_type):
        return Diagnostic(
            "E108",
            f"`{python_type}` is not a type",
            (Label(file, line.span(keyword, "rest"), "write a name, a type, and `!` or `?`"),),
            hint=f"such as `{keyword['word']}: {target} list[app.models.Tag]`",
        )
    if python_type and (name := unknown_type(python_type)):
        place = line.span(keyword, "rest")
        start = file.text.find(name, place.start + len(target), place.end)
        return Diagnostic(
            "E108",
            f"`{name}` is not a built-in type: write the module before the type name",
            (Label(file, Span(start, start + len(name))),),
            hint=type_hint(name),
        )
    found.hints.append(
        Hint(
            target=f"param:{target}" if keyword["word"] == "param" else target,
            span=line.span(keyword, "rest"),
            python_type=python_type or None,
            not_null={"!": True, "?": False}.get(match["mark"]),
        )
    )
    return None


def _read_row(
    file: SourceFile, line: _Line, keyword: re.Match[str], found: Annotations
) -> Diagnostic | None:
    name = keyword["rest"].strip()
    if not _ROW.fullmatch(name):
        return Diagnostic(
            "E108",
            "malformed `row` annotation",
            (Label(file, line.whole, "expected `row: ClassName`"),),
        )
    found.options.append(("row", name))
    return None


def _read_tenant(
    file: SourceFile, line: _Line, keyword: re.Match[str], found: Annotations
) -> Diagnostic | None:
    word, _, reason = keyword["rest"].strip().partition(" ")
    if word != "all" or not reason.strip():
        return Diagnostic(
            "E109",
            "malformed `tenant` annotation",
            (Label(file, line.whole, "expected `tenant: all why every tenant is meant`"),),
            hint="write the reason after `all`",
        )
    found.ignores.append(("tenant", reason.strip()))
    return None


def _read_plan(
    file: SourceFile, line: _Line, keyword: re.Match[str], found: Annotations
) -> Diagnostic | None:
    budget = keyword["rest"].strip()
    if _BUDGET.fullmatch(budget) is None:
        return Diagnostic(
            "E109",
            "malformed `plan` annotation",
            (Label(file, line.whole, "expected `plan: rows <= 1000, cost <= 500`"),),
            hint="state `rows`, `cost` or both as whole numbers",
        )
    found.ignores.append(("plan", budget))
    return None


def _read_notify(
    file: SourceFile, line: _Line, keyword: re.Match[str], found: Annotations
) -> Diagnostic | None:
    """Read a channel such as `notify: order_changed orders`."""
    rest = keyword["rest"].rstrip()
    match = _NOTIFY.fullmatch(rest)
    if match is None:
        return Diagnostic(
            "E150",
            "malformed `notify` annotation",
            (Label(file, line.whole, "expected `notify: channel Payload`"),),
            hint="the payload is a table, a view or `text`; or a class name, above a SELECT",
        )
    at = line.start + keyword.start("rest")
    span = Span(at + match.start("channel"), at + match.end("channel"))
    written = match["channel"]
    channel = written[1:-1].replace('""', '"') if written.startswith('"') else written
    if channel is written and channel != channel.lower():
        return Diagnostic(
            "E150",
            f"the channel `{channel}` has upper-case letters",
            (
                Label(
                    file,
                    span,
                    "LISTEN and NOTIFY use this name in lower case, but pg_notify does not",
                ),
            ),
            hint=f'write `"{channel}"` for exactly this name, or `{channel.lower()}`',
        )
    if (length := len(channel.encode())) > _LONGEST_CHANNEL:
        return Diagnostic(
            "E150",
            f"the name of the channel has {length} bytes, but PostgreSQL accepts at most "
            f"{_LONGEST_CHANNEL}",
            (Label(file, span),),
        )
    found.channels.append(
        Declared(channel, span, match["payload"], Span(at + match.start("payload"), at + len(rest)))
    )
    return None


def _read_ignore(
    file: SourceFile, line: _Line, keyword: re.Match[str], found: Annotations
) -> Diagnostic | None:
    match = _IGNORE.match(keyword["rest"].strip())
    if match is None or not match["reason"]:
        return Diagnostic(
            "E109",
            "malformed `ignore` annotation",
            (Label(file, line.whole, "expected `ignore: CODE why this is fine here`"),),
            hint="write the reason after the code",
        )
    found.ignores.append((match["code"], match["reason"]))
    return None
