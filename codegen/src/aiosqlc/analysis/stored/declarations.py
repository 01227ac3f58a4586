"""Read a configuration's declared structures of JSON columns, and report unusable declarations."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from aiosqlc.analysis.stored.classes import ClassProblem, module_files, python_shape
from aiosqlc.analysis.stored.schemas import schema_shape
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Catalog, ColumnRef, JsonKind, JsonShape, SqlType, StoredJson, TypeKind
from aiosqlc.messages.suggest import did_you_mean

_JSON = frozenset({"json", "jsonb"})
_At = tuple[ColumnRef, SqlType]


def declared_shapes(
    declarations: Sequence[StoredJson], catalog: Catalog, class_of: Callable[[str, str], str]
) -> tuple[dict[ColumnRef, JsonShape], list[Diagnostic]]:
    """Return the declared structures by column, and an error for each unusable declaration.

    `class_of` returns the generated class name, in snake case, for a table and a column.
    """
    found: dict[ColumnRef, JsonShape] = {}
    problems: list[Diagnostic] = []
    for item in declarations:
        column = column_of(item, catalog)
        if isinstance(column, Diagnostic):
            problems.append(column)
            continue
        if column in found:
            message = f"the column `{item.column}` is declared twice"
            problems.append(_error(item, "E347", message, "remove one of the declarations"))
            continue
        if item.schema:
            shown = os.path.relpath(item.schema, item.folder)
            name = class_of(column.table, column.column)
            shape: JsonShape | Diagnostic | ClassProblem = schema_shape(item.schema, shown, name)
        else:
            shape = python_shape(item.python, item.folder, pydantic=item.pydantic)
        if isinstance(shape, JsonShape):
            found[column] = replace(shape, declared=True)
            problems += _contradicted(item, shape, catalog.columns[column].json_kind)
        elif isinstance(shape, ClassProblem):
            problems.append(_error(item, "E348", shape.message, shape.hint))
        elif not shape.labels:
            hint = "write a path relative to the folder of the configuration file"
            problems.append(_error(item, "E349", shape.message, hint))
        else:
            label = Label(item.file, item.span, "declared here")
            problems.append(replace(shape, labels=(*shape.labels, label)))
    return found, problems


def sources_of(declarations: Sequence[StoredJson]) -> Iterator[Path]:
    """Yield the files that contain the declared structures."""
    for item in declarations:
        if item.schema:
            yield item.schema
        else:
            yield from module_files(item.python, item.folder)


def column_of(item: StoredJson, catalog: Catalog) -> ColumnRef | Diagnostic:
    """Return the JSON column to which a declaration belongs, or an error."""
    known: dict[str, _At] = {}
    for table in reversed(catalog.tables):
        for column in table.columns:
            place = ColumnRef(table.schema, table.name, column.name)
            known[f"{table.schema}.{table.name}.{column.name}"] = place, column.type
    default = f"{catalog.default_schema}."
    short = {name.removeprefix(default): at for name, at in known.items()}
    at: _At | None = known.get(item.column) or short.get(item.column) or _only(item.column, known)
    if at is None:
        names = [name for name, (_, kind) in short.items() if _is_json(kind)]
        hint = did_you_mean(item.column, names, otherwise=_listed(names))
        return _error(item, "E347", f"no table has a column `{item.column}`", hint)
    if not _is_json(at[1]):
        kind = f"{at[1].name}{'[]' * at[1].array_dims}"
        message = f"the column `{item.column}` has the type {kind}, not JSON"
        return _error(item, "E347", message, "declare columns of the types json and jsonb only")
    return at[0]


_KINDS = {
    JsonKind.OBJECT: "object",
    JsonKind.MAP: "object",
    JsonKind.ARRAY: "array",
    JsonKind.TUPLE: "array",
}
_SCALARS = {
    "bool": "boolean", "int8": "number", "float8": "number", "numeric": "",  # a text or a number
}  # fmt: skip


def _contradicted(item: StoredJson, shape: JsonShape, required: str) -> list[Diagnostic]:
    """Report a CHECK that requires another JSON type than the declared structure, such as array."""
    kind = _KINDS.get(shape.kind, "")
    if shape.kind is JsonKind.SCALAR and shape.type:
        kind = _SCALARS.get(shape.type.name, "string")
    if not kind or not required or kind == required or (required == "null" and shape.nullable):
        return []
    message = f"a CHECK requires `{item.column}` to be a JSON {required}, and not a JSON {kind}"
    return [_error(item, "E375", message, "correct the declaration or the CHECK constraint")]


def _only(name: str, known: dict[str, _At]) -> _At | None:
    """Return the column `table.column`, or None unless exactly one schema has this column."""
    found = [at for full, at in known.items() if full.partition(".")[2] == name]
    return found[0] if len(found) == 1 else None


def _listed(names: list[str]) -> str:
    return f"the JSON columns are {', '.join(names)}" if names else "no table has a JSON column"


def _is_json(kind: SqlType) -> bool:
    while kind.kind is TypeKind.DOMAIN and kind.base and not kind.array_dims:
        kind = kind.base
    return kind.name in _JSON and not kind.array_dims


def _error(item: StoredJson, code: str, message: str, hint: str) -> Diagnostic:
    return Diagnostic(code, message, (Label(item.file, item.span, "declared here"),), hint)
