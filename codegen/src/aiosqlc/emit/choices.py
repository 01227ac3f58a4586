"""Render the texts of a dynamic query: each line once, and the code that joins the lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiosqlc.emit.literal import block_literal, line_literal, text_literal
from aiosqlc.plan.model import PyChoice, PyPiece

NUMBERING = '''\
"""Number the parameters of an SQL text that is assembled from pieces."""

import re

_PARAMETER = re.compile(r"\\$(\\d+)")


def numbered(*pieces: str) -> str:
    """Join the pieces of an SQL text and renumber its parameters from 1 without gaps."""
    text = "".join(pieces)
    present = sorted({int(number) for number in _PARAMETER.findall(text)})
    return _PARAMETER.sub(lambda found: f"${present.index(int(found[1])) + 1}", text)
'''


def texts_by_choice(choice: PyChoice) -> str:
    """Return a dictionary expression that maps each choice of options to the query's text."""
    labels = [dict(items) for items in choice.labels] or [{} for _ in choice.names]
    if not choice.pieces:
        entries = [
            f"    {_tuple([*map(_label, key, labels)])}: {text_literal(text)},"
            for key, text in choice.texts
        ]
        return "\n".join(["{", *entries, "}"])
    names: list[str] = []
    loops: list[str] = []
    for name, values, known in zip(choice.names, _choices(choice), labels, strict=True):
        called = [_label(value, known) for value in values]
        items = [_value(value) for value in values]
        label = name
        if called != items:
            items = [f"({', '.join(pair)})" for pair in zip(called, items, strict=True)]
            while label in {*choice.names, *names}:
                label += "_name"
        names.append(label)
        loops.append(f"    for {', '.join(dict.fromkeys((label, name)))} in ({', '.join(items)})")
    return "\n".join(["{", f"    {_tuple(names)}: {_text(choice)}", *loops, "}"])


def _choices(choice: PyChoice) -> list[list[bool | str]]:
    """Return the possible values of each option of the query, in order."""
    keys = [key for key, _ in choice.texts]
    return [list(dict.fromkeys(values)) for values in zip(*keys, strict=True)]


def _text(choice: PyChoice) -> str:
    pieces = [_piece(piece, choice.names) for piece in choice.pieces]
    if choice.numbered:
        return f"numbered({', '.join(pieces)})"
    if len(pieces) == 1 and not choice.pieces[0].condition:
        return pieces[0]
    return f'"".join(({", ".join(pieces)},))'


def _piece(piece: PyPiece, names: Sequence[str]) -> str:
    if all(isinstance(part, str) for part in piece.parts):
        literal = block_literal("".join(map(str, piece.parts)))
    else:
        # Braces that are not slots are doubled.
        text = "".join(
            f"{{{names[part]}}}" if isinstance(part, int) else _doubled(part)
            for part in piece.parts
        )
        literal = f"f{block_literal(text)}"
    return f'{literal} if {piece.condition} else ""' if piece.condition else literal


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _tuple(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"({', '.join(items)})"


def _label(value: bool | str, labels: Mapping[str, str]) -> str:
    """Return an option's value as callers write the value."""
    return _value(labels.get(value, value) if isinstance(value, str) else value)


def _value(value: bool | str) -> str:
    return line_literal(value) if isinstance(value, str) else str(value)
