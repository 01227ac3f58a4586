"""Find name clashes in generated code, because silent renaming would hide the problem."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count

from msgspec.structs import replace

from aiosqlc.analysis.batchget import batch_name
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import ParsedQuery, TypedQuery
from aiosqlc.plan.gathered import Gathered, Kind
from aiosqlc.plan.model import PyChannel, PyEnum, PyField, PyFunction, PyModule, PyParam
from aiosqlc.plan.naming import function_name, labels_table, member, module_name, spelled_member
from aiosqlc.plan.scope import numbered_names

# Names in the annotations and statements of a module, which a query's name would shadow.
_MODULE_NAMES = frozenset(
    {
        *("list", "int", "str", "float", "bool", "bytes", "dict", "tuple", "object", "Final"),
        *("map", "starmap", "dataclass", "attrs", "msgspec", "numbered", "constraint_error"),
        *("pyarrow", "arrow_batch", "arrow_schema"),
    }
)


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]  # adds while it filters


def _at_name(query: TypedQuery, text: str) -> tuple[Label, ...]:
    return (Label(query.parsed.file, query.parsed.name_span, text),)


def distinct_fields(
    query: TypedQuery, fields: Sequence[PyField]
) -> tuple[tuple[PyField, ...], list[Diagnostic]]:
    """Number the repeated column names of a row, and return a warning for each."""
    names = numbered_names([field.name for field in fields])
    renamed = [
        (field.name, name) for field, name in zip(fields, names, strict=True) if field.name != name
    ]
    problems = [
        Diagnostic(
            "E401",
            f"two columns would both be called `{name}`: one is renamed to `{other}`",
            _at_name(query, "the columns of this query's row"),
            f"rename one of the columns: `… AS other_{name}`",
            Severity.WARNING,
        )
        for name, other in renamed
    ]
    return tuple(map(_named, fields, names)), problems


def _named(field: PyField, name: str) -> PyField:
    return field if field.name == name else replace(field, name=name)


def functions_of(queries: Iterable[ParsedQuery]) -> dict[str, tuple[str, str]]:
    """Return each query's module and function name; equal names in one module get numbers."""
    files: dict[str, list[str]] = {}
    for query in queries:
        files.setdefault(module_name(query.file.path.name), []).append(query.name)
    return {
        name: (module, function_name(free))
        for module, names in files.items()
        for name, free in zip(names, numbered_names(names, function_name), strict=True)
    }


def renamed_function(query: TypedQuery, name: str) -> list[Diagnostic]:
    """Warn about a function whose name gets a number, because the name is already in use."""
    other = function_name(query.parsed.name)
    if function_name(name) == other:
        return []
    renamed = f"one is renamed to `{function_name(name)}`"
    message = f"two functions would both be called `{other}`: {renamed}"
    label = _at_name(query, "the second query with this name")
    return [Diagnostic("E404", message, label, "rename this query", Severity.WARNING)]


def check_parameters(
    query: TypedQuery, params: Sequence[PyParam], used: Collection[str]
) -> list[Diagnostic]:
    """Report a parameter whose name another parameter has, or which the function's body uses."""
    return [
        *(
            Diagnostic(
                "E402",
                f"two parameters would both be called `{name}`",
                _at_name(query, "the parameters of this query's function"),
                hint="name them yourself: `sqlc.arg(name)`",
            )
            for name in dict.fromkeys(_twice(item.name for item in params))
        ),
        *(
            Diagnostic(
                "E403",
                f"a parameter cannot be called `{item.name}` here",
                _at_name(query, "the generated function itself uses this name"),
                hint="name it otherwise: `sqlc.arg(name)`",
            )
            for item in params
            if item.name in used
        ),
    ]


def renamed_parameters(query: TypedQuery, names: Sequence[str]) -> list[Diagnostic]:
    """Warn about parameters whose names get a number, because the names are already in use."""
    return [
        Diagnostic(
            "E402",
            f"two parameters would both be called `{name}`: one is renamed to `{other}`",
            _at_name(query, "the parameters of this query's function"),
            "name them yourself: `sqlc.arg(name)`",
            Severity.WARNING,
        )
        for name, other in zip(names, numbered_names(names), strict=True)
        if name != other
    ]


def renamed_classes(needed: Gathered, models: PyModule) -> dict[Kind, str]:
    """Return new names for classes whose own names are already defined or imported.

    A row class keeps its name, because the user chose it.
    """
    named = list(needed.named)
    taken = {*_MODULE_CLASSES, *(name for _, name in models.imports)}
    taken |= {name for kind, name in named if kind[0] == "row class"}
    used, found = set(taken), dict[Kind, str]()
    every = taken | {word for kind, name in named for word in _defined(kind, name)}
    for kind, name in sorted(named, key=lambda item: (_KEPT.index(item[0][0]), item[0])):
        if kind[0] == "row class":
            continue
        if not used.isdisjoint(_defined(kind, name)):
            numbers = (f"{name}{number}" for number in count(2))
            free = (item for item in numbers if every.isdisjoint(_defined(kind, item)))
            found[kind] = next(free)
            every.update(_defined(kind, found[kind]))
            used.update(_defined(kind, found[kind]))
        else:
            used.update(_defined(kind, name))
    return found


