"""One-line descriptions of the compiler's own directives and macros."""

from __future__ import annotations

MACROS = {
    "sqlc.arg": "A parameter with this name: `sqlc.arg(name)`, the same as `@name`.",
    "sqlc.narg": "A parameter that may be None: `sqlc.narg(name)`.",
    "sqlc.slice": "A list of values: `id IN (sqlc.slice(ids))`.",
    "sqlc.embed": "The columns of a table as one nested row: `sqlc.embed(task)`.",
}
DIRECTIVES = {
    ":if": "The line is there only if the parameter was passed: `-- :if status`.",
    ":set": "The SET item is left out while its parameter is UNSET: `-- :set`.",
    ":sort": "The caller chooses the sort among these columns: `-- :sort title, due asc|desc`.",
}
COMMANDS = {
    "one": "returns one row; `T | None` where there may be none",
    "many": "returns all rows as a list",
    "exec": "returns nothing",
    "execrows": "returns how many rows were touched",
    "execresult": "returns the driver's result",
    "execlastid": "returns the last inserted id (MySQL)",
    "copyfrom": "inserts many rows by COPY",
    "batchexec": "runs once for each of many sets of arguments",
    "batchmany": "returns the rows of each of many sets of arguments",
    "batchone": "returns one row for each of many sets of arguments",
    "stream": "yields rows as they come",
    "page": "returns the rows of one page and the total: `LIMIT @size OFFSET @skip`",
}
ANNOTATIONS = {
    "name": "the query's name and command: `name: GetUser :one`",
    "column": "a column's type or NULL: `column: total Decimal!`",
    "param": "a parameter's type or NULL: `param: note ?`",
    "row": "the name of the row class: `row: TaskLine`",
    "ignore": "a warning that is fine here: `ignore: V002 few rows`",
}
