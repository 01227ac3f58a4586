"""Produce every SQL text that a dynamic query can have.

The analyser prepares each text at compile time.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import accumulate, pairwise
from math import prod

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import OptionalPart, Variant
from aiosqlc.parse.dynamic import Part
from aiosqlc.parse.flags import unknown_names
from aiosqlc.parse.independent import independent_parts
from aiosqlc.parse.macros import ROWS, Expanded, Use, expand
from aiosqlc.parse.scanner import LEXES, Kind, Token
from aiosqlc.source import Dialect, SourceFile, Span

LIMIT = 256

# Words after which the next keyword starts another clause, so that a connective between is removed.
_NEXT_CLAUSE = frozenset(
    {
        "WHERE", "FROM", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR",
        "RETURNING", "UNION", "INTERSECT", "EXCEPT", "ON", "WHEN", ")", ";",
    }
)  # fmt: skip


def write_variants(
    file: SourceFile,
    span: Span,
    tokens: list[Token],
    uses: list[Use],
    parts: tuple[Part, ...],
    dialect: Dialect,
) -> tuple[Expanded, tuple[Variant, ...], tuple[OptionalPart, ...], list[Diagnostic]]:
    """Return a dynamic query's full text, every variant, and the optional parts."""
    body = [token for token in tokens if token.kind is not Kind.COMMENT]
    apart, gap = frozenset[int](), None
    if _count(parts) > LIMIT:
        apart, gap = independent_parts(body, uses, parts, LEXES[dialect].looser)
    problems = _check(file, uses, parts, apart)
    if problems:
        return Expanded(), (), (), problems
    opened = {one.start for one, after in pairwise(body) if one.text == "(" and after.text != ")"}
    directives = [d for d in _directive_comments(file, tokens, parts) if d.start < span.end]
    ends = {span.start: span.end for span in directives}
    numbers = {use.name: 0 for use in uses if use.name and use.macro not in ROWS}
    numbers = {name: position for position, name in enumerate(numbers, 1)}
    variants: list[Variant] = []
    full = Expanded()
    for key in _keys(parts, apart):
        cuts, replaced = _cuts(parts, key)
        away = _Regions(cuts)
        remaining = [token for token in body if not away.hold(token.span)]
        if gap:
            first = next((at for at, token in enumerate(remaining) if token.start >= gap.end), None)
            first = len(remaining) if first is None else first
            begins = bool(remaining[first:]) and remaining[first].start == gap.end
            remaining.insert(first, Token(Kind.NAME, "TRUE", gap.start, gap.start))
            replaced.append((gap, " TRUE\n  AND " if begins else " TRUE"))
        dangling, empty = _dangling(remaining, opened)
        if empty:
            return Expanded(), (), (), [_empty_set(file, parts)]
        gone_or_other = _Regions([*cuts, *(at for at, _ in replaced)])
        kept = [use for use in uses if not gone_or_other.hold(use.span)]
        present = sorted({numbers[use.name] for use in kept if use.macro not in ROWS})
        place = {number: position for position, number in enumerate(present, 1)}
        renumbered = {name: place[number] for name, number in numbers.items() if number in place}
        lines = [_whole_line(file.text, cut, ends) for cut in cuts]
        gone = _outermost([*((cut, "") for cut in (*lines, *directives)), *dangling])
        text = expand(file, span, kept, [*gone, *replaced], renumbered)
        if not variants:
            full = text
        variants.append(Variant(key, text.sql.rstrip(), tuple(present), text.source_map))
    return full, tuple(variants), _optional_parts(parts, variants, apart), []


def _keys(parts: tuple[Part, ...], apart: frozenset[int]) -> Iterator[tuple[int, ...]]:
    """Yield the `Variant.key` of each text to check.

    A text has all, none or exactly one of the independent conditions.
    """
    ranges = [
        (1,) if at in apart else range(len(part.choices)) if part.kind == "sort" else (1, 0)
        for at, part in enumerate(parts)
    ]
    alone = [{at} for at in sorted(apart)] if len(apart) > 1 else []
    for key in itertools.product(*ranges):
        for on in [set(apart), *([set[int]()] if apart else []), *alone]:
            yield tuple(int(at in on) if at in apart else one for at, one in enumerate(key))


