"""The registry of rules for MySQL and MariaDB: each rule's guarantee, source and preconditions.

A rule is applied where its name is in the code: `….holds("limit", "…", …)` checks a precondition.
The tests drop each precondition in turn and search for rows that disprove the result.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiosqlc.analysis.rules import EVERY_PART, NOT_NULL, ONE_PART, ROWS, Rule, table_of


@dataclass(frozen=True)
class Premises:
    """Decides whether a precondition of a rule is met.

    `dropped` are preconditions that are assumed to be met, so that the tests can weaken a rule.
    """

    dropped: frozenset[tuple[str, str]] = frozenset()

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Return whether a precondition of a rule is met."""
        return bool(value) or (rule, premise) in self.dropped


STRICT = Premises()
"""The setting that checks every precondition."""


RULES = (
    Rule("expression", NOT_NULL, "An expression is computed from the values of one row.",
         "GROUP BY … WITH ROLLUP; Type Conversion", "nullness.infer",
         ("it is not in a super-aggregate row", "it is evaluated for a row",
          "no value is converted to another type")),
    Rule("column", NOT_NULL, "A NOT NULL column is not NULL in any row that is read.",
         "CREATE TABLE; JOIN Syntax", "nullness.infer",
         ("it is declared NOT NULL", "every outer join found a match", "a row was read")),
    Rule("condition",
        NOT_NULL, "An operand is not NULL if a condition is true only with a value.",
         "Comparison Operators; Logical Operators", "facts.facts_of",
         ("the function is strict", "it is compared with one value", "the list is not empty",
          "the test is false for NULL", "the constant cannot be converted to NULL",
          "what stands for NULL is false", "evaluating it again gives the same result")),
    Rule("constant", NOT_NULL, "A constant other than NULL is not NULL.", "Literals",
         "nullness.infer"),
    Rule("always", NOT_NULL, "IS NULL, IS TRUE and EXISTS are true or false.",
         "Comparison Operators; Subqueries with EXISTS", "nullness.infer"),
    Rule("using", NOT_NULL, "Columns that USING and NATURAL JOIN compare are not NULL.",
         "JOIN Syntax", "facts.settle",
         ("it is an inner join", "no outer join stands around it")),
    Rule("operator", NOT_NULL, "Operators without NULL operands are not NULL.", "Operators",
         "nullness.infer", (EVERY_PART, "no date is changed")),
    Rule("null-safe", NOT_NULL, "<=> is true or false.", "NULL-safe equal",
         "nullness.infer", ("it is not part of a chain of comparisons",)),
    Rule("division",
        NOT_NULL, "A division by a constant other than 0 is not NULL without NULL operands.",
         "Arithmetic Operators",
         "nullness.infer", (EVERY_PART, "the divisor is a constant other than 0")),
    Rule("quantified", NOT_NULL, "ANY and ALL without NULL on either side are not NULL.",
        "Subqueries and ALL",
         "nullness.infer", (EVERY_PART,)),
    Rule("in", NOT_NULL, "IN without NULL on either side is not NULL.",
        "Comparison Functions: IN()",
         "nullness.infer", (EVERY_PART,)),
    Rule("coalesce", NOT_NULL, "COALESCE is not NULL if one of its arguments is not.",
         "Comparison Functions: COALESCE()", "nullness.infer", (ONE_PART,)),
    Rule("cast", NOT_NULL, "A cast of a value to a number or a text is not NULL.",
         "Cast Functions and Operators", "nullness.infer",
         (EVERY_PART, "every value can be cast")),
    Rule("case", NOT_NULL, "CASE is not NULL if no branch is, under its own condition.",
         "Flow Control Functions", "nullness.infer",
         (EVERY_PART, "a condition of one branch does not apply to another",
          "a condition that is always true ends it")),
    Rule("subquery",
        NOT_NULL, "A subquery that always returns a row is NULL only if its column is.",
         "The Subquery as Scalar Operand", "nullness.infer",
         ("it has a row", "its column is not NULL")),
    Rule("parameter", NOT_NULL, "A required parameter is not NULL.", "Prepared Statements",
         "nullness.infer", ("it does not accept None",)),
    Rule("window", NOT_NULL, "A window function is not NULL if its frame contains the current row.",
         "Window Function Frame Specification", "nullness.infer",
         (EVERY_PART, "the frame contains the current row")),
    Rule("aggregate", NOT_NULL, "An aggregate over a group is not NULL if its input is not.",
         "Aggregate Functions", "nullness.infer",
         (EVERY_PART, "every group has a row", "HAVING is true only for a row",
          "it is NULL only if all its inputs are")),
    Rule("recursion", NOT_NULL, "A column of a recursive query is NULL only if a round makes NULL.",
         "WITH: Recursive Common Table Expressions", "recursion.of_rounds",
         (EVERY_PART, "no value is converted to another type")),
    Rule("set-operation", NOT_NULL,
         "UNION returns values of both parts, INTERSECT of either, EXCEPT of the left one.",
         "UNION; INTERSECT; EXCEPT", "reader.of_both",
         (EVERY_PART, ONE_PART, "no value is converted to another type")),
    Rule("never-null-function", NOT_NULL, "Some built-ins never return NULL.",
         "Built-In Functions; functions.py", "nullness.infer"),
    Rule("declared-function", NOT_NULL, "The configuration declares the function never NULL.",
         "never_null_functions", "nullness.infer"),
    Rule("function", NOT_NULL, "A total function without NULL arguments is not NULL.",
         "Built-In Functions; functions.py", "nullness.infer", (EVERY_PART, "it is total")),
    Rule("unique-key",
        ROWS, "If all columns of a unique key are bound, a table has at most one row.",
         "CREATE INDEX; Type Conversion in Expression Evaluation", "relational.closure.Closure",
         ("every column is bound", "the comparison is that of the key",
          "ON binds only the optional side", "it reads current rows, not older versions",
          "the other side does not depend on a row")),
    Rule("group-keys", ROWS, "Rows with equal keys form one group, or one row of DISTINCT.",
         "GROUP BY; SELECT: DISTINCT", "relational.rows.RowCounter.at_most_one",
         ("every key has one value", "there is one grouping set")),
    Rule("set-operation-rows", ROWS,
         "INTERSECT returns no more rows than either part, EXCEPT no more than the left one.",
         "INTERSECT; EXCEPT", "relational.rows.RowCounter.at_most_one", ("no UNION",)),
    Rule("one-row", ROWS,
         "An aggregate without GROUP BY returns one row, and so does INSERT of one row.",
         "Aggregate Functions; INSERT … RETURNING", "relational.rows.RowCounter.at_most_one"),
    Rule("limit", ROWS, "LIMIT 1 returns at most one row.", "SELECT: LIMIT",
         "relational.rows.RowCounter.at_most_one", ("no WITH TIES",)),
    Rule("some-row", ROWS,
         "A query without conditions returns a row if all its sources have one.",
         "Aggregate Functions; SELECT", "relational.rows.RowCounter.at_least_one",
         ("no condition", "no HAVING", "no OFFSET", "LIMIT allows a row",
          "ON CONFLICT always writes")),
)  # fmt: skip


def table() -> str:
    """Return the registry as a table for the manual."""
    return table_of(RULES, "###")
