"""Rename names in queries, if the compiler proves that nothing else changes."""

from __future__ import annotations

import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from aiosqlc.diagnostics import Severity
from aiosqlc.ir import Command, TypedQuery
from aiosqlc.lsp.known import Entry, State
from aiosqlc.lsp.python_uses import Use, Wanted, shown, uses_of
from aiosqlc.lsp.symbols import Sort, Symbol
from aiosqlc.parse.scanner import scan, unquote
from aiosqlc.plan.model import PyChoice, PyFunction, PyRow
from aiosqlc.source import SourceFile, Span

Edits = Mapping[Path, tuple[SourceFile, tuple[tuple[Span, str], ...]]]
_TUPLES = frozenset({Command.COPYFROM, Command.BATCHEXEC, Command.BATCHMANY, Command.BATCHONE})


class RefusedError(Exception):
    """Raised if a rename is not safe. The error's text is the reason."""


class Renaming(Struct, frozen=True):
    """A symbol of a query file, and its new name."""

    file: SourceFile
    entry: Entry
    symbol: Symbol
    new: str


class Places(Struct, frozen=True):
    """The positions of a symbol in the document that the user edits."""

    path: Path
    file: SourceFile
    spans: tuple[Span, ...]


def written(text: str, edits: list[tuple[Span, str]]) -> str:
    """Return the text of a file after the given edits."""
    for span, new in sorted(edits, reverse=True):
        text = text[: span.start] + new + text[span.end :]
    return text


def check_name(renaming: Renaming) -> None:
    """Check that the new name is valid, and that the query does not use it yet.

    Raises `RefusedError`.
    """
    symbol, new = renaming.symbol, renaming.new
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", new):
        raise RefusedError(f"`{new}` is not a name: use letters, digits and underscores")
    if symbol.sort is Sort.PARAMETER and keyword.iskeyword(new):
        raise RefusedError(f"`{new}` is a keyword of Python")
    query = renaming.entry.queries.get(symbol.block.name)
    if query and query.batch and symbol.sort in {Sort.QUERY, Sort.PARAMETER}:
        raise RefusedError(
            "the function that reads many keys would change its name too: rename the query by hand"
        )
    if symbol.sort is Sort.QUERY:
        if new in renaming.entry.queries:
            raise RefusedError(f"another query is called `{new}`")
        return
    text = renaming.file.text[symbol.block.span.start : symbol.block.span.end]
    spans = {(span.start, span.end) for span in symbol.places}
    said = {
        unquote(token).lower()
        for token in scan(text, renaming.entry.dialect)
        if (token.start + symbol.block.span.start, token.end + symbol.block.span.start) not in spans
    }
    if new.lower() in said and symbol.sort is not Sort.PARAMETER:
        raise RefusedError(f"the query already uses `{new}` for another purpose")
    for span in symbol.places:
        if symbol.sort is not Sort.PARAMETER and renaming.file.text[span.start] in '"`':
            raise RefusedError(f"`{symbol.name}` is written in quotation marks: rename it by hand")


def check_compiled(renaming: Renaming, before: State, after: State) -> dict[str, str]:
    """Map each generated function and class that a rename affects to its new name.

    Raises `RefusedError` if the rename changes anything else.
    """
    _no_new_errors(renaming, before, after)
    symbol = renaming.symbol
    names: dict[str, str] = {}
    mine = renaming.entry.settings.index
    for old in before.entries:
        new = next(
            (item for item in after.entries if item.settings.index == old.settings.index), old
        )
        renamed = {symbol.name: renaming.new} if symbol.sort is Sort.QUERY else {}
        if old.settings.index == mine:
            names = _generated(renaming, old, new)
        for name, query in old.queries.items():
            is_it = old.settings.index == mine and name == symbol.block.name
            other = new.queries.get(renamed.get(name, name) if is_it else name)
            if other is None or not _same(query, other, names if is_it else {}):
                raise RefusedError(
                    f"with `{renaming.new}` the query `{name}` would have other columns or"
                    " parameters"
                )
            if not _same_function(old, new, name, other.parsed.name, names if is_it else {}):
                raise RefusedError(f"the generated function of `{name}` would change")
    return names


def _no_new_errors(renaming: Renaming, before: State, after: State) -> None:
    name = renaming.symbol.block.name
    if name not in renaming.entry.queries or any(
        item.severity is Severity.ERROR for item in before.diagnostics
    ):
        raise RefusedError("the project has errors: fix the errors before you rename")
    known = Counter((item.code, item.severity) for item in before.diagnostics)
    for item in after.diagnostics:
        known[item.code, item.severity] -= 1
        if known[item.code, item.severity] < 0:
            raise RefusedError(
                f"with `{renaming.new}` the project would not compile: {item.message}"
            )