def _count(parts: tuple[Part, ...], apart: frozenset[int] = frozenset()) -> int:
    """Return the number of SQL texts to check."""
    rest = [part for at, part in enumerate(parts) if at not in apart]
    some = len(apart) + 2 if len(apart) > 1 else len(apart) + 1
    return some * prod(len(part.choices) if part.kind == "sort" else 2 for part in rest)


def _optional_parts(
    parts: tuple[Part, ...], variants: list[Variant], apart: frozenset[int]
) -> tuple[OptionalPart, ...]:
    found = []
    for position, part in enumerate(parts):
        without = {
            number
            for variant in variants
            if part.kind == "sort" or not variant.key[position]
            for number in variant.numbers
        }
        only = tuple(number for number in variants[0].numbers if number not in without)
        alone = position in apart
        found.append(
            OptionalPart(part.kind, part.name, part.span, part.choices, only, part.also, alone)
        )
    return tuple(found)


def _check(
    file: SourceFile, uses: list[Use], parts: tuple[Part, ...], apart: frozenset[int]
) -> list[Diagnostic]:
    unnamed = next((use for use in uses if use.macro not in ROWS and not use.name), None)
    if unnamed:
        return [
            Diagnostic(
                "E132",
                "a dynamic query must use named parameters",
                (
                    Label(
                        file,
                        unnamed.span,
                        "the number of the parameter would differ between variants",
                    ),
                ),
                hint="write `sqlc.arg(name)`",
            )
        ]
    count = _count(parts, apart)
    if count > LIMIT:
        dependent = next((part for at, part in enumerate(parts) if at not in apart), parts[-1])
        return [
            Diagnostic(
                "E133",
                f"the optional parts need {count} SQL texts, but the limit is {LIMIT}",
                (
                    Label(
                        file,
                        dependent.span,
                        "the first optional part that doubles the number of SQL texts",
                    ),
                ),
                hint="join the condition by AND in the outermost WHERE, with parameters that only "
                "this part uses; or use one name for several parts",
            )
        ]
    return unknown_names(file, uses, parts)


def _cuts(
    parts: tuple[Part, ...], key: tuple[int, ...]
) -> tuple[list[Span], list[tuple[Span, str]]]:
    """Return the spans that the variant `key` removes, and the spans that get a chosen sort key."""
    cuts: list[Span] = []
    replaced: list[tuple[Span, str]] = []
    for part, choice in zip(parts, key, strict=True):
        if part.kind == "sort":
            replaced += [(region, part.choices[choice]) for region in part.regions]
        elif not choice:
            cuts += part.regions
    away = _Regions(cuts)
    return cuts, [(region, text) for region, text in replaced if not away.hold(region)]


class _Regions:
    """A set of spans, with a fast test whether another span is inside one of these spans."""

    def __init__(self, spans: Iterable[Span]) -> None:
        ordered = sorted(spans)
        self._starts = [span.start for span in ordered]
        self._reach = list(accumulate((span.end for span in ordered), max))

    def hold(self, span: Span) -> bool:
        """Return whether a span lies inside one of the regions."""
        before = bisect_right(self._starts, span.start)
        return before > 0 and span.end <= self._reach[before - 1]


def _blanks_before(text: str, at: int) -> int:
    """Return the offset at which the blanks before `at` start, on the same line."""
    while at and text[at - 1] in " \t":
        at -= 1
    return at


def _whole_line(text: str, cut: Span, ends: Mapping[int, int]) -> Span:
    """Extend the span of removed text to its whole line, if the line has no other text.

    `ends` maps the start of a directive to its end.
    """
    start = _blanks_before(text, cut.start)
    end = ends.get(cut.end, cut.end)
    alone = text[start - 1 : start] == "\n" and text[end : end + 1] in {"\n", ""}
    return Span(start - 1, end) if alone else cut


