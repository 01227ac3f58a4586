"""Find the function call or macro call at the cursor."""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.lsp.known import Entry
from aiosqlc.lsp.text import block_at
from aiosqlc.lsp.words import MACROS
from aiosqlc.parse.scanner import Kind, unquote
from aiosqlc.source import SourceFile

_MACROS = {
    "sqlc.arg": "sqlc.arg(name)",
    "sqlc.narg": "sqlc.narg(name)",
    "sqlc.slice": "sqlc.slice(name)",
    "sqlc.embed": "sqlc.embed(table)",
    "sqlc.nest": "sqlc.nest(table)",
}


class Call(Struct, frozen=True):
    """A call at the cursor: the function's name, and the number of commas before the cursor."""

    name: str
    argument: int


def call_at(file: SourceFile, entry: Entry, at: int) -> Call | None:
    """Return the innermost call that contains an offset."""
    tokens = [token for token in block_at(file, entry.dialect, at).tokens if token.start < at]
    depth = commas = 0
    for position in range(len(tokens) - 1, 0, -1):
        text = tokens[position].text
        if text == ")":
            depth += 1
        elif text == "(" and depth:
            depth -= 1
        elif text == "(":
            before = tokens[position - 1]
            if before.kind not in {Kind.NAME, Kind.QUOTED}:
                return None
            qualified = position > 2 and tokens[position - 2].text == "."
            schema = f"{unquote(tokens[position - 3])}." if qualified else ""
            return Call(f"{schema}{unquote(before)}", commas)
        elif text == "," and not depth:
            commas += 1
    return None


def macro(name: str) -> list[tuple[str, str]]:
    """Return a list with the signature and meaning of a macro, or [] if no macro has the name."""
    lowered = name.lower()
    return [(_MACROS[lowered], MACROS[lowered])] if lowered in _MACROS else []


def arguments(signature: str) -> list[str]:
    """Return the arguments of `name(a integer, b text) → text`, split at the outermost commas."""
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    found, depth = [""], 0
    for char in inside:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and not depth:
            found.append("")
        else:
            found[-1] += char
    return [part.strip() for part in found if part.strip()]
