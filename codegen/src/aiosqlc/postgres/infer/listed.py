"""Find each `*` in select lists and RETURNING lists from the tokens alone."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aiosqlc.parse.scanner import Kind, code_tokens

_BEGIN = frozenset({"SELECT", "RETURNING"})
# Reserved words that are not operands, so that an asterisk before one is not a multiplication.
_END = frozenset({
    "FROM", "INTO", "WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ORDER",
    "LIMIT", "OFFSET", "FETCH", "FOR",
})  # fmt: skip
_NAMING = frozenset({".", "AS"})  # the next token is a name, even if it is a reserved word
_BEFORE = frozenset({*_BEGIN, "DISTINCT", "ALL", ",", ")", "."})
_AFTER = frozenset({*_END, ",", ")", ";"})


class _Level(Struct):
    """The scanner's state inside one pair of parentheses.

    `item` is the position where the current item of the select list starts. `prefixed` means that
    `DISTINCT ON (…)` or `RETURNING WITH (…)` has started, and that the first item follows it.
    """

    item: int | None = None
    prefixed: bool = False


def listed_stars(sql: str) -> Iterator[tuple[int, int]]:
    """Yield the span of each list item with a star: `*`, `a.*` or `(composite).*`."""
    tokens = code_tokens(sql)
    words = ['"' if token.kind is Kind.QUOTED else token.text.upper() for token in tokens]
    levels = [_Level()]
    for at, (before, word) in enumerate(zip([";", *words], words, strict=False)):
        level = levels[-1]
        if word == "(":
            levels.append(_Level())
        elif word == ")" and len(levels) > 1:
            levels.pop()
            if levels[-1].prefixed:
                levels[-1] = _Level(at + 1)
        elif word in _BEGIN and before not in _NAMING:
            level.item = at + 1
        elif word in _END and before not in {*_NAMING, "DISTINCT"}:  # a IS DISTINCT FROM b
            level.item = None
        elif level.item is None:
            continue
        elif word == "," or (word in {"DISTINCT", "ALL"} and at == level.item):
            level.item = at + 1
        elif (before, word) in {("DISTINCT", "ON"), ("RETURNING", "WITH")}:
            level.prefixed = True
        elif word == "*" and before in _BEFORE and (*words, ";")[at + 1] in _AFTER:
            yield tokens[level.item].start, tokens[at].end
