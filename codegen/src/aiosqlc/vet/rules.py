"""The rules of `aiosqlc vet`, each with an example and a fix."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
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
            "LIMIT or OFFSET without ORDER BY returns whichever rows come first",
            "SELECT id FROM task LIMIT 10",
            "add an ORDER BY that ends with a unique column",
        ),
        Rule(
            "V005",
            "a pattern that begins with a wildcard cannot use an ordinary index",
            "WHERE name LIKE '%son'",
            "search from the start of the text, or use a trigram index",
        ),
        Rule(
            "V006",
            "tables joined by a comma without a condition multiply",
            "SELECT * FROM a, b",
            "write JOIN … ON …, or CROSS JOIN where every pair is meant",
        ),
        Rule(
            "V007",
            "locking many rows in no order invites deadlocks",
            "SELECT id FROM job WHERE ready FOR UPDATE",
            "add an ORDER BY on the primary key, or SKIP LOCKED",
        ),
        Rule(
            "V008",
            "a volatile function in WHERE is evaluated for every row",
            "WHERE random() < 0.1",
            "compute the value once: in a parameter or in a CTE",
        ),
        Rule(
            "V009",
            "a comparison with an optional parameter matches nothing where it is NULL",
            "WHERE owner = sqlc.narg(owner)",
            "use `-- :if owner` to leave the condition out, or IS NOT DISTINCT FROM",
        ),
        Rule(
            "V010",
            "two queries are the same",
            "-- two names, one text",
            "keep one of them",
        ),
        Rule(
            "V011",
            "a common table expression is never used",
            "WITH unused AS (SELECT 1) SELECT 2",
            "remove it",
        ),
        Rule(
            "V012",
            "no index serves the condition: the table is read from end to end (with --plans)",
            "WHERE lower(email) = @email",
            "add an index on what the condition compares, or compare what is indexed",
        ),
        Rule(
            "V013",
            "this outer join adds neither rows nor columns",
            "SELECT a.id FROM a LEFT JOIN b ON b.id = a.b_id",
            "leave it out",
        ),
        Rule(
            "V014",
            "no two rows can be equal: DISTINCT sorts or hashes them in vain",
            "SELECT DISTINCT id, name FROM task",
            "leave it out",
        ),
        Rule(
            "V015",
            "count of a column that is never NULL counts rows",
            "SELECT count(id) FROM task",
            "write `count(*)`",
        ),
        Rule(
            "V016",
            "the rows of a SELECT are thrown away",
            "-- name: Tasks :exec",
            "use `:one` or `:many`",
        ),
        Rule(
            "V017",
            "if a batch that writes and returns rows fails, the rows written before stay",
            "-- name: AddTasks :batchone",
            "call it in a transaction (psycopg undoes all of it anyway), or use `:many :bulk`",
        ),
        Rule(
            "V020",
            "a timestamp without time zone does not say which moment it means",
            "created_at timestamp",
            "use timestamptz",
        ),
        Rule(
            "V021",
            "binary floating point loses cents",
            "price float8",
            "use numeric, and a column for the currency",
        ),
        Rule(
            "V022",
            "the type money depends on the server's locale",
            "price money",
            "use numeric, and a column for the currency",
        ),
        Rule(
            "V023",
            "a table without a primary key has rows that look the same to every query",
            "CREATE TABLE log (line text)",
            "add a primary key",
        ),
        Rule(
            "V024",
            "Python has no such date or time",
            "valid_to timestamptz DEFAULT 'infinity'",
            "infinity arrives as the largest or smallest of its class, without a zone; an infinite"
            " interval, 24:00:00 and years BC raise when they are read: use NULL, and a CHECK that"
            " keeps them out",
        ),
        Rule(
            "V025",
            "the server does not check dimensions of arrays, but the Python type relies on them",
            "grid int[][]",
            "add a check such as `CHECK (array_ndims(grid) = 2)`",
        ),
    )
}
