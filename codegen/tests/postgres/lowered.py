"""Compare the levels of a tree with the tree's text: no part may be lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiosqlc.postgres.infer.levels import Lowering
from aiosqlc.postgres.tree import Node
from aiosqlc.relational.closure import columns_of
from aiosqlc.relational.joins import conditions_of
from aiosqlc.relational.tree import Constant, Expr, Opaque, Parameter, Query, Source, Table

_COLUMN = re.compile(r"\{VAR :varno (\d+) :varattno (-?\d+) [^{}]*:varlevelsup 0\b")
_PARAM = re.compile(r"\{PARAM :paramkind 0 ")
_CONST = re.compile(r"\{CONST ")
_FUNCTION = re.compile(r" :(?:opfuncid|funcid) (\d+)")
_SOURCE = re.compile(r"\{RANGETBLENTRY ")
_TABLE = re.compile(r":rtekind 0 :relid (\d+)")


def lost(lowering: Lowering, level: Query) -> Iterator[str]:
    """Yield the parts of a query that its level lacks."""
    node = lowering.scope.query
    entries = node.list_of("rtable")
    if len(level.sources) != len(entries):
        yield f"{len(level.sources)} of {len(entries)} sources"
    for source, entry in zip(level.sources, entries, strict=False):
        if type(source) is Source and entry["rtekind"] not in {2, 4, 7}:
            yield f"a source is not understood: {entry.text[:200]}"
        found = _TABLE.match(entry.text, entry.text.find(":rtekind"))
        if found and not (isinstance(source, Table) and source.relation == int(found[1])):
            yield f"table {found[1]}"
    tree = node["jointree"]
    if tree is None:
        return
    handles = [condition.handle for _, condition in conditions_of(level.root)]
    yield from _compared("condition", "".join(h.text for h in handles), tree.text)
    for handle in handles:
        if not handle.has("QUERY"):
            yield from _expression(handle, lowering.expr(handle))


def _expression(node: Node, expr: Expr) -> Iterator[str]:
    """Yield the columns, parameters, constants and functions that an expression lacks."""
    parts = list(_below(expr))
    wanted = {(int(a), int(b)) for a, b in _COLUMN.findall(node.text)}
    if {(c.source, c.column) for c in columns_of(expr)} != wanted:
        yield f"columns of {node.text}"
    for kind, pattern in ((Parameter, _PARAM), (Constant, _CONST)):
        if sum(isinstance(part, kind) for part in parts) != len(pattern.findall(node.text)):
            yield f"{kind.__name__} in {node.text}"
    called = [part.key for part in parts if isinstance(part, Opaque)]
    heads = [_FUNCTION.search(key.text.split("{", 2)[1]) for key in called if isinstance(key, Node)]
    if sorted(h[1] for h in heads if h) != sorted(_FUNCTION.findall(node.text)):
        yield f"functions of {node.text}"


def _below(expr: Expr) -> Iterator[Expr]:
    yield expr
    for arg in expr.args if isinstance(expr, Opaque) else ():
        yield from _below(arg)


def _compared(what: str, made: str, text: str) -> Iterator[str]:
    """Yield an error if two texts differ in the columns that they name."""
    if sorted(_COLUMN.findall(made)) != sorted(_COLUMN.findall(text)):
        yield f"{what}: {text[:300]}"
