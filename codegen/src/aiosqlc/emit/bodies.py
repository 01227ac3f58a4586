"""Render the body of a generated function, which depends on the query's command."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from aiosqlc.emit.keyed import by_key, row_of_key
from aiosqlc.emit.literal import line_literal
from aiosqlc.emit.nests import print_stream
from aiosqlc.emit.rows import (
    bare_value,
    built,
    construct,
    from_row,
    from_rows,
    mapped,
    targets,
    unpacked,
)
from aiosqlc.ir import Command
from aiosqlc.plan.model import Import, PyFunction, PyNest, PyRow

_NOT_LOCATED = frozenset({"primary", "unique", "not_null"})


def returns(function: PyFunction) -> str:
    """Return the type annotation of a function's result."""
    row = function.row.annotation if function.row else "None"
    one = row if function.exactly_one or row.endswith("None") else f"{row} | None"
    if function.keyed:
        return f"dict[{function.keyed.type.annotation}, {row_of_key(function)}]"
    return {
        Command.ONE: one,
        Command.MANY: f"list[{row}]",
        Command.PAGE: f"KeysetPage[{row}]" if function.keyset else f"tuple[list[{row}], int]",
        Command.ARROW: "pyarrow.RecordBatch",
        Command.STREAM: f"{_iterator(function)}[{row}]",
        Command.EXECROWS: "int",
        Command.EXECLASTID: "int",
        Command.EXECRESULT: "str",
        Command.COPYFROM: "int",
        Command.BATCHONE: f"list[{one}]",
        Command.BATCHMANY: f"list[list[{row}]]",
    }.get(function.command, "None")


def parameters(function: PyFunction, receiver: str) -> str:
    """Return a function's parameter list, which begins with `receiver`."""
    found = [receiver]
    if function.batch:
        found.append(f"batch: {function.batch_kind}[{function.batch}]")
    elif function.params:
        found.append("*")
        for item in function.params:
            default = f" = {item.default}" if item.default else ""
            found.append(f"{item.name}: {item.type.annotation}{default}")
    return ", ".join(found)


def define(function: PyFunction) -> str:
    """Return the keywords that start a function's definition: `def` or `async def`."""
    return "def" if function.synchronous else "async def"


def body(function: PyFunction, db: str = "db") -> list[str]:
    """Return the statements of a function after its docstring; `db` is the name of the executor."""
    statements = _start(function) + _sorted(function)
    statements += _arguments(function) + _repeated(function)
    run = "" if function.synchronous else "await "
    statements += [line.replace("await db.", f"{run}{db}.") for line in _run(function)]
    if not function.errors:
        return statements
    unsaid = {error.table for error in function.errors if error.kind in _NOT_LOCATED}
    tables = "".join(f", {line_literal(table)}" for table in sorted(unsaid))
    return [
        "try:",
        *(f"    {line}" for part in statements for line in part.split("\n")),
        f"except {function.caught} as violation:",
        f"    raise {function.raised.replace('{tables}', tables)}",
    ]


def _run(function: PyFunction) -> list[str]:
    if function.pipelined:
        return _pipelined(function)
    lines = _BODIES[function.command](function)
    if function.synchronous and function.command is Command.STREAM:
        return [line.replace(":= await ", ":= ") for line in lines]
    return lines


def _iterator(function: PyFunction) -> str:
    return "Iterator" if function.synchronous else "AsyncIterator"


def body_imports(function: PyFunction) -> set[Import]:
    """Return the imports that a function's statements and result annotation need."""
    found: set[Import] = set()
    many = {Command.MANY, Command.PAGE, Command.BATCHMANY, Command.STREAM}
    starmaps = function.keyed is None or function.keyed.position is not None
    if function.command in many and function.row and function.row.starmapped and starmaps:
        found.add(("itertools", "starmap"))
    if function.command is Command.STREAM:
        found.add(("collections.abc", _iterator(function)))
    if function.batch and function.batch_kind != "SequenceNotStr":
        found.add(("collections.abc", function.batch_kind))
    return found


def _sorts(function: PyFunction) -> list[str]:
    """Return the names of the parameters that select a sort order."""
    choice = function.choice
    return (
        [
            selector
            for selector, labels in zip(choice.selectors, choice.labels, strict=True)
            if labels
        ]
        if choice
        else []
    )


