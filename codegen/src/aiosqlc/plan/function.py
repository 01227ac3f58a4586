"""Plan the function of one query: its parameters, arguments and return value."""

from __future__ import annotations

import re

from msgspec.structs import replace

from aiosqlc.analysis.bulk import is_bulk, row_in
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.drivers import Driver
from aiosqlc.drivers.port import Places
from aiosqlc.ir import Cardinality, Command, TypedParam, TypedQuery
from aiosqlc.plan.arrow import arrow_imports, plan_arrow
from aiosqlc.plan.choice import plan_choice, sort_params, with_pieces
from aiosqlc.plan.clashes import check_parameters, renamed_parameters
from aiosqlc.plan.copying import plan_copy
from aiosqlc.plan.folding import folded
from aiosqlc.plan.model import Import, PyClass, PyField, PyFunction, PyParam, PyRow, PyType
from aiosqlc.plan.naming import argument, attribute, camel, constant, function_name
from aiosqlc.plan.nests import own_classes, planned
from aiosqlc.plan.one_way import not_decoded, not_encoded
from aiosqlc.plan.package import Package
from aiosqlc.plan.paging import paged, with_keys, without_hidden
from aiosqlc.plan.positional import positional
from aiosqlc.plan.row_lists import once, with_row_lists
from aiosqlc.plan.rows import QueryPlanner, parameter_names
from aiosqlc.plan.scope import LOCALS, numbered_names
from aiosqlc.plan.types import unreadable_field
from aiosqlc.plan.used import names_used, with_locals

_BATCHES = frozenset({Command.COPYFROM, Command.BATCHEXEC, Command.BATCHMANY, Command.BATCHONE})
_ANSWERED = frozenset({Command.BATCHMANY, Command.BATCHONE})
_EXECUTORS = {
    Command.COPYFROM: "CopyExecutor",
    Command.BATCHEXEC: "BatchExecutor",
    Command.STREAM: "StreamExecutor",
    Command.EXECLASTID: "LastIdExecutor",
}


# The commands of a Reader, which lacks the methods that other commands call.
_READERS = {
    Command.ONE: "Reader",
    Command.MANY: "Reader",
    Command.PAGE: "Reader",
    Command.ARROW: "Reader",
    Command.BATCHONE: "Reader",
    Command.BATCHMANY: "Reader",
    Command.STREAM: "StreamReader",
}


def plan_function(query: TypedQuery, planner: QueryPlanner) -> tuple[PyFunction, list[Diagnostic]]:
    """Plan one query's function."""
    parsed = query.parsed
    query, arrow = plan_arrow(query, planner.package)
    query = folded(query, constant(parsed.name), planner.package.engine)
    row = _row(query, planner)
    problems = not_decoded(query, planner.types.applied)
    kinds, one_way = _kinds(query, planner)
    used = names_used(query, row, kinds.values(), planner.package)
    names = parameter_names(query, frozenset() if parsed.dynamic else used)
    params = {
        number: PyParam(name, kinds[number], kinds[number].encode.replace("{}", name) or name)
        for number, name in zip(sorted(kinds), names, strict=True)
    }
    params = with_row_lists(query, with_keys(query, params), planner)
    builtins = frozenset({"set", "dict", "list", "tuple"} if query.nesting else ())
    row = with_locals(query, row, used | builtins, names) if row else None
    row = planned(query, row, {*used, *names, *LOCALS, "cursor", "chunk"}) if row else None
    documents = planner.documents if row else None
    own = [*documents.classes] if documents else []
    own += own_classes(query, row) if row else []
    own += [row.cls] if row and row.cls and row.cls.name == planner.own_name(query) else []
    ordered = [params[number] for number in sorted(params)]
    driver = planner.package.driver
    pipelined = driver.pipelined and parsed.command in _ANSWERED
    asked = "PipelineExecutor" if pipelined else _executor(query, planner.package.target.readers)
    executor = planner.package.executor(asked)
    violations = driver.violations
    function = PyFunction(
        name=function_name(parsed.name),
        constant=constant(parsed.name),
        query_name=parsed.name,
        sql=query.sql,
        command=parsed.command,
        params=once(ordered),
        arguments=tuple(param.expression for param in ordered),
        executor=executor,
        reads=query.read_only,
        doc=parsed.doc,
        row=row,
        exactly_one=query.cardinality is Cardinality.ONE,
        counts_rows=_counts_rows(query.sql),
        arrow=arrow,
        errors=planner.package.errors_of(query),
        caught=violations.caught if violations else "",
        raised=violations.raised if violations else "",
        pipelined=pipelined,
        synchronous=driver.synchronous,
        used=used,
        decoders=tuple(documents.decoders) if documents else (),
    )
    imports = {executor, *arrow_imports(arrow, planner.package)}
    for decoder in function.decoders:
        imports |= {planner.package.json_maker}
        imports |= decoder.type.imports_in(decoder.type.annotation)
    if function.errors and violations:
        imports |= {
            violations.caught_import,
            (planner.package.in_package("errors"), "constraint_error"),
        }
    for param in ordered:
        imports |= param.type.imports_in(param.type.annotation, param.expression)
    problems += [*one_way, *_unsupported(query, driver)]
    if parsed.dynamic:
        function, needed = _dynamic(query, function, params, planner)
        imports |= needed
    if parsed.command in _BATCHES:
        function, classes = _batched(query, function, planner)
        own += classes
    elif is_bulk(parsed):
        function, classes = _bulked(query, function, planner)
        own += classes
    if parsed.paging:
        function, needed = paged(function, query, params, planner)
        imports |= needed
    if parsed.command is Command.STREAM:
        function = replace(function, params=(*function.params, _CHUNK))
    if parsed.command is Command.COPYFROM:
        copy = plan_copy(query, planner.package)
        problems += (
            _refused_by_copy(query, planner.package.driver) if copy else [_not_copyable(query)]
        )
        function = replace(function, copy=copy)
    if function.batch_kind == "SequenceNotStr":
        imports.add((planner.package.in_package("executor"), "SequenceNotStr"))
    if driver.places is Places.FORMATTED:
        function = positional(function, query, params)
        if is_bulk(parsed) and not driver.types.structured:
            function = replace(function, repeated=row_in(function.sql, planner.package.engine))
    problems += _unassembled(query, function)
    theirs = [param for param in function.params if param is not _CHUNK]
    problems += check_parameters(query, theirs, used)
    ordered_names = [
        argument(query_param.name)
        for query_param in _in_order(query)
        if query_param.row in {"", query_param.name}
    ]
    problems += renamed_parameters(query, ordered_names)
    for field in (field for cls in own for field in cls.fields):
        imports |= field.type.imports_in(field.type.annotation)
    imports |= row.imports if row else set()
    return replace(function, own_classes=tuple(own), imports=frozenset(imports)), problems


