"""Render the code that groups joined rows to objects with lists of nested rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiosqlc.emit.literal import indented
from aiosqlc.emit.rows import construct_with, unpacked
from aiosqlc.plan.model import PyLevel, PyNest, PyRow


def print_grouping(row: PyRow, nest: PyNest) -> str:
    """Return the source of the function that groups all joined rows of a query."""
    top = nest.levels[0]
    head = f"def {nest.name}(rows: Iterable[Iterable[Any]]) -> list[{top.cls.name}]:"
    each = [
        f"{top.known}: dict[Any, {top.cls.name}] = {{}}",
        *_memory(nest, nest.levels[1:]),
        f"for {unpacked(row)} in rows:",
        *_indent(_found(row, nest, 0)),
        f"return list({top.known}.values())",
    ]
    return indented(head, each)


def print_stream(row: PyRow, nest: PyNest, cursor: str, rows: str) -> list[str]:
    """Return the statements that yield an object as soon as a row of the next object arrives."""
    top, last = nest.levels[0], nest.last
    key = _key(row, top)
    inside = [line for n in _below(nest, 0) for line in _list(row, nest, n)]
    forget = _memory(nest, nest.levels[1:])
    return [
        f"{top.variable}: {top.cls.name} | None = None",
        f"{last}: Any = None",
        *forget,
        f"while {rows} := await {cursor}.fetch(chunk):",
        f"    for {unpacked(row)} in {rows}:",
        f"        if {top.variable} is None or {last} != {key}:",
        f"            if {top.variable} is not None:",
        f"                yield {top.variable}",
        f"            {top.variable} = {construct_with(row, top)}",
        f"            {last} = {key}",
        *(f"            {line.split(':')[0]}.clear()" for line in forget if " = " in line),
        *_indent(inside, 2),
        f"if {top.variable} is not None:",
        f"    yield {top.variable}",
    ]


def _memory(nest: PyNest, levels: Sequence[PyLevel]) -> list[str]:
    """Return statements that create, for each level, a dict or set of the rows found so far."""
    lines = []
    shared = [level for n, level in enumerate(nest.levels) if n == 0 or _is_kept(nest, n)]
    lengths = {len(level.key) + len(level.moments) for level in shared if not _is_single(level)}
    if len(lengths) > 1 and levels:
        lines.append(f"{nest.key}: tuple[Any, ...]")
    for number, level in enumerate(nest.levels):
        if level not in levels:
            continue
        if _below(nest, number):
            lines.append(f"{level.known}: dict[Any, {level.cls.name}] = {{}}")
        elif level.repeats:
            lines.append(f"{level.known}: set[Any] = set()")
    return lines


def _found(row: PyRow, nest: PyNest, number: int) -> list[str]:
    """Return the statements that find or create the object of one nesting level for a joined row.

    Further statements add the row's nested objects to the lists of this object.
    """
    level = nest.levels[number]
    key, lines = _key(row, level), list[str]()
    if not _is_single(level):
        lines.append(f"{nest.key} = {key}")
        key = nest.key
    made = [f"{level.known}[{key}] = {level.variable}"]
    if number:
        made.append(_append(nest, level, level.variable))
    lines += [
        f"{level.variable} = {level.known}.get({key})",
        f"if {level.variable} is None:",
        f"    {level.variable} = {construct_with(row, level)}",
        *_indent(made),
    ]
    return [*lines, *(line for n in _below(nest, number) for line in _list(row, nest, n))]


def _list(row: PyRow, nest: PyNest, number: int) -> list[str]:
    """Return the statements that add a nested row to a list, if the outer join has found one."""
    level = nest.levels[number]
    present = "" if level.presence is None else f"{row.names[level.presence]} is not None"
    if _below(nest, number):
        lines = _found(row, nest, number)
        return [f"if {present}:", *_indent(lines)] if present else lines
    add = _append(nest, level, construct_with(row, level))
    if not level.repeats:
        return [f"if {present}:", f"    {add}"] if present else [add]
    key = _key(row, level)
    if _is_single(level):
        unknown = f"{f'{present} and ' if present else ''}{key} not in {level.known}"
        return [f"if {unknown}:", f"    {level.known}.add({key})", f"    {add}"]
    lines = [
        f"{nest.key} = {key}",
        f"if {nest.key} not in {level.known}:",
        f"    {level.known}.add({nest.key})",
        f"    {add}",
    ]
    return [f"if {present}:", *_indent(lines)] if present else lines


def _append(nest: PyNest, level: PyLevel, value: str) -> str:
    return f"{nest.levels[level.parent].variable}.{level.field}.append({value})"


def _below(nest: PyNest, number: int) -> list[int]:
    return [n for n, level in enumerate(nest.levels) if n and level.parent == number]


def _is_kept(nest: PyNest, number: int) -> bool:
    return nest.levels[number].repeats or bool(_below(nest, number))


def _key(row: PyRow, level: PyLevel) -> str:
    names = []
    for at in level.key:
        name = row.names[at]
        names += [name, f"{name} and {name}.fold"] if at in level.moments else [name]
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _is_single(level: PyLevel) -> bool:
    return len(level.key) == 1 and not level.moments


def _indent(lines: Sequence[str], times: int = 1) -> Iterator[str]:
    return (f"{'    ' * times}{line}" for line in lines)
