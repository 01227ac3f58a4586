"""The register of rules: what is claimed, by what right, and which premises each claim needs.

A rule is applied where its name stands in the code: `never("case", …)` claims by it, and
`facts.holds("limit", "no WITH TIES", …)` asks for a premise. The tests drop each premise in turn
and look for rows that refute what is then claimed.
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_NULL, ELEMENTS, ROWS = "not null", "array elements", "rows"
EVERY_PART, ONE_PART = "every part has a value", "one part has a value"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `source` is a chapter of PostgreSQL's manual or a file of its source.

    `applied_by` is the function in `aiosqlc.postgres.infer` that applies it, `premises` are what it
    asks for beside the kind of expression it is about.
    """

    name: str
    claim: str
    statement: str
    source: str
    applied_by: str
    premises: tuple[str, ...] = ()


RULES = (
    # --- where a column comes from ----------------------------------------------------------------
    Rule("column", NOT_NULL,
         "A column that nothing can leave out has the value its source gives it.",
         "Table Expressions; Returning Data from Modified Rows; GROUPING SETS",
         "relations.judge_var",
         ("every outer join found a match", "the key is grouped once",
          "the write has such a row")),
    Rule("column-constraint", NOT_NULL,
         "A table's column with a NOT NULL constraint has a value in every row.",
         "Constraints: Not-Null Constraints; Inheritance: Caveats", "relations.judge_var",
         ("NOT NULL is declared", "it is validated", "every child has it too")),
    Rule("system-column", NOT_NULL, "A system column of a stored row has a value.",
         "System Columns", "relations.judge_var"),
    Rule("whole-row", NOT_NULL, "A row as a whole is not NULL, whatever its columns are.",
         "Row and Array Comparison; Composite Types", "relations.judge_var"),
    Rule("values", NOT_NULL, "A column of VALUES has a value if it has one in every row.",
         "VALUES Lists", "relations.judge_var", (EVERY_PART,)),
    Rule("merged-column", NOT_NULL,
         "The merged column of FULL JOIN … USING has a value if both sides' columns have one.",
         "Joined Tables", "relations.judge_var", (EVERY_PART,)),
    Rule("set-operation", NOT_NULL,
         "UNION has the values of both arms, INTERSECT those of either, EXCEPT those of the left.",
         "Combining Queries", "relations.column_in",
         (EVERY_PART, ONE_PART, "no cast of the user's")),
    Rule("recursion", NOT_NULL,
         "A recursive query's columns are the least solution of its two terms.",
         "Recursive Queries", "relations.judge_var", ("the recursive term keeps it",)),
    Rule("ordinality", NOT_NULL, "WITH ORDINALITY numbers every row.", "Table Functions",
         "relations.judge_var"),
    Rule("function-column", NOT_NULL,
         "Some columns of built-in table functions always have a value.",
         "JSON Processing Functions", "relations.judge_var",
         ("no longer function beside it", "this column is a value")),
    Rule("contradiction", NOT_NULL,
         "Of a query whose conditions contradict each other, or with LIMIT 0, no row gets out.",
         "The WHERE Clause; LIMIT and OFFSET", "truth.has_no_rows"),
    Rule("condition", NOT_NULL,
         "What a condition needs to be true has a value in every row that gets out.",
         "Comparison Functions and Operators; executor/execExprInterp.c", "prover.Prover.judge",
         ("the function is strict", "the array has an element", "the outcome needs a comparison",
          "computing it again gives the same", "it speaks of the row that is returned",
          "no trigger changes it")),
    Rule("assigned-value", NOT_NULL,
         "RETURNING shows the values that INSERT and UPDATE give.",
         "Returning Data from Modified Rows; INSERT; Trigger Behavior",
         "relations.assigned_value",
         (EVERY_PART, "no trigger changes it", "ON CONFLICT gives one too")),
    # --- expressions ------------------------------------------------------------------------------
    Rule("constant", NOT_NULL, "A constant that is not NULL has a value.", "Constants",
         "values.judge_const"),
    Rule("parameter", NOT_NULL, "A required parameter has a value.", "Positional Parameters",
         "values.judge_param", ("None is not allowed",)),
    Rule("always", NOT_NULL,
         "IS NULL, IS TRUE, row and array constructors, grouping() and their kin have a value.",
         "Comparison Functions and Operators; Value Expressions", "values.judge_always"),
    Rule("domain-cast", NOT_NULL, "A cast to a NOT NULL domain refuses NULL.", "Domain Types",
         "values.judge_domain", ("the domain is NOT NULL",)),
    Rule("boolean", NOT_NULL, "AND, OR and NOT of values are values.", "Logical Operators",
         "values.judge_boolean", (EVERY_PART,)),
    Rule("coalesce", NOT_NULL, "COALESCE gives its first value that is not NULL.",
         "Conditional Expressions", "values.judge_coalesce", (ONE_PART,)),
    Rule("greatest-least", NOT_NULL, "GREATEST and LEAST ignore NULL.", "Conditional Expressions",
         "values.judge_minmax", (ONE_PART,)),
    Rule("distinct-from", NOT_NULL,
         "IS DISTINCT FROM is true or false where the type's = is the server's own.",
         "Comparison Functions and Operators; executor/execExprInterp.c",
         "values.judge_distinct", ("the server's own equality",)),
    Rule("row-comparison", NOT_NULL, "A comparison of rows of values is true or false.",
         "Row and Array Comparisons; executor/execExprInterp.c", "values.judge_row_compare",
         (EVERY_PART, "the server's own comparisons")),
    Rule("case", NOT_NULL,
         "CASE has a value if every branch that can be reached has, under its own condition.",
         "Conditional Expressions", "values.judge_case",
         (EVERY_PART, "a branch knows its own row only")),
    Rule("json", NOT_NULL, "A JSON constructor makes JSON.", "JSON Functions and Operators",
         "values.judge_json", (EVERY_PART,)),
    Rule("json-exists", NOT_NULL, "JSON_EXISTS of a document is true or false.",
         "SQL/JSON Query Functions", "values.judge_json_expression",
         (EVERY_PART, "ON ERROR is not UNKNOWN")),
    Rule("xml", NOT_NULL, "xmlelement makes an element.", "XML Functions", "values.judge_xml"),
    Rule("exists", NOT_NULL, "EXISTS is true or false.", "Subquery Expressions",
         "sublinks.judge_sublink"),
    Rule("scalar-subquery", NOT_NULL,
         "A subquery that always has a row has the value of its column.", "Scalar Subqueries",
         "sublinks.judge_sublink", ("its column has a value", "it has a row")),
    Rule("subquery-comparison", NOT_NULL, "IN, ANY and ALL compare a value with values.",
         "Subquery Expressions", "sublinks.judge_sublink", (EVERY_PART,)),
    # --- functions --------------------------------------------------------------------------------
    Rule("total-function", NOT_NULL,
         "A strict built-in that gave no NULL when it was called gives values for values.",
         "CREATE FUNCTION; totality/", "functions.judge_call", (EVERY_PART, "it is total")),
    Rule("never-null-function", NOT_NULL, "Some built-ins give a value whatever they get.",
         "Functions and Operators", "functions.judge_call",
         ("it is in the list", "no VARIADIC array")),
    Rule("any-argument-function", NOT_NULL, "array_cat() is NULL only if both arguments are.",
         "Array Functions and Operators", "functions.judge_call", (ONE_PART,)),
    Rule("first-argument-function", NOT_NULL,
         "format(), concat_ws() and a few others are NULL only for a NULL first argument.",
         "String Functions and Operators", "functions.judge_call",
         (EVERY_PART, "no VARIADIC array")),
    Rule("moment-field", NOT_NULL,
         "extract() of a year, century or epoch is a number for infinity too.",
         "Date/Time Functions and Operators: EXTRACT", "functions.judge_call",
         (EVERY_PART, "infinity has it too")),
    Rule("declared-function", NOT_NULL, "The user declared the function never NULL.",
         "`not_null_functions` of the configuration", "functions.judge_call"),
    Rule("user-function", NOT_NULL,
         "A function of the user's in standard SQL gives what its body gives.",
         "SQL Functions", "user_functions.body_verdict",
         (EVERY_PART, "a strict one gets values", "its body has a row")),
    Rule("value-set", NOT_NULL, "Some set-returning built-ins have values only.",
         "Set Returning Functions", "functions.set_element_verdict",
         ("it is the only set beside it", "its rows are values")),
    Rule("subscript", NOT_NULL,
         "An element of ARRAY[…], or the first of array_agg(), is what was put there.",
         "Arrays; Aggregate Functions", "subscripts.judge_subscript",
         (EVERY_PART, "it is within the array")),
    Rule("array-comparison", NOT_NULL, "`x op ANY (array)` compares a value with values.",
         "Row and Array Comparisons", "functions.judge_array_operation",
         (EVERY_PART, "the operator is total", "the elements are values")),
    # --- aggregates and windows -------------------------------------------------------------------
    Rule("count", NOT_NULL, "count() is a number.", "Aggregate Functions",
         "aggregates.judge_aggregate"),
    Rule("aggregate", NOT_NULL, "An aggregate over a group that has a value is a value.",
         "Aggregate Functions", "aggregates.judge_aggregate",
         (EVERY_PART, "every group has a row", "no FILTER", "it is NULL of NULLs only")),
    Rule("window", NOT_NULL,
         "A window function is a value where its frame holds the current row, which has one.",
         "Window Functions; Window Function Calls", "aggregates.judge_window",
         (EVERY_PART, "a default at the edge", "no FILTER", "the frame has the current row")),
    # --- elements of arrays -----------------------------------------------------------------------
    Rule("array-constructor", ELEMENTS, "ARRAY[…] holds the values of its elements.",
         "Array Constructors", "elements.array_elements", (EVERY_PART,)),
    Rule("array-subquery", ELEMENTS,
         "ARRAY(SELECT …) is an array of the rows' values, or of the elements of their arrays.",
         "Array Constructors", "elements.array_elements", ("what is collected is no array",)),
    Rule("array-collected", ELEMENTS,
         "array_agg() holds the values it collects, or the elements of their arrays.",
         "Aggregate Functions", "elements.array_elements",
         (EVERY_PART, "what is collected is no array")),
    Rule("array-alternatives", ELEMENTS, "COALESCE of full arrays is a full array.",
         "Conditional Expressions", "elements.array_elements", (EVERY_PART,)),
    Rule("array-constant", ELEMENTS, "A constant without a null bitmap holds values.",
         "utils/array.h", "elements.array_elements", ("no null bitmap",)),
    Rule("array-cast", ELEMENTS, "A cast of elements by a total function keeps values.",
         "Type Casts", "elements.array_elements", ("the cast is total",)),
    Rule("array-function", ELEMENTS, "string_to_array() and a few others make full arrays.",
         "String Functions and Operators", "elements.array_elements",
         ("no text stands for NULL",)),
    Rule("array-check", ELEMENTS, "CHECK (array_position(x, NULL) IS NULL) keeps NULL out.",
         "Check Constraints", "elements.array_elements", ("a validated CHECK says so",)),
    Rule("list-parameter", ELEMENTS, "A list parameter holds values.", "Positional Parameters",
         "elements.array_elements"),
    # --- how many rows ----------------------------------------------------------------------------
    Rule("limit", ROWS, "LIMIT 1 lets one row through.", "LIMIT and OFFSET",
         "cardinality.RowCounter.at_most_one", ("no WITH TIES",)),
    Rule("one-row", ROWS, "An aggregate without GROUP BY, or INSERT of one row, makes one row.",
         "Aggregate Functions", "cardinality.RowCounter.at_most_one",
         ("no set in the select list",)),
    Rule("unique-key", ROWS,
         "A unique index matched in full, by the equality it keeps rows apart by, pins a source to"
         " one row.",
         "Unique Indexes; Operator Classes and Operator Families; Collation Support",
         "bindings.Closure",
         ("every column is pinned", "the equality is the index's own", "the predicate is implied",
          "no child has rows of its own", "ON pins the optional side only", "no FULL JOIN",
          "what it equals is not volatile", "what it equals depends on no row",
          "LATERAL refers to one row")),
    Rule("group-keys", ROWS, "Rows with equal keys make one group, or one row of DISTINCT.",
         "GROUP BY and HAVING; DISTINCT", "cardinality.RowCounter.at_most_one",
         ("every key has one value", "there is one grouping set")),
    Rule("set-operation-rows", ROWS,
         "INTERSECT has no more rows than either arm, EXCEPT no more than the left one.",
         "Combining Queries", "cardinality.RowCounter.at_most_one",
         ("no UNION", "the column is not cast")),
    Rule("some-row", ROWS,
         "A query without a condition over sources that have a row has a row.",
         "SELECT; INSERT", "cardinality.RowCounter.at_least_one",
         ("no condition", "no HAVING", "no OFFSET", "LIMIT lets one through",
          "no set in the select list", "no trigger turns it away", "ON CONFLICT always writes",
          "no WITH inside its SET")),
)  # fmt: skip


def table() -> str:
    """Return the register as a page of the manual has it."""
    lines = []
    for claim in (NOT_NULL, ELEMENTS, ROWS):
        lines += [f"## {claim.capitalize()}", "", "| rule | says | premises | source |"]
        lines.append("|---|---|---|---|")
        lines += [
            f"| `{r.name}` | {r.statement} | {'; '.join(r.premises) or '–'} | {r.source} |"
            for r in RULES
            if r.claim == claim
        ]
        lines.append("")
    return "\n".join(lines)
