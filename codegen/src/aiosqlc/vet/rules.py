"""The rules of `aiosqlc vet`, each with an example and a fix."""

from __future__ import annotations

from msgspec import Struct


class Rule(Struct, frozen=True):
    """A rule. `example` is SQL that violates the rule, `fix` is the replacement."""

    code: str
    title: str
    example: str
    fix: str


RULES = {
    rule.code: rule
    for rule in (
        Rule(
            "V001",
            "a comparison with NULL is never true",
            "WHERE deleted_at = NULL",
            "write `IS NULL` or `IS NOT NULL`",
        ),
        Rule(
            "V002",
            "an UPDATE or DELETE without WHERE changes every row",
            "DELETE FROM session",
            "add a WHERE clause, or say why in `-- ignore: V002 …`",
        ),
        Rule(
            "V003",
            "NOT IN (SELECT …) is never true once the subquery returns a NULL",
            "WHERE id NOT IN (SELECT manager_id FROM staff)",
            "write `NOT EXISTS (SELECT … WHERE …)`",
        ),
        Rule(
            "V004",
            "LIMIT or OFFSET without ORDER BY returns arbitrary rows",
            "SELECT id FROM task LIMIT 10",
            "add an ORDER BY whose last key is unique",
        ),
        Rule(
            "V005",
            "a pattern that begins with a wildcard cannot use an ordinary index",
            "WHERE name LIKE '%son'",
            "search from the start of the text, or use a trigram index",
        ),
        Rule(
            "V006",
            "tables that are joined by a comma without a condition form a cross product",
            "SELECT * FROM a, b",
            "write JOIN … ON …, or CROSS JOIN to get every pair",
        ),
        Rule(
            "V007",
            "locking many rows without an order can cause deadlocks",
            "SELECT id FROM job WHERE ready FOR UPDATE",
            "add an ORDER BY on the primary key, or SKIP LOCKED",
        ),
        Rule(
            "V008",
            "a volatile function in WHERE is evaluated for every row",
            "WHERE random() < 0.1",
            "compute the value once, in a parameter or in a CTE",
        ),
        Rule(
            "V009",
            "a comparison with a nullable parameter matches no row if the parameter is NULL",
            "WHERE owner = sqlc.narg(owner)",
            "use `-- :if owner` to leave the condition out, or IS NOT DISTINCT FROM",
        ),
        Rule(
            "V010",
            "two queries have the same SQL",
            "-- two queries with the same SQL",
            "remove one of the queries",
        ),
        Rule(
            "V011",
            "a common table expression is never used",
            "WITH unused AS (SELECT 1) SELECT 2",
            "remove it",
        ),
        Rule(
            "V012",
            (
                "without an index for the condition, the query reads the whole table (checked "
                "with --plans)"
            ),
            "WHERE lower(email) = @email",
            "add an index on the compared expression, or compare an indexed column",
        ),
        Rule(
            "V013",
            "this outer join adds neither rows nor columns",
            "SELECT a.id FROM a LEFT JOIN b ON b.id = a.b_id",
            "leave it out",
        ),
        Rule(
            "V014",
            "DISTINCT has no effect, because the rows are already distinct",
            "SELECT DISTINCT id, name FROM task",
            "leave it out",
        ),
        Rule(
            "V015",
            "count() of a column that is never NULL counts all rows",
            "SELECT count(id) FROM task",
            "write `count(*)`",
        ),
        Rule(
            "V016",
            "the rows of a SELECT are discarded",
            "-- name: Tasks :exec",
            "use `:one` or `:many`",
        ),
        Rule(
            "V017",
            (
                "if a batch that writes and returns rows fails, the rows that its earlier "
                "statements wrote stay in the table"
            ),
            "-- name: AddTasks :batchone",
            (
                "call the function in a transaction (with psycopg the whole batch is undone "
                "anyway), or use `:many :bulk`"
            ),
        ),
        Rule(
            "V020",
            "a timestamp without time zone does not identify an instant",
            "created_at timestamp",
            "use timestamptz",
        ),
        Rule(
            "V021",
            "binary floating-point types cannot store amounts of money exactly",
            "price float8",
            "use numeric, and store the currency in another column",
        ),
        Rule(
            "V022",
            "the format of the type money depends on the server's locale",
            "price money",
            "use numeric, and store the currency in another column",
        ),
        Rule(
            "V023",
            "rows of a table without a primary key cannot be distinguished",
            "CREATE TABLE log (line text)",
            "add a primary key",
        ),
        Rule(
            "V024",
            "Python cannot represent this date or time",
            "valid_to timestamptz DEFAULT 'infinity'",
            "infinity is returned as the largest or smallest value of the Python class; an infinite"
            " interval, 24:00:00 and years BC raise an error when they are read: use NULL, and add"
            " a CHECK that excludes these values",
        ),
        Rule(
            "V025",
            "the server does not check dimensions of arrays, but the Python type relies on them",
            "grid int[][]",
            "add a check such as `CHECK (array_ndims(grid) = 2)`",
        ),
    )
}
