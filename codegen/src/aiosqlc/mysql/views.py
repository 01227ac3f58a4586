"""Find the view columns that are never NULL, and the unique keys of views.

The servers' NOT NULL flags are wrong for nested views and ROLLUP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.analysis.json_shapes import ANY
from aiosqlc.ir import JsonShape, TableColumn
from aiosqlc.mysql import types
from aiosqlc.mysql.late_types import settled_late
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.reading import why_not
from aiosqlc.mysql.relations import DEFAULT, Relation, Schema
from aiosqlc.mysql.scope import Output, Result
from aiosqlc.mysql.syntax import mentions, parse
from aiosqlc.mysql.view_keys import view_keys

Name = tuple[str, str]
"""A table or view: the database (`public` for the default database) and the name."""


def settle_views(schema: Schema, definitions: Mapping[Name, str]) -> Schema:
    """Correct the not-null flags of views; `definitions` maps the views' names to their SELECTs.

    If a view reads only tables, the server's flags are used. A view that reads other views is
    proved from its SQL text, after the views that it reads.
    """
    names = {(r.table.schema, r.table.name): r for r in schema.relations}
    settled = {name: r for name, r in names.items() if name not in definitions}
    waiting = {name: r for name, r in names.items() if name in definitions}
    while waiting:
        ready = [name for name in waiting if not _relations_in(definitions[name]) & waiting.keys()]
        # A cycle is impossible; if there were one, nothing would be inferred.
        for name in ready or list(waiting):
            relation = waiting.pop(name)
            known = Schema(tuple(settled.values()), schema.routines)
            settled[name] = _settled(relation, definitions[name], known, definitions)
    return Schema(tuple(settled[name] for name in names), schema.routines)


def _settled(
    relation: Relation, definition: str, known: Schema, definitions: Mapping[Name, str]
) -> Relation:
    plain = not _relations_in(definition) & definitions.keys() and not mentions(
        definition, "ROLLUP"
    )
    tree = parse(definition)
    made, reader = Result(None), None
    if tree is not None and isinstance(tree.root, exp.Query):
        reader = Reader(known, tree)
        made = replace(reader.read(), node=tree.root)
    outputs = made.outputs
    columns = relation.table.columns
    aligned = outputs if outputs is not None and len(outputs) == len(columns) else None
    late = settled_late(definition, reader, known)
    proved = tuple(
        replace(
            column,
            type=types.ANY
            if _comes_late(column, aligned[i] if aligned else None, late)
            else column.type,
            not_null=(plain and aligned is not None and not aligned[i].unsure and column.not_null)
            or (aligned is not None and aligned[i].not_null),
        )
        for i, column in enumerate(columns)
    )
    unproved = why_not(tree.root if tree else None, known)
    view = replace(relation, table=replace(relation.table, columns=proved))
    return replace(
        view,
        unique=view_keys(view, made, reader) if reader and aligned else (),
        unproved_reading=unproved,
        settled_late=late,
        shapes=_shapes(relation, aligned),
        made_of=tuple(sorted(_relations_in(definition))),
        definition=definition,
    )


def _shapes(relation: Relation, made: Sequence[Output] | None) -> dict[str, JsonShape]:
    """Return the shapes of a view's JSON columns; a text column of unknown origin may be JSON."""
    columns = relation.table.columns
    if made is None:
        texts = [column for column in columns if types.family(column.type) == "text"]
        return {column.name.lower(): ANY for column in texts}
    pairs = zip(columns, made, strict=True)
    return {column.name.lower(): output.shape for column, output in pairs if output.shape}


def _comes_late(column: TableColumn, made: Output | None, late: frozenset[str]) -> bool:
    """Return whether a view's column is an expression whose type may change during execution."""
    expression = made is None or made.origin is None or made.type == types.ANY
    return expression and types.family(column.type) in late


def _relations_in(definition: str) -> set[Name]:
    tree = parse(definition)
    if tree is None:
        return set()
    return {(table.db or DEFAULT, table.name) for table in tree.root.find_all(exp.Table)}