def _generated(renaming: Renaming, old: Entry, new: Entry) -> dict[str, str]:
    symbol = renaming.symbol
    names = {symbol.name: renaming.new} if symbol.sort in {Sort.QUERY, Sort.PARAMETER} else {}
    before = old.functions.get(symbol.block.name)
    after = new.functions.get(renaming.new if symbol.sort is Sort.QUERY else symbol.block.name)
    if before and after and symbol.sort in {Sort.QUERY, Sort.PARAMETER}:
        pairs = zip(_names(before[0]), _names(after[0]), strict=False)
        names |= {one: other for one, other in pairs if one != other}
    return names


def _names(function: PyFunction) -> Iterator[str]:
    yield function.name
    yield function.constant
    yield from (item.name for item in function.own_classes)
    yield from (param.name for param in function.params)


def _same(one: TypedQuery, other: TypedQuery, names: Mapping[str, str]) -> bool:
    # The new name of a query or parameter never appears in the result columns.
    return one is other or (_alike(one.columns, other.columns, {}) and _alike(one, other, names))


def _same_function(old: Entry, new: Entry, name: str, now: str, names: Mapping[str, str]) -> bool:
    before, after = old.functions.get(name), new.functions.get(now)
    if before is None or after is None:
        return before is after
    return before[0] is after[0] or _alike(before[0], after[0], names)


# Fields about the text and its position, not about the meaning.
_WRITING = frozenset(
    {"parsed", "sql", "variants", "reasons", "cardinality_reasons", "table_alias", "via", "texts"}
    | {"pieces", "doc", "advice"}
)


def _alike(one: object, other: object, names: Mapping[str, str]) -> bool:
    """Return whether two values are equal after the words in `names` are replaced.

    A word may also keep its old name: a parameter `id` may exist beside a renamed column `id`.
    """
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _renamed(one, other, names)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(
            _alike(item, another, names) for item, another in zip(one, other, strict=True)
        )
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        left = list(other)
        for item in one:
            match = next((at for at, it in enumerate(left) if _alike(item, it, names)), None)
            if match is None:
                return False
            del left[match]
        return not left
    if isinstance(one, Struct) and type(one) is type(other):
        return all(
            _alike(_seen(one, name), _seen(other, name), names)
            for name in one.__struct_fields__
            if name not in _WRITING
        )
    return one == other


def _renamed(one: str, other: str, names: Mapping[str, str]) -> bool:
    before, after = re.split(r"(\w+)", one), re.split(r"(\w+)", other)
    return len(before) == len(after) and all(
        word == now or names.get(word) == now for word, now in zip(before, after, strict=True)
    )


def _seen(value: object, name: str) -> object:
    """Return a field's value without the details that a rename may change.

    Of sort choices, only the names are compared, not the SQL.

    Of the local variables for a row, only the number is compared, because their names avoid
    parameter names.
    """
    found = getattr(value, name)
    if isinstance(value, PyRow) and name == "names":
        return len(found)
    if isinstance(value, PyChoice) and name == "labels":
        return tuple(tuple(called for _, called in place) for place in found)
    return found


def python_uses(entry: Entry, symbol: Symbol, roots: list[Path]) -> list[Use]:
    """Return where Python files use a query's generated names or pass its parameter."""
    found = entry.functions.get(symbol.block.name)
    if found is None or symbol.sort not in {Sort.QUERY, Sort.PARAMETER}:
        return []
    function, module = found
    is_query = symbol.sort is Sort.QUERY
    names = {function.name, function.constant, *(item.name for item in function.own_classes)}
    param = next((item.name for item in function.params if item.name == symbol.name), "")
    python = entry.settings.python
    wanted = Wanted(
        tuple(
            (
                f"{target.package}.{module.stem}" if target.package else module.stem,
                target.out.absolute() / module.name,
            )
            for target in ((python, *python.on_others()) if python else ())
        ),
        frozenset(names if is_query else {function.name}),
        "" if is_query else param,
    )
    uses = uses_of(wanted, [*roots, module.parent.parent])
    if is_query:
        return uses
    return [use for use in uses if use.name == param or (not use.name and use.doubt)]


def edits_of(
    renaming: Renaming, places: Places, uses: list[Use], names: Mapping[str, str], root: Path
) -> Edits:
    """Return the text edits for a rename.

    Raises `RefusedError` if a use in Python code cannot be renamed safely.
    """
    symbol, found = renaming.symbol, renaming.entry.functions.get(renaming.symbol.block.name)
    for use in uses:
        if use.doubt:
            raise RefusedError(
                f"{shown(use, root)} {use.doubt}: change this use by hand first, or rename "
                "everything by hand"
            )
        if symbol.sort is Sort.PARAMETER and found and found[0].command in _TUPLES:
            raise RefusedError(
                f"{shown(use, root)} passes the parameter in a row of a batch: rename it by hand"
            )
    per_file: defaultdict[Path, list[tuple[Span, str]]] = defaultdict(list)
    files = {places.path: places.file}
    per_file[places.path] = [(span, renaming.new) for span in places.spans]
    for use in uses:
        files[use.path] = use.file
        if (new := names.get(use.name, use.name)) != use.name:
            per_file[use.path].append((use.span, new))
    return {path: (files[path], tuple(edits)) for path, edits in per_file.items()}
