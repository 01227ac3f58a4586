"""Plan the lists of nested rows that `sqlc.nest(t)` returns: their classes, fields and keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Command, Nesting, TypedEmbed, TypedQuery, TypeKind
from aiosqlc.plan.clashes import distinct_fields
from aiosqlc.plan.model import Import, PyClass, PyField, PyLevel, PyNest, PyNested, PyRow, PyType
from aiosqlc.plan.naming import attribute, camel, identifier, singular, snake


def path_of(embed: TypedEmbed) -> tuple[str, ...]:
    """Return the path of a list, such as `("books", "reviews")`."""
    return tuple(embed.name.split("."))


def class_name(query: TypedQuery, embed: TypedEmbed) -> str:
    """Return a class name for a list's rows, made of the query's name and the list's path."""
    return camel(query.parsed.name) + "".join(camel(singular(part)) for part in path_of(embed))


def with_lists(
    query: TypedQuery, nested: tuple[PyNested, ...], free: Callable[[str], str]
) -> tuple[tuple[PyNested, ...], list[Diagnostic]]:
    """Return the nested rows of a query; their classes get a field for each list inside them.

    `free` makes a name of a class that no other class of the query has.
    """
    nesting = query.nesting
    if not isinstance(nesting, Nesting):
        return nested, []
    found, problems = list(nested), list[Diagnostic]()
    for number in range(len(nesting.levels) - 1, 0, -1):
        level = nesting.levels[number]
        below = [item for item in nesting.levels[1:] if nesting.levels[item.parent] is level]
        if level.embed is None or not below:
            continue
        base = found[level.embed]
        lists = [
            list_field(query.embeds[item.embed], found[item.embed].cls)
            for item in below
            if item.embed is not None
        ]
        fields, clashes = distinct_fields(query, (*base.cls.fields, *lists))
        problems += clashes
        name = class_name(query, query.embeds[level.embed])
        cls = PyClass(free(name) if base.shared else base.cls.name, base.cls.kind, fields)
        found[level.embed] = replace(base, cls=cls, shared=False)
    return tuple(found), problems


def list_field(embed: TypedEmbed, cls: PyClass) -> PyField:
    """Return the field of a row class that holds a list of nested rows."""
    name = attribute(path_of(embed)[-1], cls.kind)
    return PyField(name, PyType(f"list[{cls.name}]", atomic=False))


def is_inner(query: TypedQuery, embed: TypedEmbed) -> bool:
    """Return whether a list is a field of another list's rows."""
    del query
    return embed.nest and len(path_of(embed)) > 1


def own_classes(query: TypedQuery, row: PyRow) -> list[PyClass]:
    """Return the nested-row classes that only this query uses, each before its first use."""
    nested = list(zip(row.nested, query.embeds, strict=True))
    nested.sort(key=lambda pair: -len(path_of(pair[1])) if pair[1].nest else 0)
    return [item.cls for item, _ in nested if not item.shared]


def planned(query: TypedQuery, row: PyRow, used: Collection[str]) -> PyRow:
    """Add to a row conversion the plan that groups joined rows, if the query nests rows.

    `used` are names that the variables of the grouping must not shadow.
    """
    nesting = query.nesting
    if not isinstance(nesting, Nesting) or row.cls is None:
        return row
    taken = {*used, *row.names, *(item.cls.name for item in row.nested), row.cls.name}
    levels = []
    for level in nesting.levels:
        if level.embed is None:
            variables = _free("parent", taken), _free("parents", taken)
            levels.append(
                PyLevel(row.cls, 0, len(row.columns), 0, level.key, None, True, *variables)
            )
            continue
        embed, item = query.embeds[level.embed], row.nested[level.embed]
        path = path_of(embed)
        one = _free(snake("_".join(map(singular, path))), taken)
        variables = one, _free(f"known_{snake('_'.join(path))}", taken)
        presence = embed.presence if embed.nullable else None
        levels.append(
            PyLevel(
                item.cls,
                item.first,
                item.count,
                level.parent,
                level.key,
                presence,
                level.repeats,
                *variables,
            )
        )
    fields = [_field_of(levels, nesting, query, number) for number in range(len(levels))]
    levels = [
        replace(item, field=name, moments=frozenset(filter(_moments(query), item.key)))
        for item, name in zip(levels, fields, strict=True)
    ]
    nest = PyNest(
        f"_{snake(query.parsed.name)}_nested",
        tuple(levels),
        _free("key", taken),
        _free("last", taken),
    )
    imports: set[Import] = {("typing", "Any")}
    if query.parsed.command is not Command.STREAM:
        imports.add(("collections.abc", "Iterable"))
    return replace(row, nest=nest, imports=row.imports | imports)


def _moments(query: TypedQuery) -> Callable[[int], bool]:
    """Return a function that returns whether a column holds a time with a time zone.

    When clocks are set back, an hour repeats; Python then treats two different times as equal,
    because they differ only in `fold`.
    """

    def has_zone(at: int) -> bool:
        kind = query.columns[at].type
        while kind.kind is TypeKind.DOMAIN and kind.base:
            kind = kind.base
        return kind.name == "timestamptz"

    return has_zone


def _field_of(levels: Sequence[PyLevel], nesting: Nesting, query: TypedQuery, number: int) -> str:
    """Return the attribute of the parent's class that contains the objects of a nesting level."""
    if not number:
        return ""
    level, parent = levels[number], levels[levels[number].parent]
    siblings = [at for at in range(1, len(levels)) if levels[at].parent == level.parent]
    if level.parent:  # the lists follow the columns
        return parent.cls.fields[parent.count + siblings.index(number)].name
    embed = nesting.levels[number].embed
    position = sum(
        not is_inner(query, other)
        for other in query.embeds
        if embed is not None and other.first < query.embeds[embed].first
    )
    return _names(query, parent.cls)[position]


def _names(query: TypedQuery, cls: PyClass) -> list[str]:
    """Return the attributes of a row class that contain nested objects, in order."""
    starts = {embed.first: embed for embed in query.embeds}
    names, position = [], 0
    fields = iter(cls.fields)
    while position < len(query.columns):
        embed = starts.get(position)
        position += embed.count if embed else 1
        if embed and is_inner(query, embed):
            continue
        field = next(fields)
        if embed:
            names.append(field.name)
    return names


def _free(name: str, taken: set[str]) -> str:
    name = identifier(name)
    while name in taken:
        name += "_"
    taken.add(name)
    return name
