"""The rules of `aiosqlc vet --plans` that need the statistics of a production database."""

from __future__ import annotations

from msgspec import Struct


class Rule(Struct, frozen=True):
    """A rule. `example` is SQL that violates the rule, and `fix` is the remedy."""

    code: str
    title: str
    example: str
    fix: str


RULES = {
    rule.code: rule
    for rule in (
        Rule(
            "V030",
            "an index would make this query much cheaper",
            "WHERE customer_id = @id -- on 50 million rows without an index",
            "create the index that the finding proposes",
        ),
        Rule(
            "V031",
            "a delete reads a whole referencing table, because the foreign key has no index",
            "DELETE FROM customer WHERE id = @id",
            "create an index on the columns of the foreign key",
        ),
        Rule(
            "V032",
            "a sort or a hash table exceeds work_mem, so the server writes it to the disk",
            "SELECT * FROM orders ORDER BY note",
            "read fewer rows or columns, create an index in this order, or set a larger work_mem",
        ),
        Rule(
            "V033",
            "a function or a cast on a column prevents the use of the column's index",
            "WHERE lower(email) = @email -- with an index on email",
            "compare the column itself, or index the expression",
        ),
        Rule(
            "V034",
            "a pattern that begins with a wildcard reads a whole large table",
            "WHERE note LIKE '%late' -- on 50 million rows",
            "search from the start of the text, or create a trigram index (pg_trgm)",
        ),
        Rule(
            "V035",
            "the plan exceeds the budget of the query",
            "-- plan: rows <= 1000, cost <= 500",
            "change the query or its indexes, or raise the budget",
        ),
        Rule(
            "V036",
            "OFFSET reads and discards the rows of all earlier pages",
            "ORDER BY id LIMIT 20 OFFSET @skip -- on 50 million rows",
            "use `:page`, which starts each page after the last row of the previous page",
        ),
        Rule(
            "V037",
            "NOT IN reads the result of its sub-select again for each row",
            "WHERE id NOT IN (SELECT order_id FROM refund)",
            "write NOT EXISTS (SELECT … WHERE …), which the server can plan as a join",
        ),
        Rule(
            "V038",
            "a nested loop compares all pairs of rows of two large inputs",
            "FROM a JOIN b ON a.note LIKE b.pattern",
            "join by an equality, or reduce the rows before the join",
        ),
        Rule(
            "V039",
            "this index is useless, because another index begins with the same columns",
            "CREATE INDEX ON orders (customer_id) -- and one on (customer_id, created_at)",
            "drop the index; writes then become cheaper",
        ),
    )
}
