"""Render the class whose methods insert a row, and the rows to which its foreign keys refer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.recipes import Name, Reference, TableRecipe
from aiosqlc.emit.imports import import_lines
from aiosqlc.emit.literal import docstring, indented
from aiosqlc.factories.statements import number_of, query_names, reading
from aiosqlc.ir import TypedQuery
from aiosqlc.plan.model import Import, PyFunction, PyModule, PyParam
from aiosqlc.plan.naming import snake

_CLASS = "Factory"
_DOC = (
    "Inserts rows that the constraints of the schema accept.",
    "",
    "Pass the values that a test is about; the factory chooses the others. The factory also",
    "inserts the rows that a new row must refer to. `None` means that the factory chooses the",
    "value. A counter that starts at `first` makes values unique: pass different numbers if",
    "several factories share a database.",
)


class _Made(Struct, frozen=True):
    """The insert method of one table: the generated function, and its parameters by column.

    If the function does not return the new row, `read` is the function that reads the row. A table
    without a key has no such function.
    """

    recipe: TableRecipe
    function: PyFunction
    params: Mapping[str, PyParam]
    read: PyFunction | None = None
    read_params: Mapping[str, PyParam] = field(default_factory=dict)

    @property
    def returning(self) -> PyFunction:
        """Return the generated function that returns the new row."""
        return self.read or self.function

    @property
    def name(self) -> str:
        return f"make_{self.function.name.removeprefix('insert_')}"

    @property
    def returned(self) -> str:
        return self.returning.row.annotation if self.returning.row else "None"

    def attribute(self, column: str, row: str) -> str:
        """Return the Python expression that reads a column of the returned row `row`."""
        shown = self.returning.row
        if shown is None or shown.cls is None:
            return row
        return f"{row}.{shown.cls.fields[self.recipe.shown.index(column)].name}"


def print_factory(
    header: str, tables: Sequence[TableRecipe], queries: Sequence[TypedQuery], module: PyModule
) -> str:
    """Return the source of the module that defines the factory class."""
    functions = {function.query_name: function for function in module.functions}
    typed = {query.parsed.name: query for query in queries}
    names = query_names(tables)
    made: dict[Name, _Made] = {}
    for recipe in tables:
        function, query = functions[names[recipe.table]], typed[names[recipe.table]]
        by_column = _by_column(function, query)
        made[recipe.table] = _Made(recipe, function, by_column)
        reader = functions.get(reading(names[recipe.table]))
        if reader is not None:
            more = _by_column(reader, typed[reader.query_name])
            made[recipe.table] = replace(made[recipe.table], read=reader, read_params=more)
    executors = sorted({function.executor for function in module.functions})
    executor = executors[0] if len(executors) == 1 else ("", "_Database")
    methods = [_method(one, made, module.path.stem) for one in made.values()]
    init = indented(
        f"def __init__(self, db: {executor[1]}, *, first: int = 1) -> None:",
        ["self._db = db", "self._numbers = itertools.count(first)"],
    )
    body = [docstring(_DOC)]
    for method in (init, *methods):
        body += ["", method]
    imports = _imports(module, executors)
    database = [] if len(executors) == 1 else [*_database(executors), "", ""]
    return "\n".join(
        (
            header,
            '"""A factory of rows for tests."""',
            "",
            *import_lines(imports, module.first_party),
            "",
            # A parameter may have the name of the module.
            f"_{module.path.stem} = {module.path.stem}",
            "",
            "",
            *database,
            indented(f"class {_class_name(imports)}:", body),
            "",
        )
    )


def _class_name(imports: set[Import]) -> str:
    """Return a class name that differs from all imported row classes."""
    name = _CLASS
    while any(item[1] == name for item in imports):
        name += "_"
    return name


def _by_column(function: PyFunction, query: TypedQuery) -> dict[str, PyParam]:
    """Return the parameters of a function by their names in the query."""
    ordered = sorted(query.params, key=lambda param: param.number)
    names = [param.name for param in ordered]
    return dict(zip(names, function.params, strict=True))


def _database(executors: Sequence[Import]) -> Iterator[str]:
    """Yield the source of a Protocol that combines the given executor Protocols."""
    names = ", ".join(name for _, name in executors)
    yield indented(
        f"class _Database({names}, Protocol):", [docstring(("Runs the factory's statements.",))]
    )


def _imports(module: PyModule, executors: Sequence[Import]) -> set[Import]:
    found: set[Import] = {("itertools", ""), *executors}
    found |= {("typing", "Protocol")} if len(executors) > 1 else set()
    own = {cls.name for function in module.functions for cls in function.own_classes}
    here = executors[0][0].removesuffix("executor")
    for function in module.functions:
        for param in function.params:
            found |= param.type.imports_in(param.type.annotation)
        if function.row:
            found |= {item for item in function.row.imports if item[1] in function.row.annotation}
    found |= {(f"{here}{module.path.stem}", name) for name in own}
    found.add((here.rstrip(".") or ".", module.path.stem))
    return found


def _method(one: _Made, made: Mapping[Name, _Made], module: str) -> str:
    number, own = number_of(one.recipe), one.function.local("self")
    given = {column: param for column, param in one.params.items() if column != number}
    head = ", ".join(
        f"{param.name}: {_optional(param.type.annotation)} = None" for param in given.values()
    )
    call = ", ".join(f"{param.name}={param.name}" for param in given.values())
    if number in one.params and one.read is None:
        call = f"{one.params[number].name}=next({own}._numbers), {call}".removesuffix(", ")
    wait = "" if one.function.synchronous else "await "
    lines = [docstring(_about(one))]
    for reference in one.recipe.references:
        lines += _referenced(reference, one, made[reference.table], f"{wait}{own}")
    called = f"{wait}_{module}.{one.function.name}({own}._db{', ' if call else ''}{call})"
    if one.read is not None:
        lines += _read(one, one.read, number, f"{wait}_{module}.", call)
    elif one.function.row is None:
        lines.append(called)
    elif one.function.exactly_one:
        lines.append(f"return {called}")
    else:
        lines += [
            f"made_row = {called}",
            "if made_row is None:",
            '    raise LookupError("a trigger or a rule skipped the row")',
            "return made_row",
        ]
    define = "def" if one.function.synchronous else "async def"
    star = ", *, " if head else ""
    return indented(f"{define} {one.name}({own}{star}{head}) -> {one.returned}:", lines)


def _about(one: _Made) -> tuple[str, ...]:
    said = f"Insert a row of the table `{'.'.join(_shown(one.recipe.table))}`."
    if one.returning.row:
        return (said,)
    return (said, "", "Returns nothing, because the table has no key by which to read the row.")


def _read(one: _Made, read: PyFunction, number: str, prefix: str, call: str) -> Iterator[str]:
    """Yield the lines that insert a row and then read the row by its key."""
    own, counted = one.function.local("self"), one.function.local("row_number")
    last, row = one.function.local("row_id"), one.function.local("made_row")
    if number in one.params or number in one.read_params:
        yield f"{counted} = next({own}._numbers)"
    if number in one.params:
        call = f"{one.params[number].name}={counted}, {call}".removesuffix(", ")
    inserted = f"{prefix}{one.function.name}({own}._db{', ' if call else ''}{call})"
    yield f"{last} = {inserted}" if one.recipe.counted in one.read_params else inserted
    given = []
    for column, param in one.read_params.items():
        if column == number:
            given.append(f"{param.name}={counted}")
        elif column == one.recipe.counted:
            name = one.params[column].name
            given.append(f"{param.name}={last} if {name} is None else {name}")
        else:
            given.append(f"{param.name}={one.params[column].name}")
    yield f"{row} = {prefix}{read.name}({own}._db, {', '.join(given)})"
    yield f"if {row} is None:"
    yield '    raise LookupError("the new row cannot be read")'
    yield f"return {row}"


def _referenced(reference: Reference, one: _Made, there: _Made, called: str) -> Iterator[str]:
    """Yield the lines that insert the referenced row if the caller does not pass its key."""
    params = [one.params[column].name for column in reference.columns]
    yield f"if {' or '.join(f'{name} is None' for name in params)}:"
    row = one.function.local(f"{snake(there.recipe.table[1])}_row")
    # A column that is part of several references has one value in all of them.
    passed = ", ".join(
        f"{there.params[column].name}={name}"
        for name, column in zip(params, reference.foreign, strict=True)
        if column in there.params and len(params) > 1
    )
    yield f"    {row} = {called}.{there.name}({passed})"
    for name, column in zip(params, reference.foreign, strict=True):
        yield f"    {name} = {there.attribute(column, row)}"


def _optional(annotation: str) -> str:
    return (
        annotation
        if annotation.endswith("| None") or annotation == "Any"
        else f"{annotation} | None"
    )


def _shown(table: Name) -> Name | tuple[str]:
    return (table[1],) if table[0] == "public" else table
