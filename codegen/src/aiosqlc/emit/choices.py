"""Render a dynamic query's SQL texts: each distinct line once, and code that joins the lines."""

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

TEXTS = '''
"""Number the parameters of SQL texts, and assemble texts when they are first used."""

import re
from collections.abc import Callable

_MOST = 4096  # texts that one query keeps

_PARAMETER = re.compile(r"\\$(\\d+)")


def numbered(*pieces: str) -> str:
    """Join the pieces of an SQL text and renumber its parameters from 1 without gaps."""
    text = "".join(pieces)
    present = sorted({int(number) for number in _PARAMETER.findall(text)})
    return _PARAMETER.sub(lambda found: f"${present.index(int(found[1])) + 1}", text)


class Texts(dict[tuple[bool | str, ...], str]):
    """The SQL texts of a query by the options of a call; a text is assembled at its first use."""

    def __init__(self, build: Callable[..., str]) -> None:
        super().__init__()
        self._build = build
        self._listeners: list[Callable[[str], object]] = []

    def __missing__(self, key: tuple[bool | str, ...]) -> str:
        """Assemble a text. Raises KeyError for an unknown sort order."""
        text = self._build(*key)
        if len(self) < _MOST:
            self[key] = text
            for listener in self._listeners:
                listener(text)
        return text

    def announce(self, listener: Callable[[str], object]) -> None:
        """Call a function with each text that is assembled, and with those that already are."""
        self._listeners.append(listener)
        for text in self.values():
            listener(text)
'''.lstrip()


def numbering(*, built: bool) -> str:
    """Return the source of the module `numbering`.

    `built` means that some functions assemble their SQL text at run time.
    """
    return TEXTS if built else NUMBERING


def built_texts(constant: str, choice: PyChoice) -> str:
    """Return the source of the constant and the function that assemble a query's SQL text."""
    name = f"_{constant.lower()}"
    params: list[str] = []
    lines: list[str] = []
    for option, known in zip(choice.names, choice.labels, strict=True):
        params.append(f"{option}: {'str' if known else 'bool'}")
        if known:  # an unknown order is a KeyError
            items = ", ".join(f"{line_literal(v)}: {line_literal(k)}" for k, v in known)
            lines.append(f"    {option} = {{{items}}}[{option}]")
    return "\n".join(
        [
            f"def {name}({', '.join(params)}) -> str:",
            *lines,
            f"    return {_text(choice)}",
            "",
            "",
            f"{constant}: Final = Texts({name})",
        ]
    )


def texts_by_choice(choice: PyChoice) -> str:
    """Return a dictionary expression that maps each combination of option values to an SQL text."""
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
    """Return the possible values of each option of the query, in the order of the options."""
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
    """Return the Python literal that callers pass as an option's value."""
    return _value(labels.get(value, value) if isinstance(value, str) else value)


def _value(value: bool | str) -> str:
    return line_literal(value) if isinstance(value, str) else str(value)
