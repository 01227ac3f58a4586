"""One-line descriptions of the compiler's own directives and macros."""

from __future__ import annotations

MACROS = {
    "sqlc.arg": "A parameter with this name: `sqlc.arg(name)`, the same as `@name`.",
    "sqlc.narg": "A parameter that may be None: `sqlc.narg(name)`.",
    "sqlc.slice": "A list of values: `id IN (sqlc.slice(ids))`.",
    "sqlc.embed": "The columns of a table as one nested row: `sqlc.embed(task)`.",
    "sqlc.include": "The SQL of a fragment, with these aliases: `sqlc.include(visible, task)`.",
    "sqlc.nest": "The joined rows of a table as a list: `sqlc.nest(task) AS tasks`.",
}
DIRECTIVES = {
    ":if": "The line is included only if the caller passes the parameter: `-- :if status`.",
    ":set": "The SET item is omitted if its parameter is UNSET: `-- :set`.",
    ":sort": "The caller chooses one of these sort keys: `-- :sort title, due asc|desc`.",
}
COMMANDS = {
    "one": "returns one row, or None if the query finds no row",
    "many": "returns all rows as a list",
    "exec": "returns nothing",
    "execrows": "returns the number of affected rows",
    "execresult": "returns the server's text about the statement, such as `INSERT 0 1`",
    "execlastid": "returns the last inserted id (MySQL)",
    "copyfrom": "inserts many rows by COPY",
    "batchexec": "runs the query once for each set of arguments",
    "batchmany": "runs once for each set of arguments; returns a list of rows for each set",
    "batchone": "runs once for each set of arguments; returns one row for each set",
    "stream": "yields rows as they arrive",
    "arrow": "returns a `pyarrow.RecordBatch` whose schema has the proved types",
    "page": "returns the rows of one page and the total: `LIMIT @size OFFSET @skip`",
}
OPTIONS = {
    "bulk": "inserts many rows with one statement",
    "batchget": "adds a function that reads many keys and returns a dict",
}
ANNOTATIONS = {
    "name": "the name and the command of the query: `name: GetUser :one`",
    "column": "the type or nullability of a column: `column: total Decimal!`",
    "param": "the type or nullability of a parameter: `param: note ?`",
    "row": "the name of the row class: `row: TaskLine`",
    "ignore": "silences a warning: `ignore: V002 few rows`",
    "tenant": "lets the query read every tenant's rows: `tenant: all why every tenant is meant`",
    "plan": "the budget of the query's plan: `plan: rows <= 1000, cost <= 500`",
    "notify": "a channel and its payload: `notify: order_changed orders`",
}
