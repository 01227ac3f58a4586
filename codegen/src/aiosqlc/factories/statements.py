"""Write one INSERT per table, as a query file for the compiler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from aiosqlc.analysis.recipes import Name, TableRecipe
from aiosqlc.plan.naming import camel

NUMBER = "n"
"""The parameter whose value differs in each row that a test inserts."""


def query_names(tables: Sequence[TableRecipe]) -> Mapping[Name, str]:
    """Return the name of each table's query.

    Names for tables outside `public` include the schema.
    """
    plain = {recipe.table: camel(recipe.table[1]) for recipe in tables}
    count = Counter(plain.values())
    return {
        table: f"Insert{name}"
        if table[0] == "public" and (count[name] == 1 or table[1].islower())
        else f"Insert{camel(table[0])}{name}"
        for table, name in plain.items()
    }


def number_of(recipe: TableRecipe) -> str:
    """Return a name for the parameter `n` that no column of the table has."""
    name = NUMBER
    while any(column.name == name for column in recipe.columns):
        name += "_"
    return name


def query_file(tables: Sequence[TableRecipe]) -> str:
    """Return the text of the query file."""
    names = query_names(tables)
    return "\n".join(
        line for recipe in tables for line in (*_statement(recipe, names[recipe.table]), "")
    )


def _statement(recipe: TableRecipe, name: str) -> Iterator[str]:
    into = ".".join(map(_quoted, recipe.table))
    yield f"-- name: {name} :one"
    if not recipe.columns:
        yield f"INSERT INTO {into} DEFAULT VALUES RETURNING *;"  # noqa: S608 - quoted names
        return
    yield f"INSERT INTO {into} ("
    yield "    " + ", ".join(_quoted(column.name) for column in recipe.columns)
    yield ") VALUES ("
    required = {column for reference in recipe.references for column in reference.columns}
    number = f"sqlc.arg({number_of(recipe)})::bigint"
    last = len(recipe.columns) - 1
    for place, column in enumerate(recipe.columns):
        macro = "arg" if column.name in required else "narg"
        value = f"sqlc.{macro}({_macro_name(column.name)})"
        if column.value:
            value = f"coalesce({value}, {column.value.replace('{n}', number)})"
        yield f"    {value}{',' if place < last else ''}"
    yield ") RETURNING *;"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _macro_name(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
