"""Render the function that reads the rows of many keys, and the function that makes a loader."""

from __future__ import annotations

from aiosqlc.emit.literal import docstring, indented, line_literal
from aiosqlc.emit.rows import bare_value, built, construct, mapped, unpacked
from aiosqlc.plan.model import PyFunction, PyKeyed, PyNest, PyRow


def row_of_key(function: PyFunction) -> str:
    """Return the annotation of the result for one key: a row, or a list of rows."""
    row, keyed = _parts(function)
    return row.annotation if keyed.unique else f"list[{row.annotation}]"


def by_key(function: PyFunction, call: str) -> list[str]:
    """Return the statements that fetch the rows of many keys and return them in a dict."""
    row, keyed = _parts(function)
    rows = function.local("rows")
    key, value, names = _each(function, row, keyed)
    statements = [f"if not {keyed.keys}:\n    return {{}}", f"{rows} = {call}"]
    if row.nest:
        return [*statements, *_nested(function, row.nest, rows)]
    source = _source(row, keyed, rows)
    if keyed.unique:
        return [*statements, f"return {{{key}: {value} for {names} in {source}}}"]
    found = _free(function, "found")
    kind = f"dict[{keyed.type.annotation}, {row_of_key(function)}]"
    return [
        *statements,
        f"{found}: {kind} = {{}}",
        f"for {names} in {source}:",
        f"    {found}.setdefault({key}, []).append({value})",
        f"return {found}",
    ]


def _nested(function: PyFunction, nest: PyNest, rows: str) -> list[str]:
    """Return the statements that group the rows by key, and nest the rows of each key."""
    _, keyed = _parts(function)
    found, key, row = (_free(function, name) for name in ("found", "key", "row"))
    names, decoded = _key(function, keyed)
    first = "[0]" if keyed.unique else ""
    return [
        f"{found}: dict[{keyed.type.annotation}, list[list[Any]]] = {{}}",
        f"for *{row}, {names} in {rows}:",
        f"    {found}.setdefault({decoded}, []).append({row})",
        f"return {{{key}: {nest.name}({row}){first} for {key}, {row} in {found}.items()}}",
    ]


def print_loader(function: PyFunction, receiver: str, db: str) -> str:
    """Return the source of the function that makes a loader; its first parameter is `receiver`."""
    _, keyed = _parts(function)
    rest = [param for param in function.params if param.name != keyed.keys]
    shown = "".join(
        f", {param.name}: {param.type.annotation}{param.default and f' = {param.default}'}"
        for param in rest
    )
    most = _free(function, "max_batch")
    value = row_of_key(function)
    if keyed.unique and not value.endswith("None"):
        value = f"{value} | None"
    head = (
        f"def {keyed.loader}({receiver}, *{shown}, {most}: int = 1000)"
        f" -> Loader[{keyed.type.annotation}, {value}]:"
    )
    given = "".join(f", {param.name}={param.name}" for param in rest)
    keys = _free(function, "keys")
    call = f"{db}{function.name}" if db else f"{function.name}"
    first = "" if db else "db, "
    missing = "lambda: None" if keyed.unique else "list"
    said = f"Return a loader that combines concurrent `load` calls into calls of `{function.name}`."
    read = f"lambda {keys}: {call}({first}{keyed.keys}={keys}{given})"
    rest_of_call = [read, missing, most, f"{db}_db" if db else "db"]
    if any(keyed.kinds):
        kinds = ", ".join(map(line_literal, keyed.kinds))
        rest_of_call.append(f"({kinds}{',' if len(keyed.kinds) == 1 else ''})")
    lines = [docstring((said,)), f"return Loader({', '.join(rest_of_call)})"]
    return indented(head, lines)


def _parts(function: PyFunction) -> tuple[PyRow, PyKeyed]:
    assert function.row is not None  # noqa: S101 # a query that reads has columns
    assert function.keyed is not None  # noqa: S101 # the caller has asked
    return function.row, function.keyed


def _free(function: PyFunction, name: str) -> str:
    """Return a name for a variable that is neither a parameter nor a column of the row."""
    taken = function.row.names if function.row and function.row.cls else ()
    while name in taken or function.local(name) != name:
        name += "_"
    return name


def _each(function: PyFunction, row: PyRow, keyed: PyKeyed) -> tuple[str, str, str]:
    """Return the expressions of a row's key and value, and the loop variables for the row."""
    if keyed.position is not None:
        if row.cls is None:
            value = _free(function, "value")
            return _in_utc(value, keyed.kinds[0]), value, value
        name = _free(function, "row")
        field = f"{name}.{row.cls.fields[keyed.position].name}"
        return _in_utc(field, keyed.kinds[0]), name, name
    names, decoded = _key(function, keyed)
    if row.cls is None:
        value = _free(function, "value")
        return decoded, bare_value(row, value), f"{value}, {names}"
    if expression := built(row, _free(function, "row")):
        return decoded, expression, f"*{_free(function, 'row')}, {names}"
    return decoded, construct(row), f"{', '.join(row.names)}, {names}"


def _key(function: PyFunction, keyed: PyKeyed) -> tuple[str, str]:
    """Return the variables for a key's columns, and the expression that builds the key."""
    counted = [f"key_{at}" if at > 1 else "key" for at, _ in enumerate(keyed.columns, 1)]
    names = [_free(function, name) for name in counted]
    values = [
        _in_utc(column.decode.replace("{}", name) or name, kind)
        for column, name, kind in zip(keyed.columns, names, keyed.kinds, strict=True)
    ]
    key = ", ".join(values)
    return ", ".join(names), key if len(values) == 1 else f"({key})"


def _in_utc(key: str, kind: str) -> str:
    """Return the expression of a key; a time with a time zone is converted to UTC.

    When clocks are set back, an hour repeats, and a dict treats two times of a zone as equal.
    Infinity is a datetime without a time zone.
    """
    return f"{key}.astimezone(UTC) if {key}.tzinfo else {key}" if kind == "aware" else key


def _source(row: PyRow, keyed: PyKeyed, rows: str) -> str:
    if keyed.position is None:
        return rows
    if row.cls is None:
        return f"({bare_value(row, 'value')} for (value,) in {rows})"
    if row.starmapped or row.builder:
        return mapped(row, rows)
    return f"({construct(row)} for {unpacked(row)} in {rows})"
