"""The registry of rules for MySQL and MariaDB: each rule's guarantee, source and preconditions.

The code that applies a rule contains its name: `….holds("limit", "…", …)` checks a precondition.
The tests remove one precondition at a time, and search for rows that disprove the guarantee.
"""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.analysis.rules import EVERY_PART, NOT_NULL, ONE_PART, ROWS, Rule, table_of


class Premises(Struct, frozen=True):
    """Decides whether the precondition of a rule is met; a test can disable a precondition.

    `dropped` are preconditions that are treated as met, so that the tests can weaken a rule.
    """

    dropped: frozenset[tuple[str, str]] = frozenset()

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Return whether a precondition of a rule is met, or a test disables the precondition."""
        return bool(value) or (rule, premise) in self.dropped


STRICT = Premises()
"""The setting in which every precondition is checked; none is disabled."""


RULES = (
    Rule("expression", NOT_NULL,
         "Only the values of its columns in a row decide if an expression is NULL in this row.",
         "GROUP BY … WITH ROLLUP; Type Conversion", "nullness.infer",
         ("the row is not a super-aggregate row of ROLLUP", "the expression is evaluated for a row",
          "no value is converted to another type")),
    Rule("column", NOT_NULL, "A NOT NULL column is not NULL in a row that the query reads.",
         "CREATE TABLE; JOIN Syntax", "nullness.infer",
         ("the column is declared NOT NULL", "every outer join found a match",
          "a row of the table was read")),
    Rule("condition",
        NOT_NULL, (
            "An operand of a condition is not NULL in a row for which the condition is true, if "
            "the condition is never true for a NULL operand."
        ),
         "Comparison Operators; Logical Operators", "facts.facts_of",
         ("the function is strict", "the operand is compared with a single value",
          "the list is not empty",
          "the test is false for a NULL operand", "the constant cannot be converted to NULL",
          "the value that replaces NULL is false",
          "a second evaluation of the operand gives the same value")),
    Rule("constant", NOT_NULL, "A constant, such as `1` or `'a'`, is not NULL.", "Literals",
         "nullness.infer"),
    Rule("always", NOT_NULL, "IS NULL, IS TRUE and EXISTS are true or false.",
         "Comparison Operators; Subqueries with EXISTS", "nullness.infer"),
    Rule("using", NOT_NULL, "Columns that USING or NATURAL JOIN compares are not NULL.",
         "JOIN Syntax", "facts.settle",
         ("the join is an inner join", "no outer join contains the join")),
    Rule("operator", NOT_NULL, "An operator is not NULL if its operands are not NULL.", "Operators",
         "nullness.infer", (EVERY_PART, "the operation does not change a date")),
    Rule("null-safe", NOT_NULL, "<=> is true or false.", "NULL-safe equal",
         "nullness.infer", ("the comparison is not part of a chain of comparisons",)),
    Rule("division",
        NOT_NULL, "A division by a constant other than 0 is not NULL if its operands are not NULL.",
         "Arithmetic Operators",
         "nullness.infer", (EVERY_PART, "the divisor is a constant other than 0")),
    Rule("quantified", NOT_NULL, "ANY and ALL are not NULL if neither operand contains NULL.",
        "Subqueries and ALL",
         "nullness.infer", (EVERY_PART,)),
    Rule("in", NOT_NULL, "IN is not NULL if neither operand contains NULL.",
        "Comparison Functions: IN()",
         "nullness.infer", (EVERY_PART,)),
    Rule("coalesce", NOT_NULL, "COALESCE is not NULL if one of its arguments is not NULL.",
         "Comparison Functions: COALESCE()", "nullness.infer", (ONE_PART,)),
    Rule("cast", NOT_NULL, "A cast to a number or a text is not NULL if its operand is not NULL.",
         "Cast Functions and Operators", "nullness.infer",
         (EVERY_PART, "every value can be cast")),
    Rule("case", NOT_NULL,
         "CASE is not NULL if every branch is not NULL under the condition of the branch.",
         "Flow Control Functions", "nullness.infer",
         (EVERY_PART, "each branch is checked under its own condition only",
          "a condition that is always true ends the CASE")),
    Rule("subquery",
        NOT_NULL,
        "A scalar subquery is not NULL if it always returns a row and its column is not NULL.",
         "The Subquery as Scalar Operand", "nullness.infer",
         ("the subquery returns a row", "the column of the subquery is not NULL")),
    Rule("parameter", NOT_NULL,
         "A parameter is not NULL if the generated function does not accept None for it.",
         "Prepared Statements",
         "nullness.infer", ("the parameter does not accept None",)),
    Rule("window", NOT_NULL, (
        "A window function over not-null values is not NULL if the window frame contains the "
        "current row."
    ),
         "Window Function Frame Specification", "nullness.infer",
         (EVERY_PART, "the window frame contains the current row")),
    Rule("aggregate", NOT_NULL, "An aggregate over a group is not NULL if its input is not NULL.",
         "Aggregate Functions", "nullness.infer",
         (EVERY_PART, "every group has a row", "HAVING is true only for a group with a row",
          "the aggregate is NULL only if all its inputs are NULL")),
    Rule("recursion", NOT_NULL, (
        "A column of a recursive query is not NULL if no term of the query returns NULL for the "
        "column."
    ),
         "WITH: Recursive Common Table Expressions", "recursion.of_rounds",
         (EVERY_PART, "no value is converted to another type")),
    Rule("set-operation", NOT_NULL,
         (
             "UNION returns values of both operands, INTERSECT returns common values, and EXCEPT "
             "returns values of the left operand."
         ),
         "UNION; INTERSECT; EXCEPT", "reader.of_both",
         (EVERY_PART, ONE_PART, "no value is converted to another type")),
    Rule("never-null-function", NOT_NULL, "Some built-in functions never return NULL.",
         "Built-In Functions; functions.py", "nullness.infer"),
    Rule("declared-function", NOT_NULL,
         "The configuration declares that the function never returns NULL.",
         "`not_null_functions` of the configuration", "nullness.infer"),
    Rule("function", NOT_NULL,
         "Some built-in functions are not NULL if their arguments are not NULL.",
         "Built-In Functions; functions.py", "nullness.infer", (EVERY_PART,
         "the function returns NULL only for NULL arguments")),
    Rule("unique-key",
         ROWS, (
             "A table contributes at most one row if the query compares all columns of a unique "
             "key for equality."
         ),
         "CREATE INDEX; Type Conversion in Expression Evaluation", "relational.closure.Closure",
         ("every column of the key is compared with a value",
          "the comparison and the key treat the same values as equal",
          "ON of an outer join restricts only the joined table",
          "the query reads current rows, not older row versions",
          "the other operand does not depend on a row of the table")),
    Rule("group-keys", ROWS,
         "GROUP BY and DISTINCT return at most one row if each of their keys has a single value.",
         "GROUP BY; SELECT: DISTINCT", "relational.rows.RowCounter.at_most_one",
         ("every key column has a single value", "the query has a single grouping set")),
    Rule("set-operation-rows", ROWS,
         (
             "INTERSECT returns no more rows than either operand, and EXCEPT returns no more rows "
             "than the left operand."
         ),
         "INTERSECT; EXCEPT", "relational.rows.RowCounter.at_most_one", ("no UNION",)),
    Rule("one-row", ROWS,
         "An aggregate without GROUP BY, or an INSERT of one row, returns one row.",
         "Aggregate Functions; INSERT … RETURNING", "relational.rows.RowCounter.at_most_one"),
    Rule("limit", ROWS, "A query with LIMIT 1 returns at most one row.", "SELECT: LIMIT",
         "relational.rows.RowCounter.at_most_one", ("no WITH TIES",)),
    Rule("some-row", ROWS,
         "A query without conditions returns a row if each of its tables has a row.",
         "Aggregate Functions; SELECT", "relational.rows.RowCounter.at_least_one",
         ("no condition", "no HAVING", "no OFFSET", "LIMIT allows at least one row",
          "ON CONFLICT always updates the existing row")),
)  # fmt: skip


def table() -> str:
    """Return the registry as a table for the manual."""
    return table_of(RULES, "###")
