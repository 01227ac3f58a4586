"""Plan the function that reads many keys for a `:batchget` query, and the function's loader."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from aiosqlc.analysis.batchget import batch_name
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Cardinality, Column, Command, TypedBatch, TypedQuery
from aiosqlc.plan.function import plan_function
from aiosqlc.plan.model import Import, PyFunction, PyKeyed, PyParam, PyType
from aiosqlc.plan.naming import function_name
from aiosqlc.plan.rows import QueryPlanner, parameter_names


def plan_batch(
    query: TypedQuery, one: PyFunction, planner: QueryPlanner
) -> tuple[PyFunction | None, list[Diagnostic]]:
    """Return the function that reads many keys for a `:batchget` query, or None for other queries.

    `one` is the query's function for one key. Both functions have the same row class.
    """
    batch = query.batch
    if batch is None or one.row is None:
        return None, []
    many, problems = plan_function(many_of(query, batch), planner)
    package = planner.package
    columns = _key_types(query, batch, one, planner)
    key = _key_type(columns)
    keys = _list_of_keys(query, batch, many)
    lists = {f"{kind}[{key.annotation}]" for kind in ("Sequence", "SequenceNotStr")}
    if keys.type.annotation not in lists:
        problems.append(_two_types(query, keys.type.annotation, key.annotation))
    loaded = not package.driver.synchronous
    keyed = PyKeyed(
        keys.name,
        key,
        columns,
        unique=query.parsed.command is Command.ONE,
        position=batch.position,
        loader=f"{function_name(query.parsed.name)}_loader" if loaded else "",
        kinds=tuple(map(_kind, batch.columns, columns)),
    )
    imports = many.imports.union(*(k.imports_in(k.annotation, k.decode) for k in columns))
    if "aware" in keyed.kinds:
        imports |= {("datetime", "UTC")}
    if loaded:
        imports |= {(package.in_package("loader"), "Loader")}
    doc = (f"Return the result of `{one.name}` for each key that has one.",)
    return replace(
        many,
        doc=doc,
        row=one.row,
        own_classes=(),
        decoders=(),
        used=many.used | one.used | _NAMES,
        keyed=keyed,
        imports=frozenset[Import](imports),
    ), problems


def _two_types(query: TypedQuery, given: str, held: str) -> Diagnostic:
    label = Label(
        query.parsed.file, query.parsed.name_span, f"its rows have keys of the type `{held}`"
    )
    message = (
        f"`{query.parsed.name}` cannot be `:batchget`: callers pass keys of the type `{given}`,"
        f" but the rows have keys of the type `{held}`"
    )
    return Diagnostic(
        "E395", message, (label,), "use the same override for the parameter and the column"
    )


_NAMES = frozenset({"Loader", "UTC", "dict"})


def many_of(query: TypedQuery, batch: TypedBatch) -> TypedQuery:
    """Return the query for many keys; its rows have the columns of the query for one key."""
    lists = {param.number: param for param in batch.params}
    params = tuple(lists.get(param.number, param) for param in query.params)
    parsed = replace(
        query.parsed,
        name=batch_name(query.parsed.name),
        command=Command.MANY,
        options=(),
        variants=batch.written,
    )
    return replace(
        query,
        parsed=parsed,
        sql=batch.sql,
        variants=batch.variants,
        params=params,
        cardinality=Cardinality.MANY,
        batch=None,
    )


def _list_of_keys(query: TypedQuery, batch: TypedBatch, many: PyFunction) -> PyParam:
    """Return the parameter by which the function for many keys receives the keys."""
    whole = many_of(query, batch)
    names = parameter_names(whole, frozenset() if query.parsed.dynamic else many.used)
    numbers = sorted(param.number for param in query.params)
    name = names[numbers.index(batch.params[0].number)]
    return next(param for param in many.params if param.name == name)


def _key_types(
    query: TypedQuery, batch: TypedBatch, one: PyFunction, planner: QueryPlanner
) -> tuple[PyType, ...]:
    """Return the Python types of the columns of a key.

    If a field of the row contains the key, the key has the type of this field.
    """
    row = one.row
    if batch.position is not None and row is not None:
        return (row.cls.fields[batch.position].type if row.cls else row.columns[0],)
    return tuple(planner.column(query, column) for column in batch.columns)


def _key_type(columns: Sequence[PyType]) -> PyType:
    if len(columns) == 1:
        return columns[0]
    return PyType(f"tuple[{', '.join(column.annotation for column in columns)}]")


def _kind(column: Column, kind: PyType) -> str:
    """Return the kind of dates that a key must have: `date`, `naive`, `aware`, or '' for others."""
    if kind.annotation not in {"date", "datetime"}:
        return ""
    base = column.type
    while base.base:
        base = base.base
    return {"date": "date", "timestamptz": "aware"}.get(base.name, "naive")