def _sorted(function: PyFunction) -> list[str]:
    """Emit code that looks up an SQL text by sort order; an unknown order raises ValueError."""
    sorts, choice = _sorts(function), function.choice
    if not sorts or choice is None:
        return []
    said = " ".join(f"{{{name}!r}}" for name in sorts)
    return [
        "try:",
        f"    {function.local('sql')} = {function.constant}[{', '.join(choice.selectors)}]",
        "except KeyError:",
        f'    raise ValueError(f"no such sort: {said}") from None',
    ]


def _arguments(function: PyFunction) -> list[str]:
    """Emit code that builds the list of arguments for the chosen SQL text of a dynamic query."""
    choice = function.choice
    if choice is None:
        return []
    lines: list[str] = []
    leading: list[str] = []
    conditional = [bool(condition) for condition, _ in choice.arguments]
    split = conditional.index(True) if True in conditional else len(conditional)
    leading = [expression for _, expression in choice.arguments[:split]]
    if split == len(conditional):
        return []
    for missing, said in choice.needed:
        lines += [f"if {missing}:", f"    raise TypeError({line_literal(said)})"]
    name = function.local("arguments")
    lines.append(f"{name}: list[object] = [{', '.join(leading)}]")
    for condition, expression in choice.arguments[split:]:
        if condition:
            lines += [f"if {condition}:", f"    {name}.append({expression})"]
        else:
            lines.append(f"{name}.append({expression})")
    return lines


def _repeated(function: PyFunction) -> list[str]:
    """Emit code that returns without a query if a bulk statement has no rows to write.

    If the driver sends no arrays, the emitted code also repeats the VALUES row for each set of
    arguments.
    """
    if not function.repeatable:
        return []
    nothing = {Command.MANY: " []", Command.EXECROWS: " 0"}.get(function.command, "")
    lines = [f"if not batch:\n    return{nothing}"]
    if not function.repeated:
        return lines
    row, values = line_literal(function.repeated), ", ".join(function.arguments)
    each = f" for value in ({values})" if len(function.arguments) > 1 else ""
    listed = f"[{'value' if each else values} for item in batch{each}]"
    return [
        *lines,
        f'sql = {function.constant}.replace({row}, ", ".join([{row}] * len(batch)), 1)',
        f"arguments = {'list(batch)' if values == 'item' else listed}",
    ]


def _call(function: PyFunction) -> str:
    """Return the arguments of the call that runs the query: the SQL text and its values."""
    if function.repeated:
        return "sql, *arguments"
    choice = function.choice
    if choice is None:
        return ", ".join((function.constant, *function.arguments))
    text = f"{function.constant}[{', '.join(choice.selectors)}]"
    if _sorts(function):
        text = function.local("sql")
    if any(condition for condition, _ in choice.arguments):
        return f"{text}, *{function.local('arguments')}"
    return ", ".join((text, *(expression for _, expression in choice.arguments)))


def _exec(function: PyFunction) -> list[str]:
    return [f"await db.execute({_call(function)})"]


def _execresult(function: PyFunction) -> list[str]:
    return [f"return await db.execute({_call(function)})"]


def _count(function: PyFunction, call: str) -> list[str]:
    """Emit code that returns the number at the end of the server's status, such as `UPDATE 3`."""
    status = function.local("status")
    return [f"{status} = await {call}", f'return int({status}.rpartition(" ")[2])']


def _execrows(function: PyFunction) -> list[str]:
    if not function.counts_rows:  # such as CREATE TABLE: the status has no number
        return [*_exec(function), "return 0"]
    return _count(function, f"db.execute({_call(function)})")


def _execlastid(function: PyFunction) -> list[str]:
    return [f"return await db.execute_lastid({_call(function)})"]


def _many(function: PyFunction) -> list[str]:
    if function.keyed:
        return by_key(function, f"await db.fetch({_call(function)})")
    rows, row = function.local("rows"), _row(function)
    results = from_rows(row, rows, function.local("value"))
    results = f"{row.nest.name}({rows})" if row.nest else results
    return [f"{rows} = await db.fetch({_call(function)})", f"return {results}"]