def _defined(kind: Kind, name: str) -> tuple[str, ...]:
    """Return the names that a class defines in its module; an enum also defines its label table."""
    return (name, labels_table(name)) if kind[0] == "enum" else (name,)


def renamed_class(
    kind: Kind, renamed: Mapping[Kind, str], owners: Mapping[Kind, str], query: TypedQuery | None
) -> Diagnostic:
    """Warn about a class whose name gets a number, because the name is already in use."""
    plain, name = owners[kind], renamed[kind]
    first = (item for item, called in owners.items() if called == plain and item not in renamed)
    keeping = next(first, None)
    other = _said(keeping) if keeping else "an import"
    return Diagnostic(
        "E404",
        f"{other} and {_said(kind)} would both have a class `{plain}`: the second class is renamed"
        f" to `{name}`",
        _at_name(query, "needs that class") if query else (),
        "rename one of them",
        Severity.WARNING,
    )


def _said(kind: Kind) -> str:
    word, schema, name = kind
    return f"{word} `{f'{schema}.' if schema and schema != 'public' else ''}{name}`"


_KEPT = (
    "row class",
    "enum",
    "type",
    "table",
    "stored JSON",
)  # classes earlier in this list keep their names


def check_module(
    module: PyModule, queries: Sequence[TypedQuery], named: Sequence[tuple[Kind, str]] = ()
) -> list[Diagnostic]:
    """Report functions, constants, classes and imports with equal names in one module."""
    by_name = {batch_name(query.parsed.name): query for query in queries if query.batch}
    by_name |= {query.parsed.name: query for query in queries}
    owners = dict.fromkeys(_MODULE_NAMES, "a name that the generated code uses")
    owners |= dict.fromkeys((name for _, name in sorted(module.imports)), "an import")
    problems = []
    for function in module.members:
        own = _defines(function)
        mine = f"query `{function.query_name}`"
        if isinstance(function, PyChannel):
            mine = f"the channel `{function.channel}`"
        # By the owner of the first name, so that each cause is reported once.
        clashing: dict[str, str] = {}
        for name in own:
            other = owners.setdefault(name, mine)
            if other != mine:
                clashing.setdefault(other, name)
        query = by_name[function.query_name]
        problems += [_clash(query, name, other) for other, name in clashing.items()]
        problems += [_clash(query, name, mine) for name in dict.fromkeys(_twice(own))]
    classes = [*(enum.name for enum in module.enums), *(cls.name for cls in module.classes)]
    imported = sorted(module.imports)
    taken = [*_MODULE_CLASSES, *(name for _, name in imported)]
    for name in dict.fromkeys(_twice([*taken, *classes])):
        both = [_said(kind) for kind, called in named if called == name]
        both = both or [f"`{source}.{word}`" for source, word in imported if word == name]
        of = " and ".join(both)
        message = f"two generated names would both be `{name}` in {module.path.name}"
        message += f": {of}" if of else ""
        problems.append(Diagnostic("E404", message, hint="rename the table or the type"))
    return problems + [found for enum in module.enums for found in _numbered_members(enum)]


def _defines(function: PyFunction | PyChannel) -> list[str]:
    """Return the names that a query or a channel defines in its module."""
    classes = [cls.name for cls in function.own_classes]
    if isinstance(function, PyChannel):
        decoder = [function.decoder.name] if function.decoder else []
        return [function.notify, function.listen, function.constant, *classes, *decoder]
    own = [function.name, function.constant]
    own += [function.keyed.loader] if function.keyed and function.keyed.loader else []
    return [*own, *classes, *(decoder.name for decoder in function.decoders)]


_MODULE_CLASSES = ("Final", "StrEnum", "BaseModel", "ConfigDict")


def _numbered_members(enum: PyEnum) -> Iterator[Diagnostic]:
    """Yield a warning for each enum member that has a number, because another has the same name."""
    for name, label in enum.members:
        if name not in {member(label), spelled_member(label)}:
            yield Diagnostic(
                "E406",
                (
                    f"label {label!r} of enum {enum.name} is called `{name}`: without the number, "
                    "another label has the same name"
                ),
                hint="rename one: `ALTER TYPE … RENAME VALUE …`",
                severity=Severity.WARNING,
            )


def _clash(query: TypedQuery, name: str, other: str) -> Diagnostic:
    return Diagnostic(
        "E404",
        f"`{name}` is already the name of {other}",
        _at_name(query, f"would define `{name}` again"),
        hint="rename the channel, or the class of its payload"
        if query.parsed.channel
        else "rename this query",
    )