def _outermost(cuts: list[tuple[Span, str]]) -> list[tuple[Span, str]]:
    """Drop the spans that lie inside other spans."""
    kept = dict(cuts)
    inner: set[Span] = set()
    reach = -1
    for span in sorted(kept, key=lambda span: (span.start, -span.end)):
        if span.end <= reach:
            inner.add(span)
        reach = max(reach, span.end)
    return [(span, text) for span, text in kept.items() if span not in inner]


def _directive_comments(
    file: SourceFile, tokens: list[Token], parts: tuple[Part, ...]
) -> list[Span]:
    """Return the spans to remove: directive comments, with the blanks before each."""
    found = []
    spans = {part.span for part in parts}
    for token in tokens:
        is_directive = token.kind is Kind.COMMENT and (
            token.span in spans or token.text.removeprefix("--").lstrip().startswith(":")
        )
        if is_directive:
            found.append(Span(_blanks_before(file.text, token.start), token.end))
    return found


def _dangling(tokens: list[Token], opened: Collection[int]) -> tuple[list[tuple[Span, str]], bool]:
    """Return the AND, OR, WHERE and commas that lack an operand, and whether SET is empty.

    `opened` are the positions of parentheses that have content if every part is present. If all
    conditions in such parentheses are removed, the parentheses are removed too.
    """
    cuts: list[tuple[Span, str]] = []
    kept = list(tokens)
    position = 0
    while position < len(kept):
        word = kept[position].text.upper()
        following = kept[position + 1].text.upper() if position + 1 < len(kept) else ";"
        ends = following in _NEXT_CLAUSE
        if word == "SET" and ends:
            return [], True
        if word in {"WHERE", "HAVING", "(", "SET", "ON"} and following in {"AND", "OR", ","}:
            joint = kept.pop(position + 1)
            after = kept[position + 1].start if position + 1 < len(kept) else joint.end
            cuts.append((Span(kept[position].end, after), " "))
        elif (word in {"WHERE", "HAVING", "AND", "OR"} or word == ",") and ends:
            cuts.append((kept.pop(position).span, ""))
            position = max(position - 1, 0)
        elif word in _JOINTS and following in _JOINTS:  # AND binds more tightly than OR
            cuts.append((kept.pop(position + (word == "OR" and following == "AND")).span, ""))
        elif word == "(" and following == ")" and kept[position].start in opened:
            position = _drop_group(kept, position, cuts)
        else:
            position += 1
    return cuts, False


_JOINTS = frozenset({"AND", "OR"})
# Tokens after which parentheses enclose a condition.
_BEFORE_A_GROUP = frozenset({"WHERE", "HAVING", "AND", "OR", "NOT", "("})
_BEFORE_A_NEEDED_ONE = frozenset({"ON", "WHEN"})


def _drop_group(kept: list[Token], position: int, cuts: list[tuple[Span, str]]) -> int:
    """Remove an empty group of conditions, and return the position after the group."""
    before = kept[position - 1].text.upper() if position else ""
    whole = Span(kept[position].start, kept[position + 1].end)
    after = kept[position + 2].text.upper() if position + 2 < len(kept) else ";"
    if before in _BEFORE_A_NEEDED_ONE and after not in _JOINTS:
        cuts.append((whole, "TRUE"))
        return position + 2
    if before not in _BEFORE_A_GROUP | _BEFORE_A_NEEDED_ONE:
        return position + 2  # the arguments of a function, or a list
    del kept[position : position + 2]
    cuts.append((whole, ""))
    if before == "NOT":
        cuts.append((kept.pop(position - 1).span, ""))
        position -= 1
    return max(position - 1, 0)


def _empty_set(file: SourceFile, parts: tuple[Part, ...]) -> Diagnostic:
    part = next(part for part in parts if part.kind in {"set", "if"})
    return Diagnostic(
        "E135",
        "SET would be empty if every item is omitted",
        (Label(file, part.span, "one of the optional items"),),
        hint="add one item without a condition, such as `updated_at = now()`",
    )
