"""Write one INSERT per table, as a query file for the compiler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from aiosqlc.analysis.recipes import ColumnRecipe, Name, Recipes, Syntax, TableRecipe
from aiosqlc.plan.naming import camel

NUMBER = "n"
"""The parameter whose value differs in each row that a test inserts."""


def query_names(tables: Sequence[TableRecipe]) -> Mapping[Name, str]:
    """Map each table to the name of its INSERT query.

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
    """Return the parameter name `n`, with underscores if a column of the table has the name."""
    name = NUMBER
    while any(column.name == name for column in recipe.columns):
        name += "_"
    return name


def reading(name: str) -> str:
    """Return the name of the query that reads the row of an INSERT without RETURNING."""
    return f"Read{name.removeprefix('Insert')}"


def query_file(recipes: Recipes) -> str:
    """Return the text of the query file with one INSERT per table."""
    names = query_names(recipes.tables)
    return "\n".join(
        line
        for recipe in recipes.tables
        for line in (*_statement(recipe, names[recipe.table], recipes.syntax), "")
    )


def _statement(recipe: TableRecipe, name: str, syntax: Syntax) -> Iterator[str]:
    parts = recipe.table if syntax.schemas else recipe.table[1:]
    into = ".".join(_quoted(part, syntax) for part in parts)
    end = " RETURNING *;" if syntax.returning else ";"
    yield f"-- name: {name} {_command(recipe, syntax)}"
    if recipe.columns:
        yield f"INSERT INTO {into} ("
        yield "    " + ", ".join(_quoted(column.name, syntax) for column in recipe.columns)
        yield ") VALUES ("
        last = len(recipe.columns) - 1
        for place, column in enumerate(recipe.columns):
            yield f"    {_value(recipe, column, syntax)}{',' if place < last else ''}"
        yield f"){end}"
    else:
        yield f"INSERT INTO {into} {syntax.empty}{end}"
    if recipe.key:
        yield ""
        yield f"-- name: {reading(name)} :one"
        yield f"SELECT * FROM {into} WHERE {_is_new(recipe, syntax)} LIMIT 1;"  # noqa: S608 - quoted names


def _command(recipe: TableRecipe, syntax: Syntax) -> str:
    if syntax.returning:
        return ":one"
    return ":execlastid" if recipe.counted in recipe.key else ":exec"


def _value(recipe: TableRecipe, column: ColumnRecipe, syntax: Syntax) -> str:
    required = {name for reference in recipe.references for name in reference.columns}
    number = syntax.number.format(f"sqlc.arg({number_of(recipe)})")
    macro = "arg" if column.name in required else "narg"
    value = f"sqlc.{macro}({_macro_name(column.name)})"
    return f"coalesce({value}, {column.value.replace('{n}', number)})" if column.value else value


def _is_new(recipe: TableRecipe, syntax: Syntax) -> str:
    """Return the condition that selects, by its key, the row that an INSERT has just added."""
    by_name = {column.name: column for column in recipe.columns}
    tests = []
    for name in recipe.key:
        counted = name == recipe.counted
        value = (
            f"sqlc.arg({_macro_name(name)})" if counted else _value(recipe, by_name[name], syntax)
        )
        tests.append(f"{_quoted(name, syntax)} = {value}")
    return " AND ".join(tests)


def _quoted(name: str, syntax: Syntax) -> str:
    return syntax.quote + name.replace(syntax.quote, syntax.quote * 2) + syntax.quote


def _macro_name(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
