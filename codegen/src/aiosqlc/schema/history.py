"""Record the objects that migrations created, renamed and dropped, with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import SchemaFile
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.parse.scanner import Kind, Token, scan, unquote
from aiosqlc.source import Dialect, Span


class Past(NamedTuple):
    """A renamed or dropped object. `now` is the current name, or empty for a dropped object."""

    name: str
    now: str
    label: Label

    @property
    def advice(self) -> str:
        """Return a sentence that says which file renamed or dropped the object."""
        file = self.label.file.path.as_posix()
        if self.now:
            return f"{file} renames `{self.name}` to `{self.now}`"
        return f"{file} drops `{self.name}`"


class History(Struct):
    """Former names of relations and columns, and the statements that create each object."""

    relations: dict[str, Past] = field(default_factory=dict)
    columns: dict[tuple[str, str], Past] = field(default_factory=dict)
    made: dict[str, Label] = field(default_factory=dict)
    added: dict[tuple[str, str], Label] = field(default_factory=dict)

    def relation(self, name: str) -> Past | None:
        """Return the rename or drop of a table, view or type that no longer exists, or None."""
        return self._today(self.relations.get(name.lower()), self.relations)

    def column(self, name: str, words: frozenset[str]) -> Past | None:
        """Return the rename or drop of the column `name` of one of the tables `words`, or None."""
        for (table, column), past in self.columns.items():
            if column == name.lower() and table in words:
                return past
        return None

    def _today(self, past: Past | None, later: dict[str, Past]) -> Past | None:
        """Follow repeated renames of an object to its current name."""
        for _ in range(len(later)):
            after = later.get(past.now.lower()) if past and past.now else None
            if past is None or after is None or after is past:
                break
            past = past._replace(now=after.now, label=after.label)
        return past


def history_of(files: Sequence[SchemaFile], dialect: Dialect) -> History:
    """Record the objects that a schema's statements create, rename and drop, in order."""
    history = History()
    for file in files:
        for span in file.statements:
            tokens = [
                token
                for token in scan(file.sql[: span.end], dialect, start=span.start)
                if token.kind is not Kind.COMMENT
            ]
            if tokens:
                _read(history, _Statement(file, tokens))
    return history


def names_in(sql: str, dialect: Dialect) -> frozenset[str]:
    """Return every identifier and keyword of an SQL text, without quotes and in lower case."""
    tokens = (token for token in scan(sql, dialect) if token.kind in {Kind.NAME, Kind.QUOTED})
    return frozenset(unquote(token).lower() for token in tokens)


def with_past(problem: Diagnostic, past: Past | None) -> Diagnostic:
    """Extend the error for a missing name by the statement that renamed or dropped the object."""
    if past is None:
        return problem
    return replace(problem, hint=past.advice, labels=(*problem.labels, past.label))


def with_order(
    problem: Diagnostic,
    files: Sequence[SchemaFile],
    dialect: Dialect,
    *,
    relation: str = "",
    column: str = "",
    words: frozenset[str] = frozenset(),
) -> Diagnostic:
    """Extend the error for a missing name by the later CREATE or earlier DROP of the object.

    The missing name is a relation's name, or the name of a column of a table in `words`.
    """
    here = next((i for i, f in enumerate(files) if f.file is problem.labels[0].file), len(files))
    earlier, later = history_of(files[: here + 1], dialect), history_of(files[here:], dialect)
    if relation:
        past, made = earlier.relation(relation), later.made.get(relation.lower())
    else:
        past = earlier.column(column, words)
        pairs = ((name, label) for (table, name), label in later.added.items() if table in words)
        made = next((label for name, label in pairs if name == column.lower()), None)
    at = problem.labels[0]
    if past and (past.label.file is not at.file or past.label.span.start < at.span.start):
        return with_past(problem, past)
    if made is None and relation and not problem.hint:
        return replace(problem, hint=did_you_mean(relation, earlier.made))
    if made is None:
        return problem
    behind = "this statement" if made.file is at.file else "this file"
    hint = f"{made.file.path.as_posix()} creates `{relation or column}`, but runs after {behind}"
    return replace(problem, hint=f"{hint}: create it first", labels=(*problem.labels, made))


