"""The registry of inference rules: the guarantee, source and preconditions of each rule.

The code that applies a rule contains the rule's name: `never("case", …)` infers a fact by the rule
`case`, and `facts.holds("limit", "no WITH TIES", …)` checks a precondition of the rule `limit`. The
tests remove each precondition in turn and search for rows that disprove the result.
"""

from __future__ import annotations

from aiosqlc.analysis.rules import ELEMENTS, EVERY_PART, NOT_NULL, ONE_PART, ROWS, Rule, table_of

RULES = (
    # --- where a column comes from ----------------------------------------------------------------
    Rule("column", NOT_NULL,
         (
             "A column is not NULL if its source value is not NULL, and if no outer join or "
             "grouping set can replace the column with NULL."
         ),
         "Table Expressions; Returning Data from Modified Rows; GROUPING SETS",
         "relations.infer_var",
         ("every outer join found a match", "the grouping key appears in every grouping set",
          "the column's row (OLD, NEW or source) exists for the statement's action")),
    Rule("column-constraint", NOT_NULL,
         "A table column with NOT NULL, or with a CHECK that excludes NULL, is not NULL.",
         "Constraints: Check Constraints, Not-Null Constraints; Inheritance: Caveats",
         "relations.infer_var",
         ("the column is declared NOT NULL", "the constraint is validated",
          "every child table has the constraint too")),
    Rule("system-column", NOT_NULL, "A system column of a stored row is not NULL.",
         "System Columns", "relations.infer_var"),
    Rule("whole-row", NOT_NULL,
         "A whole-row value is not NULL, even if all columns of the row are NULL.",
         "Row and Array Comparison; Composite Types", "relations.infer_var"),
    Rule("values", NOT_NULL, "A column of VALUES is not NULL if it is not NULL in every row.",
         "VALUES Lists", "relations.infer_var", (EVERY_PART,)),
    Rule("merged-column", NOT_NULL,
         (
             "The merged column of FULL JOIN … USING is not NULL if the columns of both tables "
             "are not NULL."
         ),
         "Joined Tables", "relations.infer_var", (EVERY_PART,)),
    Rule("set-operation", NOT_NULL,
         (
             "UNION returns values of both branches, INTERSECT returns common values, and EXCEPT "
             "returns values of the left branch."
         ),
         "Combining Queries", "relations.column_in",
         (EVERY_PART, ONE_PART, "no user-defined cast")),
    Rule("recursion", NOT_NULL,
         (
             "A column of a recursive query is not NULL if the column is not NULL in both terms "
             "of the query."
         ),
         "Recursive Queries", "relations.infer_var",
         ("the recursive term returns no NULL if its input contains no NULL",)),
    Rule("ordinality", NOT_NULL,
         "WITH ORDINALITY and FOR ORDINALITY assign a number to every row.",
         "Table Functions; JSON_TABLE", "relations.infer_var",
         ("the column is not in NESTED PATH",)),
    Rule("function-column", NOT_NULL,
         "Some columns of built-in table functions are never NULL.",
         "JSON Processing Functions", "relations.infer_var",
         ("no other function in ROWS FROM returns more rows",
          "the compiler lists the column as never NULL")),
    Rule("contradiction", NOT_NULL,
         "A query with contradictory conditions or LIMIT 0 returns no row, so it returns no NULL.",
         "The WHERE Clause; LIMIT and OFFSET", "truth.has_no_rows"),
    Rule("condition", NOT_NULL,
         (
             "An operand of a condition is not NULL in a row for which the condition is true, if "
             "the condition is never true for a NULL operand."
         ),
         "Comparison Functions and Operators; executor/execExprInterp.c", "prover.Prover.infer",
         ("the function is strict", "the array has an element",
          "the condition is true only if one of its comparisons is true",
          "a second evaluation of the operand gives the same value",
          "the condition refers to the returned row",
          "no trigger changes the column")),
    Rule("assigned-value", NOT_NULL,
         "A column in RETURNING is not NULL if the value that is assigned to it is not NULL.",
         "Returning Data from Modified Rows; INSERT; Trigger Behavior",
         "relations.assigned_value",
         (EVERY_PART, "no trigger changes the column", "ON CONFLICT also sets the column")),
    # --- expressions ------------------------------------------------------------------------------
    Rule("constant", NOT_NULL, "A constant other than NULL is not NULL.", "Constants",
         "values.infer_const", ("the field of a constant row is not NULL",)),
    Rule("parameter", NOT_NULL,
         "A parameter is not NULL if the generated function does not accept None for it.",
         "Positional Parameters",
         "values.infer_param", ("the parameter does not accept None",)),
    Rule("always", NOT_NULL,
         "IS NULL, IS TRUE, row and array constructors, grouping() and similar are not NULL.",
         "Comparison Functions and Operators; Value Expressions", "values.infer_always"),
    Rule("domain-cast", NOT_NULL,
         "A cast to a NOT NULL domain is not NULL, because the cast rejects NULL.", "Domain Types",
         "values.infer_domain", ("the domain is NOT NULL",)),
    Rule("boolean", NOT_NULL, "AND, OR and NOT without NULL operands are not NULL.",
        "Logical Operators",
         "values.infer_boolean", (EVERY_PART,)),
    Rule("coalesce", NOT_NULL, "COALESCE is not NULL if one of its arguments is not NULL.",
         "Conditional Expressions", "values.infer_coalesce", (ONE_PART,)),
    Rule("greatest-least", NOT_NULL,
         "GREATEST and LEAST are not NULL if one argument is not NULL, because they ignore NULL "
         "arguments.", "Conditional Expressions",
         "values.infer_minmax", (ONE_PART,)),
    Rule("distinct-from", NOT_NULL,
         "IS DISTINCT FROM is true or false if the = operator of the type is built in.",
         "Comparison Functions and Operators; executor/execExprInterp.c",
         "values.infer_distinct", ("the operator is a built-in equality operator",)),
    Rule("row-comparison", NOT_NULL, "A comparison of rows without NULL fields is true or false.",
         "Row and Array Comparisons; executor/execExprInterp.c", "values.infer_row_compare",
         (EVERY_PART, "the operators are built-in comparison operators")),
    Rule("case", NOT_NULL,
         (
             "CASE is not NULL if every reachable branch is not NULL under the condition of the "
             "branch."
         ),
         "Conditional Expressions", "values.infer_case",
         (EVERY_PART, "each branch is checked under its own condition only")),
    Rule("constant-expression", NOT_NULL,
         (
             "An expression of constants and immutable built-in functions is not NULL if the "
             "server evaluates it to a value other than NULL."
         ),
         "Function Volatility Categories; Collation Support", "constants.values_of",
         ("none of the possible results is NULL", "all functions of the expression are immutable",
          "no collation affects the result")),
    Rule("json", NOT_NULL, "A JSON constructor returns a JSON value, not NULL.",
         "JSON Functions and Operators",
         "values.infer_json", (EVERY_PART,)),
    Rule("json-member", NOT_NULL,
         "A member that jsonb_build_object() writes is not NULL when it is read by its key.",
         "JSON Functions and Operators", "members.infer_member",
         (EVERY_PART, "the document has this member",
          "the member's SQL value is not json or jsonb")),
    Rule("json-exists", NOT_NULL, "JSON_EXISTS of a document is true or false.",
         "SQL/JSON Query Functions", "values.infer_json_expression",
         (EVERY_PART, "ON ERROR is not UNKNOWN")),
    Rule("exists", NOT_NULL, "EXISTS is true or false.", "Subquery Expressions",
         "sublinks.infer_sublink"),
    Rule("scalar-subquery", NOT_NULL,
         "A scalar subquery is not NULL if it always returns a row and its column is not NULL.",
         "Scalar Subqueries",
         "sublinks.infer_sublink", ("the column of the subquery is not NULL",
         "the subquery returns a row")),
    Rule("subquery-comparison",
        NOT_NULL, "IN, ANY and ALL are not NULL if neither operand contains NULL.",
         "Subquery Expressions", "sublinks.infer_sublink", (EVERY_PART,)),
    # --- functions --------------------------------------------------------------------------------
    Rule("total-function", NOT_NULL,
         (
             "A strict built-in function without NULL arguments is not NULL if the function never "
             "returned NULL in the compiler's tests."
         ),
         "CREATE FUNCTION; totality/", "functions.infer_call", (EVERY_PART,
         "the function returns NULL only for NULL arguments")),
    Rule("never-null-function", NOT_NULL, "Some built-in functions never return NULL.",
         "Functions and Operators", "functions.infer_call",
         ("the compiler lists the function as never NULL", "no VARIADIC array")),
    Rule("any-argument-function", NOT_NULL, "array_cat() is NULL only if both arguments are NULL.",
         "Array Functions and Operators", "functions.infer_call", (ONE_PART,)),
    Rule("first-argument-function", NOT_NULL,
         (
             "format(), concat_ws() and a few other functions are NULL only if the first "
             "argument is NULL."
         ),
         "String Functions and Operators", "functions.infer_call",
         (EVERY_PART, "no VARIADIC array")),
    Rule("moment-field", NOT_NULL,
         "extract() of a year, century or epoch is a number, even if the date is infinite.",
         "Date/Time Functions and Operators: EXTRACT", "functions.infer_call",
         (EVERY_PART, "the field has a value for an infinite date or interval")),
    Rule("array-dimension", NOT_NULL,
         "array_length() of an existing dimension is a number.",
         "Array Functions and Operators", "functions.infer_call",
         (EVERY_PART, "the array has this dimension")),
    Rule("range-bound", NOT_NULL,
         (
             "lower() or upper() of a range such as int4range(x, NULL) is not NULL, because a "
             "range with only one bound is not empty."
         ),
         "Range Functions and Operators; utils/adt/rangetypes.c", "functions.infer_call",
         (EVERY_PART, "the other bound of the range is the constant NULL")),
    Rule("declared-function", NOT_NULL,
         "The configuration declares that the function never returns NULL.",
         "`not_null_functions` of the configuration", "functions.infer_call"),
    Rule("user-function", NOT_NULL,
         (
             "A value, a column or an output parameter of a user-defined function or procedure in "
             "the language SQL is not NULL if the body never returns NULL for it."
         ),
         "SQL Functions; CALL", "user_functions.body_verdict",
         (EVERY_PART, "the arguments of a strict function are not NULL",
         "the body of the function returns a row",
          "no function of the statement changes which table a name refers to")),
    Rule("procedural-function", NOT_NULL,
         (
             "A value or column that a PL/pgSQL function returns is not NULL if no RETURN returns "
             "NULL for it. The compiler analyses only bodies that assign no parameter and have no "
             "loop."
         ),
         "PL/pgSQL: Returning from a Function; Variable Substitution",
         "user_functions.body_verdict",
         (EVERY_PART, "the query of a RETURN with a value returns a row",
          "no function of the statement changes which table a name refers to")),
    Rule("value-set", NOT_NULL, "Some built-in set-returning functions return no NULL.",
         "Set Returning Functions", "functions.set_element_verdict",
         ("no other set-returning function in the select list returns more rows",
          "the compiler lists the function as never NULL")),
    Rule("subscript", NOT_NULL,
         (
             "An element of ARRAY[…], or the first element of array_agg(), is not NULL if the "
             "value that was put there is not NULL."
         ),
         "Arrays; Aggregate Functions", "subscripts.infer_subscript",
         (EVERY_PART, "the index is within the array")),
    Rule("array-comparison",
        NOT_NULL, "`x op ANY (array)` is not NULL if neither `x` nor the array elements are NULL.",
         "Row and Array Comparisons", "functions.infer_array_operation",
         (EVERY_PART, "the operator never returns NULL", "the elements of the array are not NULL")),
    # --- aggregates and windows -------------------------------------------------------------------
    Rule("count", NOT_NULL, "count() is a number.", "Aggregate Functions",
         "aggregates.infer_aggregate"),
    Rule("aggregate", NOT_NULL, "An aggregate over a group is not NULL if its input is not NULL.",
         "Aggregate Functions", "aggregates.infer_aggregate",
         (EVERY_PART, "every group has a row", "no FILTER",
          "the aggregate is NULL only if all its inputs are NULL")),
    Rule("filter", NOT_NULL,
         (
             "A value inside an aggregate is not NULL if the FILTER of the aggregate is true only "
             "for rows in which the value is not NULL."
         ),
         "Aggregate Expressions", "scope.Scope.rows_of",
         ("the proof relies on no WHEN of a CASE around the aggregate",)),
    Rule("group-key", NOT_NULL,
         (
             "An aggregate of a grouping key is not NULL if the key is not NULL, because the key "
             "is the same in every row of the group."
         ),
         "GROUP BY and HAVING; GROUPING SETS", "aggregates.infer_aggregate",
         ("the key is not NULL",)),
    Rule("window", NOT_NULL,
         (
             "A window function over not-null values is not NULL if the window frame contains "
             "the current row."
         ),
         "Window Functions; Window Function Calls", "aggregates.infer_window",
         (EVERY_PART, "the function has a default value for the edge of the window", "no FILTER",
          "the window frame contains the current row")),
    # --- elements of arrays -----------------------------------------------------------------------
    Rule("array-constructor",
        ELEMENTS, "ARRAY[…] contains NULL only if one of its elements is NULL.",
         "Array Constructors", "elements.array_elements", (EVERY_PART,)),
    Rule("array-subquery", ELEMENTS,
         "ARRAY(SELECT …) contains NULL only if a value of the selected rows is NULL.",
         "Array Constructors", "elements.array_elements",
         ("the aggregated value is not an array",)),
    Rule("array-collected", ELEMENTS,
         "array_agg() contains NULL only if an aggregated value is NULL.",
         "Aggregate Functions", "elements.array_elements",
         (EVERY_PART, "the aggregated value is not an array")),
    Rule("array-alternatives",
        ELEMENTS, "COALESCE of arrays without NULL returns an array without NULL.",
         "Conditional Expressions", "elements.array_elements", (EVERY_PART,)),
    Rule("array-constant", ELEMENTS,
         "A constant array without a null bitmap does not contain NULL.",
         "utils/array.h", "elements.array_elements", ("no null bitmap",)),
    Rule("array-cast", ELEMENTS,
         "A cast of array elements adds no NULL if the cast never returns NULL.",
         "Type Casts", "elements.array_elements", ("the cast never returns NULL",)),
    Rule("array-function",
        ELEMENTS, "string_to_array() and a few other functions return arrays without NULL.",
         "String Functions and Operators", "elements.array_elements",
         ("string_to_array() gets no null string",)),
    Rule("array-joined",
        ELEMENTS, "Concatenating arrays and elements without NULL gives an array without NULL.",
         "Array Functions and Operators", "elements.array_elements", (EVERY_PART,)),
    Rule("array-set-operation",
        ELEMENTS, (
            "UNION, INTERSECT and EXCEPT return arrays without NULL if the arrays of both branches "
            "contain no NULL."
        ),
         "Combining Queries", "elements.array_elements", (EVERY_PART,
         "the elements of the arrays are not cast")),
    Rule("array-recursion", ELEMENTS,
         (
             "An array of a recursive query contains no NULL if the arrays of both terms contain "
             "no NULL."
         ),
         "Recursive Queries", "elements.array_elements",
         ("the recursive term returns no NULL if its input contains no NULL",)),
    Rule("array-check",
        ELEMENTS, "CHECK (array_position(x, NULL) IS NULL) excludes NULL from an array.",
         "Check Constraints", "elements.array_elements",
         ("a validated CHECK constraint excludes NULL",)),
    Rule("list-parameter", ELEMENTS, "A list parameter without None elements contains no NULL.",
         "Positional Parameters",
         "elements.array_elements", ("the parameter does not accept None as an element",)),
    # --- how many rows ----------------------------------------------------------------------------
    Rule("limit", ROWS, "A query with LIMIT 1 returns at most one row.", "LIMIT and OFFSET",
         "relational.rows.RowCounter.at_most_one", ("no WITH TIES",)),
    Rule("one-row", ROWS,
         "An aggregate without GROUP BY, or an INSERT of one row, returns one row.",
         "Aggregate Functions", "relational.rows.RowCounter.at_most_one",
         ("the select list has no set-returning function",)),
    Rule("unique-key", ROWS,
         "A table contributes at most one row if the query compares all columns of a unique index"
         " for equality.",
         "Unique Indexes; Operator Classes and Operator Families; Collation Support",
         "relational.closure.Closure",
         ("every column of the key is compared with a value",
          "the equality operator belongs to the index",
          "the conditions imply the predicate of the index",
          "the table has no child tables except partitions",
          "ON of an outer join restricts only the joined table", "no FULL JOIN",
          "the other operand is not volatile",
          "the other operand does not depend on a row of the table",
          "a LATERAL subquery refers to a single row",
          "no outer join sets the column of the LATERAL subquery to NULL")),
    Rule("function-rows", ROWS,
         "A call of a user-defined function in SQL or PL/pgSQL gives at most one row if "
         "its body returns at most one row.",
         "SQL Functions; PL/pgSQL: Returning from a Function", "levels.Lowering.gives_one",
         ("the body of the function returns at most one row",
          "only one RETURN of a PL/pgSQL body returns rows",
          "no function of the statement changes which table a name refers to")),
    Rule("group-keys", ROWS,
         "GROUP BY and DISTINCT return at most one row if each of their keys has a single value.",
         "GROUP BY and HAVING; DISTINCT", "relational.rows.RowCounter.at_most_one",
         ("every key column has a single value", "the query has a single grouping set")),
    Rule("set-operation-rows", ROWS,
         (
             "INTERSECT returns no more rows than either branch, and EXCEPT returns no more rows "
             "than the left branch."
         ),
         "Combining Queries", "relational.rows.RowCounter.at_most_one",
         ("no UNION", "the column of the set operation is not cast")),
    Rule("some-row", ROWS,
         "A query without conditions returns a row if each of its tables has a row.",
         "SELECT; INSERT", "relational.rows.RowCounter.at_least_one",
         ("no condition", "no HAVING", "no OFFSET", "LIMIT allows at least one row",
          "the select list has no set-returning function",
          "the set-returning function has constant arguments and returns a row",
          "no trigger skips the row", "ON CONFLICT always updates the existing row",
          "SET of ON CONFLICT reads no WITH query")),
)  # fmt: skip


def table() -> str:
    """Return the registry as a table for the manual."""
    return table_of(RULES)
