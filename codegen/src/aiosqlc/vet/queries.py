"""Rules about a single query, mostly based on its tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from msgspec import Struct

from aiosqlc.ir import Command, TypedQuery
from aiosqlc.parse.fragments import has_fragments
from aiosqlc.parse.scanner import LEXES, Kind, Token, scan, unquote
from aiosqlc.source import Dialect, ExpandedFile, Span
from aiosqlc.vet.values import foreign_values

Finding = tuple[str, Span]
"""A finding: the code of the violated rule, and the position in the query file."""


class Text(Struct, frozen=True, dict=True):
    """A query as written, with its tokens. Depths are numbers of open parentheses."""

    query: TypedQuery
    dialect: Dialect

    @cached_property
    def tokens(self) -> list[Token]:
        """Return the tokens without comments, with offsets in the file."""
        span, file = self.query.parsed.span, self.query.parsed.file
        if isinstance(file, ExpandedFile) and has_fragments(file.text[span.start : span.end]):
            return list(self._expanded)
        text = file.text[: span.end]
        found = scan(text, self.dialect, span.start)
        return [token for token in found if token.kind is not Kind.COMMENT]

    @property
    def _expanded(self) -> Iterator[Token]:
        """Yield the tokens of a query and of its fragments, with their offsets in the file."""
        parsed = self.query.parsed
        for token in scan(parsed.sql, self.dialect):
            if token.kind is not Kind.COMMENT:
                place = parsed.source_map.over(token.span)
                yield token._replace(start=place.start, end=place.end)

    @cached_property
    def words(self) -> list[str]:
        """Return the tokens in upper case, but quoted tokens unchanged."""
        return [
            token.text.upper() if token.kind is Kind.NAME else token.text for token in self.tokens
        ]

    @cached_property
    def depths(self) -> list[int]:
        """Return the number of open parentheses before each token."""
        depths, depth = [], 0
        for word in self.words:
            depth -= word == ")"
            depths.append(depth)
            depth += word == "("
        return depths

    def outer(self, word: str) -> list[int]:
        """Return the indexes of the tokens outside all parentheses that are the given word."""
        return [
            position
            for position, found in enumerate(self.words)
            if found == word and not self.depths[position]
        ]

    def span(self, first: int, last: int | None = None) -> Span:
        """Return the span in the file from the token `first` to the token `last`."""
        last = first if last is None else last
        return Span(self.tokens[first].start, self.tokens[last].end)


# The words that start a part of a statement in which `=` assigns or compares.
_CLAUSES = frozenset({"SET", "SELECT", "FROM", "WHERE", "ON", "HAVING", "WHEN", "RETURNING"})


def _null_comparison(text: Text) -> Iterator[Finding]:
    for position, word in enumerate(text.words[:-1]):
        if word not in {"=", "<>", "!="} or text.words[position + 1] != "NULL":
            continue
        if word != "=" or not _assigns(text, position):
            yield "V001", text.span(position, position + 1)


def _assigns(text: Text, position: int) -> bool:
    """Return whether a `=` is an assignment after SET or after ON DUPLICATE KEY UPDATE.

    The word FROM in IS DISTINCT FROM does not start a clause.
    """
    for before in range(position - 1, -1, -1):
        if text.depths[before] < text.depths[position]:
            return False
        if text.depths[before] > text.depths[position]:
            continue
        pair = (text.words[before - 1] if before else "", text.words[before])
        if pair == ("KEY", "UPDATE"):
            return True
        if pair[1] in _CLAUSES and pair != ("DISTINCT", "FROM"):
            return pair[1] == "SET"
    return False


def _no_where(text: Text) -> Iterator[Finding]:
    if text.outer("MERGE"):  # the condition of MERGE is ON
        return
    for word in ("UPDATE", "DELETE"):
        for position in text.outer(word):
            before = text.words[position - 1] if position else ""
            if before in {"FOR", "DO", "ON", "KEY"} or text.outer("WHERE"):
                continue
            yield "V002", text.span(position)


def _not_in_subquery(text: Text) -> Iterator[Finding]:
    for position in range(len(text.words) - 3):
        if text.words[position : position + 4] == ["NOT", "IN", "(", "SELECT"]:
            yield "V003", text.span(position, position + 3)


def _limit_without_order(text: Text) -> Iterator[Finding]:
    if text.outer("ORDER"):
        return
    first_one = text.query.cardinality.at_most_one and not text.outer("OFFSET")
    for position in [] if first_one else [*text.outer("LIMIT"), *text.outer("OFFSET")][:1]:
        yield "V004", text.span(position)


def _leading_wildcard(text: Text) -> Iterator[Finding]:
    for position, word in enumerate(text.words[:-1]):
        pattern = text.words[position + 1]
        if word in {"LIKE", "ILIKE"} and pattern.startswith(("'%", "'_")):
            yield "V005", text.span(position, position + 1)


_AFTER_FROM = frozenset({"WHERE", "GROUP", "ORDER", "LIMIT", "HAVING", "WINDOW", "UNION", "FOR"})


def _comma_join(text: Text) -> Iterator[Finding]:
    if text.outer("WHERE"):
        return
    for start in text.outer("FROM"):
        for position in range(start + 1, len(text.words)):
            if text.depths[position]:
                continue
            if text.words[position] in _AFTER_FROM:
                break
            lateral = text.words[position + 1 : position + 2] == ["LATERAL"]
            function = text.words[position + 2 : position + 3] == ["("]
            if text.words[position] == "," and not lateral and not function:
                yield "V006", text.span(position)
                break


def _unordered_lock(text: Text) -> Iterator[Finding]:
    if text.query.cardinality.at_most_one or text.outer("ORDER"):
        return
    for position in text.outer("FOR"):
        following = text.words[position + 1 : position + 2]
        if following == ["UPDATE"] and "SKIP" not in text.words:
            yield "V007", text.span(position, position + 1)


_VOLATILE = frozenset({"RANDOM", "CLOCK_TIMESTAMP", "GEN_RANDOM_UUID", "UUIDV7", "NEXTVAL", "RAND"})


def _volatile_condition(text: Text) -> Iterator[Finding]:
    for where in text.outer("WHERE"):
        for position in range(where + 1, len(text.words) - 1):
            if text.words[position] in {"GROUP", "ORDER", "RETURNING"}:
                break
            if text.words[position] in _VOLATILE and text.words[position + 1] == "(":
                yield "V008", text.span(position)


_COMPARISONS = frozenset({"=", "<", ">", "<=", ">=", "<>", "!=", "LIKE", "ILIKE"})


def _optional_comparison(text: Text) -> Iterator[Finding]:
    optional = {name for part in text.query.parsed.dynamic for name in (part.name, *part.also)}
    sets, where = text.outer("SET"), text.outer("WHERE")
    for param in text.query.parsed.params:
        if not param.nullable or param.name in optional or len(param.spans) > 1:
            continue  # used twice, where the other use is the guard
        for position, token in enumerate(text.tokens):
            if token.start != param.spans[0].start or not position:
                continue
            assigned = sets and position > sets[0] and (not where or position < where[0])
            if text.words[position - 1] in _COMPARISONS and not assigned:
                yield "V009", param.spans[0]


def _unused_cte(text: Text) -> Iterator[Finding]:
    if text.words[:1] != ["WITH"]:
        return
    names = [unquote(token).lower() for token in text.tokens]
    for position in range(1, len(text.words) - 2):
        defines = text.words[position + 1] == "AS" and text.words[position + 2] in {
            "(",
            "MATERIALIZED",
        }
        starts = text.words[position - 1] in {"WITH", "RECURSIVE", ","}
        if not defines or not starts or text.depths[position]:
            continue
        body = text.words[position + 3 : position + 4]
        writes = bool(body) and body[0] in {"INSERT", "UPDATE", "DELETE", "MERGE"}
        if names.count(names[position]) == 1 and not writes:
            yield "V011", text.span(position)


def _rows_thrown_away(text: Text) -> Iterator[Finding]:
    thrown = text.query.parsed.command in {Command.EXEC, Command.BATCHEXEC} and text.words[:1] == [
        "SELECT"
    ]
    # A function's effect or a lock may be the query's purpose.
    if thrown and "(" not in text.words and not text.outer("FOR"):
        yield "V016", text.span(0)


def _written_one_by_one(text: Text) -> Iterator[Finding]:
    batch = text.query.parsed.command in {Command.BATCHONE, Command.BATCHMANY}
    if batch and text.query.writes:
        yield "V017", text.span(0)


def _foreign_value(text: Text) -> Iterator[Finding]:
    if LEXES[text.dialect].has_infinity and text.query.writes:
        for span in foreign_values(text.tokens):
            yield "V024", span


QUERY_RULES: tuple[Callable[[Text], Iterator[Finding]], ...] = (
    _null_comparison,
    _no_where,
    _not_in_subquery,
    _limit_without_order,
    _leading_wildcard,
    _comma_join,
    _unordered_lock,
    _volatile_condition,
    _optional_comparison,
    _unused_cte,
    _rows_thrown_away,
    _written_one_by_one,
    _foreign_value,
)


def same_text(query: TypedQuery) -> tuple[Command, str, frozenset[str]]:
    """Return a value; if it is equal for two queries, one of the queries is redundant.

    The value includes the variants, because the query's own SQL always has all optional parts.
    """
    variants = frozenset(" ".join(variant.sql.split()) for variant in query.parsed.variants)
    return query.parsed.command, " ".join(query.sql.split()), variants