def _start(function: PyFunction) -> list[str]:
    """Emit code that decodes the cursor of a function that pages by sort keys."""
    if function.keyset is None:
        return []
    keys = ", ".join(function.keyset.keys)
    keys = f"({keys},)" if len(function.keyset.keys) == 1 else f"({keys})"
    page_of = function.local("page_of")
    return [
        f"{page_of} = {function.keyset.page_of}",
        f"{keys}, page_after, page_backward = keyset_start(cursor, {page_of}, page_size)",
        *(f"{name} = {value}" for name, value in function.keyset.nulls),
    ]


def _keyset_page(function: PyFunction) -> list[str]:
    rows, found, page_of, following, previous = (
        function.local(name) for name in ("rows", "found", "page_of", "following", "previous")
    )
    results = from_rows(_row(function), found, function.local("value"))
    return [
        f"{rows} = await db.fetch({_call(function)})",
        f"{found}, {following}, {previous} = keyset_rows({rows}, page_size, cursor, {page_of})",
        f"return KeysetPage({results}, {following}, {previous})",
    ]


def _page(function: PyFunction) -> list[str]:
    if function.keyset:
        return _keyset_page(function)
    rows, found, total = (function.local(name) for name in ("rows", "found", "total"))
    results = from_rows(_row(function), found, function.local("value"))
    return [
        f"{rows} = await db.fetch({_call(function)})",
        f"if not {rows}:  # behind the last page: the total is in the first row",
        *_first_row(function, rows),
        f"    return [], split_total({rows})[1]",
        f"{found}, {total} = split_total({rows})",
        f"return {results}, {total}",
    ]


def _first_row(function: PyFunction, rows: str) -> list[str]:
    """Emit a call that fetches a query's first row: if a page is empty, this row has the total."""
    instead = dict(function.first_row)
    choice = function.choice
    if choice and any(condition for condition, _ in choice.arguments):
        last = [instead[given] for _, given in choice.arguments if given in instead]
        values = f"{', '.join(last)}{',' if len(last) == 1 else ''}"
        arguments = function.local("arguments")
        return [
            f"    {arguments}[-{len(last)}:] = ({values})",
            f"    {rows} = await db.fetch({_call(function)})",
        ]
    changed = replace(
        function,
        arguments=tuple(instead.get(given, given) for given in function.arguments),
        choice=choice
        and replace(
            choice,
            arguments=tuple(("", instead.get(given, given)) for _, given in choice.arguments),
        ),
    )
    return [f"    {rows} = await db.fetch({_call(changed)})"]


def _one(function: PyFunction) -> list[str]:
    row = _row(function)
    if row.nest:
        return _one_nested(function, row.nest)
    if row.cls is None:
        return _one_value(function, row)
    name = function.local("row")
    if function.exactly_one:
        return [f"({name},) = await db.fetch({_call(function)})", *from_row(row, name)]
    fetched = f"{name} = await db.fetchrow({_call(function)})"
    if expression := built(row, name):
        return [fetched, f"return None if {name} is None else {expression}"]
    return [fetched, f"if {name} is None:", "    return None", *from_row(row, name)]


def _one_nested(function: PyFunction, nest: PyNest) -> list[str]:
    rows, found = function.local("rows"), function.local("found")
    return [
        f"{rows} = await db.fetch({_call(function)})",
        f"{found} = {nest.name}({rows})",
        f"return {found}[0]" if function.exactly_one else f"return {found}[0] if {found} else None",
    ]


def _one_value(function: PyFunction, row: PyRow) -> list[str]:
    name = function.local("value")
    value = bare_value(row, name)
    call = f"await db.fetchval({_call(function)})"
    if value == name:
        return [f"{name}: {returns(function)} = {call}", f"return {name}"]
    absent = f"None if {name} is None else "
    if not function.exactly_one and not value.startswith(absent):
        value = absent + value
    return [f"{name} = {call}", f"return {value}"]