def _row(query: TypedQuery, planner: QueryPlanner) -> PyRow | None:
    """Return the conversion of a row, or None if the function converts no rows."""
    shown = without_hidden(query)
    command = query.parsed.command
    converted = command.returns_rows and command is not Command.ARROW
    return planner.row(shown) if converted and shown.columns else None


def _unassembled(query: TypedQuery, function: PyFunction) -> list[Diagnostic]:
    """Report a query with too many SQL texts to list, which cannot be built from lines either."""
    choice = function.choice
    if choice is None or not choice.independent or choice.pieces:
        return []
    label = Label(
        query.parsed.file, query.parsed.name_span, "too many optional parts to list every SQL text"
    )
    return [
        Diagnostic(
            "E133",
            f"the SQL texts of `{query.parsed.name}` cannot be assembled from its optional parts",
            (label,),
            "put each optional condition on lines of its own, and write no `$1` in a string",
        )
    ]


def _executor(query: TypedQuery, readers: bool) -> str:
    """Return the Protocol of the executor: Reader for a query that is proved read-only."""
    command = query.parsed.command
    if readers and query.read_only and command in _READERS:
        return _READERS[command]
    return _EXECUTORS.get(command, "Executor")


def _in_order(query: TypedQuery) -> list[TypedParam]:
    return sorted(query.params, key=lambda param: param.number)


def _kinds(query: TypedQuery, planner: QueryPlanner) -> tuple[dict[int, PyType], list[Diagnostic]]:
    """Return the parameters' Python types, and errors for overrides that lack `encode`."""
    kinds: dict[int, PyType] = {}
    problems: list[Diagnostic] = []
    for param in query.params:
        planner.types.applied.clear()
        kinds[param.number] = _kind(query, param, planner)
        problems += not_encoded(query, param, planner.types.applied)
    return kinds, problems


def _kind(query: TypedQuery, param: TypedParam, planner: QueryPlanner) -> PyType:
    """Return the Python type of one parameter."""
    kind = planner.types.parameter(
        param.type,
        not_null=param.not_null,
        element_not_null=param.element_not_null,
        is_slice=param.is_slice,
        is_part=param.is_part,
        origin=param.origin or param.kept,
        query=f"{query.parsed.name}.{param.name}",
    )
    if query.parsed.command not in _BATCHES and not is_bulk(query.parsed):
        kind = _without_str(kind, planner.package)
    return kind


def _without_str(kind: PyType, package: Package) -> PyType:
    """Exclude `str` from a type of sequences, because a `str` is also a sequence of strings."""
    annotation = _OF_STR.sub("SequenceNotStr[", kind.annotation)
    if annotation == kind.annotation:
        return kind
    imports = kind.imports | {(package.in_package("executor"), "SequenceNotStr")}
    return replace(kind, annotation=annotation, imports=imports)


_OF_STR = re.compile(r"\bSequence\[(?=str\b)")
_CHUNK = PyParam("chunk", PyType("int"), "chunk", "1000")


