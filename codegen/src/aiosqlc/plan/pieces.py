"""Split the SQL texts of a dynamic query so that its module contains each line only once."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from aiosqlc.plan.conditions import option_condition
from aiosqlc.plan.model import PyPiece

Key = tuple[bool | str, ...]

_SLOT = re.compile("\0(\\d+)\0")
_NUMBER = re.compile(r"\$(\d+)")


def pieces_of(texts: Mapping[Key, str], names: Sequence[str]) -> tuple[PyPiece, ...]:
    """Split a dynamic query's texts into pieces that produce exactly the texts, or return ().

    `texts` maps each combination of choices to its text. A choice that is a string is inserted in
    the text, or decides which lines the text has. `names` are the names of the choices in
    conditions.
    """
    if any("\0" in text for text in texts.values()):
        return ()
    variants, options = _variants(texts)
    runs = _runs(_merged(variants))
    for key, text in texts.items():
        chosen = tuple(key[at] for at in options)
        parts = (part for keys, part in runs if chosen in keys)
        if _filled("".join(parts), key) != _ended(text):
            return ()
    known = [names[at] for at in options]
    every = frozenset(variants)
    return tuple(PyPiece(_parts(text), option_condition(keys, every, known)) for keys, text in runs)


def independent_pieces_of(
    texts: Mapping[Key, str], names: Sequence[str], independent: Sequence[int]
) -> tuple[PyPiece, ...]:
    """Split SQL texts that cover only some combinations of options, or return () if impossible.

    The options in `independent` are switches that add lines regardless of other options. All
    combinations of the remaining options are in `texts`.
    """
    if any("\0" in text for text in texts.values()):
        return ()
    variants, options = _variants(texts)
    alone = [place for place, at in enumerate(options) if at in independent]
    rest = [place for place, at in enumerate(options) if at not in independent]
    pieces: list[tuple[str, str]] = []
    for keys, text in _runs(_merged(variants)):
        found = _condition(keys, frozenset(variants), alone, rest, [names[at] for at in options])
        if found is None:
            return ()
        pieces.append((text, found))
    return tuple(PyPiece(_parts(text), found) for text, found in pieces)


def _variants(texts: Mapping[Key, str]) -> tuple[dict[Key, list[str]], list[int]]:
    """Return the lines of each SQL text, and the positions of the options that select lines.

    The key of a text has only these options. If a sort order only inserts a name, a placeholder
    replaces the name.
    In a paged query, the sort order also decides which condition compares with the cursor.
    """
    lines = {key: _ended(text)[:-1].split("\n") for key, text in texts.items()}
    options: list[int] = []
    for position, choice in enumerate(next(iter(texts))):
        slotted = _with_slot(lines, position) if isinstance(choice, str) else None
        if slotted is None:
            options.append(position)
        else:
            lines = slotted
    return {tuple(key[at] for at in options): found for key, found in lines.items()}, options


def _condition(
    keys: frozenset[Key],
    every: frozenset[Key],
    alone: Sequence[int],
    rest: Sequence[int],
    names: Sequence[str],
) -> str | None:
    """Return the condition for lines that exactly the SQL texts `keys` have, or None."""
    for at in alone:
        if keys == {key for key in every if key[at]}:
            return names[at]
    chosen = frozenset(tuple(key[at] for at in rest) for key in keys)
    if keys != {key for key in every if tuple(key[at] for at in rest) in chosen}:
        return None
    possible = frozenset(tuple(key[at] for at in rest) for key in every)
    return option_condition(chosen, possible, [names[at] for at in rest])


def numbered(text: str) -> str:
    """Renumber an SQL text's parameters without gaps, as the generated function `numbered` does."""
    present = sorted({int(number) for number in _NUMBER.findall(text)})
    return _NUMBER.sub(lambda found: f"${present.index(int(found[1])) + 1}", text)


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def _filled(text: str, key: Key) -> str:
    return _SLOT.sub(lambda slot: str(key[int(slot[1])]), text)


def _with_slot(lines: Mapping[Key, list[str]], position: int) -> dict[Key, list[str]] | None:
    """Replace the sort order at `position` by a placeholder, in each line that contains it."""
    groups: dict[Key, dict[str, list[str]]] = {}
    for key, text in lines.items():
        rest = (*key[:position], "", *key[position + 1 :])
        groups.setdefault(rest, {})[str(key[position])] = text
    found: dict[Key, list[str]] = {}
    for rest, by_choice in groups.items():
        if len({len(text) for text in by_choice.values()}) > 1:
            return None
        together: list[str] = []
        for same_line in zip(*by_choice.values(), strict=True):
            line = _one_line(dict(zip(by_choice, same_line, strict=True)), position)
            if line is None:
                return None
            together.append(line)
        found[rest] = together
    return found


def _one_line(by_choice: dict[str, str], position: int) -> str | None:
    """Merge versions of a line that differ only in the sort order; a placeholder replaces it."""
    if len(set(by_choice.values())) == 1:
        return next(iter(by_choice.values()))
    choice, line = next(iter(by_choice.items()))
    for at in (found.start() for found in re.finditer(f"(?={re.escape(choice)})", line)):
        before, after = line[:at], line[at + len(choice) :]
        if all(other == before + name + after for name, other in by_choice.items()):
            return f"{before}\0{position}\0{after}"
    return None


def _merged(variants: Mapping[Key, list[str]]) -> list[tuple[str, set[Key]]]:
    """Return all variants' lines in one order, each with the keys of the variants that have it."""
    merged: list[tuple[str, set[Key]]] = []
    for key, lines in variants.items():
        matcher = SequenceMatcher(None, [line for line, _ in merged], lines, autojunk=False)
        result: list[tuple[str, set[Key]]] = []
        for what, start, end, own_start, own_end in matcher.get_opcodes():
            known = merged[start:end]
            if what == "equal":
                for _, keys in known:
                    keys.add(key)
            result += known
            if what != "equal":
                result += [(line, {key}) for line in lines[own_start:own_end]]
        merged = result
    return merged


def _runs(merged: list[tuple[str, set[Key]]]) -> list[tuple[frozenset[Key], str]]:
    """Group consecutive lines of a dynamic query that appear in the same variants."""
    return [
        (keys, "".join(f"{line}\n" for line, _ in run))
        for keys, run in itertools.groupby(merged, key=lambda item: frozenset(item[1]))
    ]


def _parts(text: str) -> tuple[str | int, ...]:
    """Split an SQL text at the placeholders for sort orders."""
    cut = _SLOT.split(text)
    parts: list[str | int] = [int(part) if odd % 2 else part for odd, part in enumerate(cut)]
    return tuple(part for part in parts if part != "")
