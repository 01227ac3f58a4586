"""The register of rules for MySQL and MariaDB: what is claimed, by what right, with what premises.

A rule is applied where its name stands in the code: `holds("limit", "…", …)` asks for a premise.
The tests drop each premise in turn and look for rows that refute what is then claimed.
"""

from __future__ import annotations

from aiosqlc.analysis.rules import EVERY_PART, NOT_NULL, ONE_PART, ROWS, Rule, table_of

dropped: frozenset[tuple[str, str]] = frozenset()
"""Premises that are taken to be met. So the tests weaken a rule; no other code fills it."""


def holds(rule: str, premise: str, value: object) -> bool:
    """Return whether a premise of a rule of the register is met."""
    return bool(value) or (rule, premise) in dropped


RULES = (
    Rule("expression", NOT_NULL, "An expression is made of the values of one row.",
         "GROUP BY … WITH ROLLUP; Type Conversion", "nullness.is_not_null",
         ("it is in no super-aggregate row", "it is run for a row",
          "no value is read as one of another type")),
    Rule("column", NOT_NULL, "A NOT NULL column has a value in every row that is read.",
         "CREATE TABLE; JOIN Syntax", "nullness.is_not_null",
         ("it is declared NOT NULL", "every outer join found a match", "a row was read")),
    Rule("condition", NOT_NULL, "What a condition needs to be true has a value in every row.",
         "Comparison Operators; Logical Operators", "facts.true_columns",
         ("the function is strict", "it is compared with one value", "the list has a value",
          "the test is false for NULL", "the constant cannot be read as NULL")),
    Rule("operator", NOT_NULL, "Operators make values of values.", "Operators",
         "nullness.is_not_null", (EVERY_PART, "no date is moved")),
    Rule("null-safe", NOT_NULL, "<=> is true or false.", "NULL-safe equal",
         "nullness.is_not_null", ("it stands in no chain",)),
    Rule("division", NOT_NULL, "A value divided by a number is a value.", "Arithmetic Operators",
         "nullness.is_not_null", (EVERY_PART, "the divisor is a number other than 0")),
    Rule("quantified", NOT_NULL, "ANY and ALL compare with values.", "Subqueries and ALL",
         "nullness.is_not_null", (EVERY_PART,)),
    Rule("in", NOT_NULL, "IN compares a value with values.", "Comparison Functions: IN()",
         "nullness.is_not_null", (EVERY_PART,)),
    Rule("coalesce", NOT_NULL, "COALESCE gives its first value that is not NULL.",
         "Comparison Functions: COALESCE()", "nullness.is_not_null", (ONE_PART,)),
    Rule("cast", NOT_NULL, "A cast to a number or a text makes a value of a value.",
         "Cast Functions and Operators", "nullness.is_not_null",
         (EVERY_PART, "every value can be cast")),
    Rule("case", NOT_NULL, "CASE has a value if every branch has, under its own condition.",
         "Flow Control Functions", "nullness.is_not_null",
         (EVERY_PART, "a branch knows its own row only")),
    Rule("subquery", NOT_NULL, "A subquery that always has a row has the value of its column.",
         "The Subquery as Scalar Operand", "nullness.is_not_null",
         ("it has a row", "its column has a value")),
    Rule("parameter", NOT_NULL, "A required parameter has a value.", "Prepared Statements",
         "nullness.is_not_null", ("None is not allowed",)),
    Rule("window", NOT_NULL, "A window function is a value where its frame has the current row.",
         "Window Function Frame Specification", "nullness.is_not_null",
         (EVERY_PART, "the frame has the current row")),
    Rule("aggregate", NOT_NULL, "An aggregate over a group that has a value is a value.",
         "Aggregate Functions", "nullness.is_not_null",
         (EVERY_PART, "every group has a row", "it is NULL of NULLs only")),
    Rule("function", NOT_NULL, "A total function gives values for values.",
         "Built-In Functions; functions.py", "nullness.is_not_null", (EVERY_PART, "it is total")),
    Rule("unique-key", ROWS, "A unique key matched in full pins a table to one row.",
         "CREATE INDEX; Type Conversion in Expression Evaluation", "cardinality.of_select",
         ("every column is bound", "it is compared as the key is",
          "ON binds the optional side only", "the rows are those of now",
          "no super-aggregate row")),
    Rule("group-keys", ROWS, "Rows with equal keys make one group.", "GROUP BY",
         "cardinality.of_select", ("every key has one value",)),
    Rule("one-row", ROWS, "INSERT of one row returns one row.", "INSERT … RETURNING",
         "cardinality.of_insert", ("there is one row",)),
    Rule("limit", ROWS, "LIMIT 1 lets one row through.", "SELECT: LIMIT", "cardinality.limited",
         ("the number is 0 or 1",)),
    Rule("some-row", ROWS, "An aggregate without GROUP BY, or a SELECT without FROM, has a row.",
         "Aggregate Functions; SELECT", "cardinality.of_select",
         ("no HAVING", "no WHERE", "no OFFSET", "no IGNORE")),
)  # fmt: skip
STATEMENTS = {rule.name: rule.statement for rule in RULES}


def table() -> str:
    """Return the register as a page of the manual has it."""
    return table_of(RULES, "###")