def _stream(function: PyFunction) -> list[str]:
    row = _row(function)
    rows, value = function.local("rows"), function.local("value")
    if row.nest:
        cursor = function.local("cursor")
        grouped = print_stream(row, row.nest, cursor, rows)
        return [f"{cursor} = await db.cursor({_call(function)})", *grouped]
    if row.cls is None:
        each = [f"    for ({value},) in {rows}:", f"        yield {bare_value(row, value)}"]
    elif row.starmapped or row.builder:
        name = function.local("row")
        each = [f"    for {name} in {mapped(row, rows)}:", f"        yield {name}"]
        if function.synchronous:
            each = [f"    yield from {mapped(row, rows)}"]
    else:
        each = [f"    for {unpacked(row)} in {rows}:", f"        yield {construct(row)}"]
    cursor = function.local("cursor")
    return [
        f"{cursor} = await db.cursor({_call(function)})",
        f"while {rows} := await {cursor}.fetch(chunk):",
        *each,
    ]


def _arrow(function: PyFunction) -> list[str]:
    row, arrow = function.local("row"), function.arrow
    assert arrow is not None  # noqa: S101  # every :arrow has a schema
    return [
        f"{row} = await db.fetchrow({_call(function)})",
        f"return arrow_batch({row}, {arrow.schema})",
    ]


def _copyfrom(function: PyFunction) -> list[str]:
    copy = function.copy
    assert copy is not None  # noqa: S101  # every :copyfrom has a plan
    schema = f"schema_name={line_literal(copy.schema)}, " if copy.schema else ""
    columns = ", ".join(line_literal(name) for name in copy.columns)
    rest = f"columns=[{columns}], records={_records(function)}"
    table = line_literal(copy.table)
    return _count(function, f"db.copy_records_to_table({table}, {schema}{rest})")


def _records(function: PyFunction) -> str:
    values = ", ".join(function.arguments)
    comma = "," if len(function.arguments) == 1 else ""
    return f"[({values}{comma}) for item in batch]"


def _batchexec(function: PyFunction) -> list[str]:
    return [f"await db.executemany({function.constant}, {_records(function)})"]


def _batchmany(function: PyFunction) -> list[str]:
    return [
        f"results: {returns(function)} = []",
        "for item in batch:",
        f"    rows = await db.fetch({_call(function)})",
        f"    results.append({from_rows(_row(function), 'rows', 'value')})",
        "return results",
    ]


def _batchone(function: PyFunction) -> list[str]:
    row = _row(function)
    lines = [f"results: {returns(function)} = []", "for item in batch:"]
    if function.exactly_one:
        lines.append(f"    (row,) = await db.fetch({_call(function)})")
    else:
        lines += [
            f"    row = await db.fetchrow({_call(function)})",
            "    if row is None:",
            "        results.append(None)",
            "        continue",
        ]
    if row.cls is None:
        lines.append("    (value,) = row")
        result = bare_value(row, "value")
    elif not (result := built(row, "row")):
        lines.append(f"    {targets(row)} = row")
        result = construct(row)
    return [*lines, f"    results.append({result})", "return results"]


def _pipelined(function: PyFunction) -> list[str]:
    """Emit code that requests the rows of a whole batch in one call."""
    row = _row(function)
    call = f"await db.fetchmany({function.constant}, {_records(function)})"
    if function.command is Command.BATCHMANY:
        return [
            f"results = {call}",
            f"return [{from_rows(row, 'rows', 'value')} for rows in results]",
        ]
    lines = [f"results: {returns(function)} = []", f"for rows in {call}:"]
    built = from_rows(row, "rows", "value")
    if function.exactly_one:
        return [*lines, f"    results += {built}", "return results"]
    return [*lines, f"    results += {built}[:1] or [None]", "return results"]


def _row(function: PyFunction) -> PyRow:
    assert function.row is not None  # noqa: S101  # commands that return rows have columns
    return function.row


_BODIES: dict[Command, Callable[[PyFunction], list[str]]] = {
    Command.EXEC: _exec,
    Command.EXECRESULT: _execresult,
    Command.EXECROWS: _execrows,
    Command.EXECLASTID: _execlastid,
    Command.MANY: _many,
    Command.PAGE: _page,
    Command.ONE: _one,
    Command.STREAM: _stream,
    Command.ARROW: _arrow,
    Command.COPYFROM: _copyfrom,
    Command.BATCHEXEC: _batchexec,
    Command.BATCHMANY: _batchmany,
    Command.BATCHONE: _batchone,
}