def _dynamic(
    query: TypedQuery, function: PyFunction, params: dict[int, PyParam], planner: QueryPlanner
) -> tuple[PyFunction, set[Import]]:
    """Add defaults to optional parameters, and code that chooses the SQL text at run time."""
    unset = planner.package.unset()
    package = planner.package
    adapted, choice, imports = plan_choice(query, params, unset, package.engine)
    if package.driver.places is Places.NUMBERED:
        choice = with_pieces(choice, query.variants)
    if choice.numbered:
        imports.add((planner.package.in_package("numbering"), "numbered"))
    if choice.independent:
        imports.add((planner.package.in_package("numbering"), "Texts"))
    required = once([param for param in adapted if not param.default])
    optional = once([param for param in adapted if param.default])
    everything = (*required, *optional, *sort_params(query))
    return replace(function, params=everything, choice=choice), imports


def _batched(
    query: TypedQuery, function: PyFunction, planner: QueryPlanner
) -> tuple[PyFunction, list[PyClass]]:
    """Make a function accept many sets of arguments: objects, or values of a single parameter."""
    params = function.params
    if len(params) == 1:
        only = params[0]
        expression = only.type.encode.replace("{}", "item") or "item"
        return replace(function, batch=only.type.annotation, arguments=(expression,)), []
    cls_name = f"{camel(query.parsed.name)}Params"
    kind = planner.package.target.models
    called = numbered_names([attribute(param.name, kind) for param in params])
    pairs = zip(called, params, strict=True)
    fields = tuple(PyField(name, param.type) for name, param in pairs)
    cls = PyClass(cls_name, kind, fields)
    arguments = tuple(
        item.type.encode.replace("{}", f"item.{item.name}") or f"item.{item.name}"
        for item in fields
    )
    return replace(function, batch=cls_name, arguments=arguments), [cls]


def _bulked(
    query: TypedQuery, function: PyFunction, planner: QueryPlanner
) -> tuple[PyFunction, list[PyClass]]:
    """Make a function accept many rows at once, and pass the values of a column as one array."""
    function, classes = _batched(query, function, planner)
    if not planner.package.driver.types.structured:  # without arrays, the VALUES row is repeated
        return replace(function, repeatable=True), classes
    columns = tuple(
        "list(batch)" if argument == "item" else f"[{argument} for item in batch]"
        for argument in function.arguments
    )
    return replace(function, arguments=columns, repeatable=True), classes


def _not_copyable(query: TypedQuery) -> Diagnostic:
    return Diagnostic(
        "E410",
        "a `:copyfrom` query can only copy parameters into columns",
        (
            Label(
                query.parsed.file,
                query.parsed.name_span,
                "this query does more than insert its parameters",
            ),
        ),
        hint="write `INSERT INTO t (a, b) VALUES (@a, @b)`, or use `:batchexec`",
    )


def _refused_by_copy(query: TypedQuery, driver: Driver) -> list[Diagnostic]:
    name = next((p.type.name for p in query.params if p.type.name in driver.not_copied), "")
    if not name:
        return []
    label = Label(query.parsed.file, query.parsed.name_span, "this query fails on every call")
    hint = "use `:batchexec`"
    return [Diagnostic("E410", f"{driver.name} cannot copy a value of `{name}`", (label,), hint)]


def _unsupported(query: TypedQuery, driver: Driver) -> list[Diagnostic]:
    parsed = query.parsed
    at = (Label(parsed.file, parsed.name_span, "this query"),)
    if parsed.command is Command.EXECLASTID and not driver.makes_ids:
        hint = "add `RETURNING id` and use `:one`"
        return [Diagnostic("E411", "PostgreSQL does not have a last inserted id", at, hint)]
    types = driver.types
    read = query.columns if types.structured and not types.user_types_as_text else ()
    if refused := next(filter(None, (unreadable_field(column.type) for column in read)), ""):
        message = f"{driver.name} cannot read the type {refused} in an anonymous row, `ROW(…)`"
        hint = (
            "return a whole table row, cast the row to a composite type, such as `ROW(…)::line`,"
            " or return JSON, such as `jsonb_agg(t)`"
        )
        return [Diagnostic("E415", message, at, hint)]
    if parsed.dynamic and parsed.command in _BATCHES:
        hint = "remove the optional parts of the query, or use another command"
        message = f"`:{parsed.command}` does not support optional parts"
        return [Diagnostic("E412", message, at, hint)]
    if parsed.command in _BATCHES and not query.params:
        hint = "give the query a parameter, such as `@id`, or use `:exec`, `:one` or `:many`"
        return [Diagnostic("E330", f"`:{parsed.command}` needs a parameter", at, hint)]
    return []


_COUNTING = (
    "SELECT",
    "INSERT",
    "REPLACE",
    "UPDATE",
    "DELETE",
    "MERGE",
    "WITH",
    "VALUES",
    "TABLE",
    "(",
)


def _counts_rows(sql: str) -> bool:
    """Return whether the server's status text for a statement ends with the number of rows."""
    return sql.lstrip().upper().startswith(_COUNTING)
