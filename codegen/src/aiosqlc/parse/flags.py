"""Distinguish the flag in `-- :if name` from a parameter whose name is misspelled."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.messages.suggest import nearest
from aiosqlc.parse.dynamic import Part
from aiosqlc.parse.macros import ROWS, Use
from aiosqlc.source import SourceFile, Span

_ALIKE = 0.75  # the similarity of `nmae` and `name`
_NO_VALUES = frozenset({"table", *ROWS})


def unknown_names(file: SourceFile, uses: Iterable[Use], parts: Iterable[Part]) -> list[Diagnostic]:
    """Report names in `:set` and `:if` that are neither parameters nor flags."""
    given = [use for use in uses if use.name and use.macro not in _NO_VALUES]
    known = list(dict.fromkeys(use.name for use in given))
    found: list[Diagnostic] = []
    for part in parts:
        if part.kind == "set" and part.name not in known:
            meant = nearest(part.name, known)
            found.append(_unknown(file, part, part.name, meant, "cannot be UNSET"))
        elif part.kind == "if":
            found += _of_condition(file, part, given, known)
    return found


def _of_condition(
    file: SourceFile, part: Part, given: list[Use], known: list[str]
) -> Iterator[Diagnostic]:
    names = (part.name, *part.also)
    strange = [name for name in names if name not in known]
    inside = dict.fromkeys(use.name for use in given if _within(use.span, part.regions))
    own = [
        name
        for name in inside
        if all(_within(use.span, part.regions) for use in given if use.name == name)
    ]
    for name in strange:
        meant = next((word for word in known if _misspelt(name, word)), None)
        if meant:
            yield _unknown(
                file,
                part,
                name,
                meant,
                "this name is too similar to a parameter to be a flag",
            )
        elif own and len(strange) == len(names):
            meant = nearest(name, own) or own[0]
            yield _unknown(
                file, part, name, meant, f"`{own[0]}` is ignored in calls without this flag"
            )


def _within(span: Span, regions: tuple[Span, ...]) -> bool:
    return any(region.start <= span.start and span.end <= region.end for region in regions)


def _misspelt(name: str, word: str) -> bool:
    """Return whether a name is a misspelling of another word."""
    if abs(len(name) - len(word)) > 1:
        return False
    return difflib.SequenceMatcher(None, name.lower(), word.lower()).ratio() >= _ALIKE


def _unknown(file: SourceFile, part: Part, name: str, meant: str | None, label: str) -> Diagnostic:
    at = re.search(rf"\b{re.escape(name)}\b", file.text[part.span.start : part.span.end])
    start = part.span.start + at.start() if at else part.span.start
    span = Span(start, start + len(name)) if at else part.span
    hint = f"did you mean `{meant}`?" if meant else ""
    if part.kind == "if":
        hint += " A flag cannot control a line with a parameter that no other line uses"
    message = f"`{name}` is not a parameter of this query"
    return Diagnostic("E134", message, (Label(file, span, label),), hint)