class _Statement(Struct, frozen=True):
    file: SchemaFile
    tokens: Sequence[Token]

    def word(self, at: int) -> str:
        return self.tokens[at].text.upper() if 0 <= at < len(self.tokens) else ""

    def past_words(self, at: int, *words: str) -> int:
        """Skip any of the given words from position `at` on, and return the next position."""
        while self.word(at) in words:
            at += 1
        return at

    def name(self, at: int) -> tuple[str, int]:
        """Return the last part of a name, in lower case unless quoted, and its end position."""
        while self.word(at + 1) == ".":
            at += 2
        if at >= len(self.tokens) or self.tokens[at].kind not in {Kind.NAME, Kind.QUOTED}:
            return "", at + 1
        return unquote(self.tokens[at]), at + 1

    def label(self, at: int, text: str) -> Label:
        last = min(max(at - 1, 0), len(self.tokens) - 1)
        return Label(self.file.file, Span(self.tokens[last].start, self.tokens[last].end), text)


_KINDS = frozenset({"TABLE", "VIEW", "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE", "SEQUENCE"})
_BEFORE_A_KIND = ("OR", "REPLACE", "TEMP", "TEMPORARY", "UNLOGGED", "MATERIALIZED", "RECURSIVE")
_OF_NO_COLUMN = frozenset(
    {"CONSTRAINT", "INDEX", "KEY", "PRIMARY", "FOREIGN", "CHECK", "PARTITION", "UNIQUE"}
    | {"FULLTEXT", "SPATIAL", "PERIOD", "SYSTEM"}
)


def _read(history: History, one: _Statement) -> None:
    verb = one.word(0)
    at = one.past_words(1, *_BEFORE_A_KIND)
    kind = one.word(at)
    if verb == "RENAME" and kind == "TABLE":
        _rename_tables(history, one, at + 1)
    elif kind not in _KINDS:
        return
    elif verb == "CREATE":
        name, behind = one.name(one.past_words(at + 1, "IF", "NOT", "EXISTS"))
        history.relations.pop(name.lower(), None)
        history.made.setdefault(name.lower(), one.label(behind, "made here"))
    elif verb == "DROP":
        at = one.past_words(at + 1, "IF", "EXISTS")
        while True:
            name, at = one.name(at)
            if name:
                history.relations[name.lower()] = Past(name, "", one.label(at, "dropped here"))
            if one.word(at) != ",":
                break
            at += 1
    elif verb == "ALTER":
        table, at = one.name(one.past_words(at + 1, "IF", "EXISTS", "ONLY"))
        for action in _actions(one, at):
            _alter(history, one, table, action)


def _rename_tables(history: History, one: _Statement, at: int) -> None:
    while at < len(one.tokens):
        old, at = one.name(at)
        new, at = one.name(one.past_words(at, "TO"))
        if old and new:
            history.relations[old.lower()] = Past(old, new, one.label(at, "renamed here"))
        at = one.past_words(at, ",")


def _actions(one: _Statement, at: int) -> Iterator[int]:
    """Yield the position of each action in an ALTER statement."""
    depth = 0
    yield at
    for position in range(at, len(one.tokens)):
        depth += {"(": 1, ")": -1}.get(one.word(position), 0)
        if not depth and one.word(position) == ",":
            yield position + 1


def _alter(history: History, one: _Statement, table: str, at: int) -> None:
    verb, following = one.word(at), one.word(at + 1)
    columns, lowered = history.columns, table.lower()
    if verb == "RENAME" and following in {"TO", "AS"}:
        new, behind = one.name(at + 2)
        history.relations[lowered] = Past(table, new, one.label(behind, "renamed here"))
        for (of, column), past in list(columns.items()):
            if of == lowered:
                columns[new.lower(), column] = past
    elif following in _OF_NO_COLUMN:
        return
    elif verb in {"RENAME", "CHANGE"}:
        old, behind = one.name(one.past_words(at + 1, "COLUMN", "IF", "EXISTS"))
        new, behind = one.name(one.past_words(behind, "TO"))
        if old and new and old.lower() != new.lower():
            columns[lowered, old.lower()] = Past(old, new, one.label(behind, "renamed here"))
    elif verb == "DROP":
        name, behind = one.name(one.past_words(at + 1, "COLUMN", "IF", "EXISTS"))
        if name:
            columns[lowered, name.lower()] = Past(name, "", one.label(behind, "dropped here"))
    elif verb == "ADD":
        name, behind = one.name(one.past_words(at + 1, "COLUMN", "IF", "NOT", "EXISTS"))
        columns.pop((lowered, name.lower()), None)
        if name:
            history.added.setdefault((lowered, name.lower()), one.label(behind, "made here"))
