"""Prints the texts of a dynamic query: each line once, and how every text is made of them."""

from __future__ import annotations

from collections.abc import Sequence

from aiosqlc.emit.literal import block_literal, line_literal, text_literal
from aiosqlc.plan.model import PyChoice, PyPiece

NUMBERING = '''\
"""Numbers the parameters of texts that are put together of pieces."""

import re

_PARAMETER = re.compile(r"\\$(\\d+)")


def numbered(*pieces: str) -> str:
    """Join the pieces of a text; its parameters count from one without gaps."""
    text = "".join(pieces)
    present = sorted({int(number) for number in _PARAMETER.findall(text)})
    return _PARAMETER.sub(lambda found: f"${present.index(int(found[1])) + 1}", text)
'''


def texts_by_choice(choice: PyChoice) -> str:
    """Return the expression of all texts by key."""
    if not choice.pieces:
        entries = [
            f"    {_tuple([*map(_value, key)])}: {text_literal(text)},"
            for key, text in choice.texts
        ]
        return "\n".join(["{", *entries, "}"])
    loops = [
        f"    for {name} in ({', '.join(_value(value) for value in values)})"
        for name, values in zip(choice.names, _choices(choice), strict=True)
    ]
    return "\n".join(["{", f"    {_tuple(choice.names)}: {_text(choice)}", *loops, "}"])


def _choices(choice: PyChoice) -> list[list[bool | str]]:
    """Return the values of each place of the key, in order."""
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
        # Braces that are no slot of ours are doubled.
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


def _value(value: bool | str) -> str:
    return line_literal(value) if isinstance(value, str) else str(value)
