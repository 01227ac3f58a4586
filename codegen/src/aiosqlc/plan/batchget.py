"""Plan the function that reads many keys for a `:batchget` query, and the loader."""

from __future__ import annotations

from dataclasses import replace

from aiosqlc.analysis.batchget import batch_name
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Cardinality, Command, TypedBatch, TypedQuery
from aiosqlc.plan.function import plan_function
from aiosqlc.plan.model import Import, PyFunction, PyKeyed, PyType
from aiosqlc.plan.naming import function_name
from aiosqlc.plan.rows import QueryPlanner


def plan_batch(
    query: TypedQuery, one: PyFunction, planner: QueryPlanner
) -> tuple[PyFunction | None, list[Diagnostic]]:
    """Return the function that reads many keys for a `:batchget` query, or None for other queries.

    `one` is the query's own function. Both functions have the same row class.
    """
    batch = query.batch
    if batch is None or one.row is None:
        return None, []
    many, problems = plan_function(_many(query, batch), planner)
    package = planner.package
    key = _key_type(query, batch, one, planner)
    keys = many.params[_ordered(query).index(batch.number)]
    lists = {f"{kind}[{key.annotation}]" for kind in ("Sequence", "SequenceNotStr")}
    if keys.type.annotation not in lists:
        problems.append(_two_types(query, keys.type.annotation, key.annotation))
    loaded = not package.driver.synchronous
    keyed = PyKeyed(
        keys.name,
        key,
        unique=query.parsed.command is Command.ONE,
        position=batch.position,
        loader=f"{function_name(query.parsed.name)}_loader" if loaded else "",
    )
    imports = many.imports | key.imports_in(key.annotation, key.decode)
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
        query.parsed.file, query.parsed.name_span, f"but the rows have keys of the type `{held}`"
    )
    message = f"`{query.parsed.name}` cannot be `:batchget`: the caller passes keys as `{given}`"
    return Diagnostic(
        "E395", message, (label,), "use the same override for the parameter and the column"
    )


_NAMES = frozenset({"Loader", "dict"})


def _ordered(query: TypedQuery) -> list[int]:
    return sorted(param.number for param in query.params)


def _many(query: TypedQuery, batch: TypedBatch) -> TypedQuery:
    """Return the query for many keys, whose rows have the columns of the original query."""
    params = tuple(batch.param if param.number == batch.number else param for param in query.params)
    parsed = replace(
        query.parsed, name=batch_name(query.parsed.name), command=Command.MANY, options=()
    )
    return replace(
        query,
        parsed=parsed,
        sql=batch.sql,
        params=params,
        cardinality=Cardinality.MANY,
        batch=None,
    )


def _key_type(
    query: TypedQuery, batch: TypedBatch, one: PyFunction, planner: QueryPlanner
) -> PyType:
    """Return the Python type of the keys: that of the row's field which holds the key, if any."""
    row = one.row
    if batch.position is not None and row is not None:
        return row.cls.fields[batch.position].type if row.cls else row.columns[0]
    return planner.column(query, batch.column)
