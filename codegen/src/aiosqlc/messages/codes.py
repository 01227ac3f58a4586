"""The registry of diagnostic codes with their meanings.

The table in the manual is generated from this registry.
"""

from __future__ import annotations

CODES = {
    "E001": "a missing or unreadable configuration file",
    "E002": "a configuration file that is not valid YAML",
    "E003": "a value that is not allowed for this key of the configuration",
    "E004": "a key that has no effect at this place of the configuration (warning)",
    "E005": "an unknown key in the configuration",
    "E006": "a key that occurs twice in a mapping of the configuration",
    "E007": "a file or folder that does not exist or contains no SQL",
    "E008": "an unreadable file: not UTF-8, with a NUL byte, or outside the repository",
    "E009": "a call of `sql` in a Python file whose argument is not one string literal",
    "E101": "an unknown annotation",
    "E102": "a malformed `name` line",
    "E103": "a query name that cannot be the name of a Python function",
    "E104": "a query name without a command",
    "E105": "a command or option without its leading colon",
    "E106": "two commands for one query",
    "E107": "an unknown command or option",
    "E108": "a malformed hint",
    "E109": "an `ignore` comment without a code or without a reason",
    "E110": "a query name that is used twice",
    "E111": "a `name` line without a query",
    "E112": "a `name` line inside another statement; a semicolon is probably missing",
    "E113": (
        "two statements under one query name; as a warning: a statement without a name, or a "
        "query that is only `BEGIN`"
    ),
    "E114": "a string or comment that is not closed",
    "E115": "a query file without a query (warning)",
    "E120": "an unknown macro",
    "E121": "a macro such as `sqlc.arg` whose argument is not exactly one name",
    "E122": "MySQL: a session variable `@name` where a parameter was probably intended (warning)",
    "E123": "a parameter as a sort key in ORDER BY, which does not sort the rows",
    "E124": "MySQL: a parameter in the syntax of PostgreSQL, `$1`",
    "E125": (
        "a single value where a list was probably intended, or the reverse: `IN (@ids)`, `= "
        "sqlc.slice(ids)` (warning)"
    ),
    "E126": "a parameter inside a string, or a space after the `@` of a parameter (warning)",
    "E127": "MySQL: `||` with a text operand; `||` means OR in MySQL (warning)",
    "E130": "an unknown directive of a dynamic query",
    "E131": "a malformed directive of a dynamic query",
    "E132": "a numbered parameter in a dynamic query",
    "E133": "a dynamic query whose optional parts allow too many different SQL texts",
    "E134": "`:set` or `:if` without the name of a parameter",
    "E135": "a dynamic UPDATE whose SET list can be empty",
    "E140": "an include of an unknown fragment",
    "E141": "a malformed fragment",
    "E142": "a fragment that is defined twice",
    "E143": "an include with wrong arguments",
    "E144": "a fragment that includes itself, or more than 1000 fragments in a query",
    "E145": "a fragment that does not fit the SQL around its include, such as one with a WHERE",
    "E146": "a fragment that uses an undefined alias, or whose own alias hides an argument",
    "E147": "a fragment that no query includes (warning)",
    "E150": "a malformed `notify` line, or a statement or name that cannot declare a payload",
    "E200": "a syntax error in the schema",
    "E201": "any other error that the server reports in the schema",
    "E202": "a statement of the schema that uses a missing table",
    "E203": "a schema feature that the server lacks; as a warning: an extension that it lacks",
    "E204": "a statement of the schema that creates an object which already exists",
    "E210": "no database server is available",
    "E211": "a server older than PostgreSQL 16",
    "E212": "a server on which the compiler cannot create a temporary database",
    "E213": (
        "MySQL syntax that the available MariaDB server rejects; the query is analysed without a "
        "server"
    ),
    "E214": "an executable comment that MySQL and MariaDB read differently",
    "E215": "a query that is only partly analysed, because only the server can parse it",
    "E216": "a schema that would change other databases of a shared server",
    "E217": "a schema statement, clause or type that the compiler skips or replaces (warning)",
    "E218": "MySQL: a query whose types cannot be inferred without a server",
    "E219": "`grants`: an object whose privileges cannot be determined",
    "E300": "a syntax error in a query",
    "E301": "any other error that the server reports in a query",
    "E310": "a query that uses a missing table",
    "E311": "a column that does not exist",
    "E312": "a function or operator that does not exist for the types of its arguments",
    "E313": "a parameter whose type cannot be determined",
    "E314": "a parameter that is used with two incompatible types",
    "E315": "an ambiguous column",
    "E316": "two expressions, or a value and its column, whose types do not match",
    "E317": "a column that is neither grouped nor aggregated",
    "E318": "a type or other object that does not exist",
    "E319": "PostgreSQL: a function such as `user` where a table was probably intended (warning)",
    "E320": "`:one` that may return many rows",
    "E321": "a command that returns rows, on a statement that returns no rows",
    "E322": "a command that discards the rows of the query (warning)",
    "E330": "a query that cannot be used with `:bulk` or as a batch",
    "E340": "a hint or an override for something that does not exist",
    "E341": (
        "an override that converts values in only one direction, if a query needs the other "
        "direction"
    ),
    "E342": "`sqlc.embed` of something that is not a whole row of a table",
    "E343": "`selfcheck`: an override whose Python object cannot be imported",
    "E344": "`sqlc.nest` in a query that cannot return lists, or with an unknown path",
    "E345": "`sqlc.nest` of rows for which no unique key is proved",
    "E346": (
        "a `:stream` query with `sqlc.nest` whose ORDER BY does not keep the items of a list "
        "together"
    ),
    "E347": "a declared structure for a column that does not exist or is not JSON",
    "E348": "a Python class for stored JSON that is missing, or into which JSON cannot be decoded",
    "E349": "a JSON Schema file that is missing, invalid, or has an unsupported keyword",
    "E350": "two engines: a query that only one engine has",
    "E351": "two engines or drivers: a query whose parameters or result differ",
    "E352": "two engines: `same_as` does not name an earlier entry",
    "E360": "`selfcheck`: a result that contradicts a type or another guarantee of the compiler",
    "E361": "a hint `!` that a row disproves",
    "E362": "`selfcheck`: a query that was never executed (warning)",
    "E370": "an SQL text whose columns or parameters differ from those of the generated function",
    "E371": "a statement that always fails (error), or that can never insert a row (warning)",
    "E372": "a query or view about which nothing could be proved (warning)",
    "E373": "a `*` that could not be expanded to column names (warning)",
    "E374": "a query that may touch another tenant's rows",
    "E375": "a CHECK constraint that contradicts the declared structure of stored JSON",
    "E376": "`verify`: a stored JSON column or value without the declared structure",
    "E380": "`verify`: generated code that does not work with another version of the schema",
    "E390": "a `:page` query whose rows cannot be counted or paged",
    "E391": "a `:page` query whose order is not total: two rows may have equal sort keys",
    "E392": "a `:page` query with a sort key that may be NULL, or that a cursor cannot contain",
    "E395": "a `:batchget` query that cannot read many keys at once",
    "E396": "a notification whose payload differs from the one that its channel declares",
    "E397": (
        "a notification whose payload is not proved to be the one that its channel declares "
        "(warning)"
    ),
    "E398": "an `:arrow` query whose result has no exact Arrow schema",
    "E401": (
        "two columns with the same name; the second column gets a number, such as `id_2` (warning)"
    ),
    "E402": (
        "two parameters with the same name; the second parameter gets a number, such as `id_2` "
        "(warning)"
    ),
    "E403": (
        "a parameter of a dynamic query with a name that the generated function itself uses, such "
        "as `db` (in other queries, the parameter is renamed to `db_`)"
    ),
    "E404": (
        "two names that collide in a module; the second function or class gets a number (warning)"
    ),
    "E405": "a shared row class with two different sets of columns",
    "E406": "two labels of an enum with the same Python name; the second label gets a number",
    "E410": (
        "a `:copyfrom` query that is not a plain INSERT, or that has a type which the driver "
        "cannot copy"
    ),
    "E411": "`:execlastid` on PostgreSQL",
    "E412": "a query with optional parts whose command does not support them",
    "E414": "`:execlastid` on a statement that returns no id",
    "E415": "an anonymous row (`ROW(…)`) with a field that the driver cannot read",
    "E417": "a `notify` line in a package whose driver has no listener",
    "E501": "a file that was not generated, at the path of a generated file",
    "E502": "a file that cannot be written",
    "E503": "two generated files with the same path",
    "E900": (
        "an internal error of the compiler on a query (exit code 70); `aiosqlc report` prints a "
        "bug report"
    ),
}


def table() -> str:
    """Return the registry as a table for the manual."""
    rows = [f"| {code} | {meaning} |" for code, meaning in CODES.items()]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])
