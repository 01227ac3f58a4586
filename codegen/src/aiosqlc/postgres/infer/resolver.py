"""The table that assigns an inference rule (a function) to each kind of parse tree node."""

from __future__ import annotations

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer import (
    aggregates,
    functions,
    relations,
    sublinks,
    subscripts,
    truth,
    values,
)
from aiosqlc.postgres.infer.levels import level_of, row_counter
from aiosqlc.postgres.infer.prover import Resolver
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.user_functions import body_verdict


def _at_least_one(facts: Facts, scope: Scope) -> bool:
    return row_counter(facts).at_least_one(level_of(scope))


def _reads_a_row(facts: Facts, scope: Scope) -> bool:
    return row_counter(facts).reads_a_row(level_of(scope))


RESOLVER = Resolver(
    rules={
        "AGGREF": aggregates.infer_aggregate,
        "ARRAYCOERCEEXPR": values.infer_cast,
        "ARRAYEXPR": values.infer_always,
        "BOOLEANTEST": values.infer_always,
        "BOOLEXPR": values.infer_boolean,
        "CASEEXPR": values.infer_case,
        "COALESCEEXPR": values.infer_coalesce,
        "COERCETODOMAIN": values.infer_domain,
        "COERCEVIAIO": values.infer_cast,
        "COLLATEEXPR": values.infer_cast,
        "CONST": values.infer_const,
        "CONVERTROWTYPEEXPR": values.infer_cast,
        "DISTINCTEXPR": values.infer_distinct,
        "FIELDSELECT": relations.infer_field,
        "FUNCEXPR": functions.infer_call,
        "GROUPINGFUNC": values.infer_always,
        "JSONCONSTRUCTOREXPR": values.infer_json,
        "JSONEXPR": values.infer_json_expression,
        "JSONISPREDICATE": values.infer_is_json,
        "JSONVALUEEXPR": values.infer_json_value,
        "MERGESUPPORTFUNC": values.infer_always,
        "MINMAXEXPR": values.infer_minmax,
        "NAMEDARGEXPR": values.infer_cast,
        "NEXTVALUEEXPR": values.infer_always,
        "NULLIFEXPR": values.infer_nullif,
        "NULLTEST": values.infer_always,
        "OPEXPR": functions.infer_call,
        "PARAM": values.infer_param,
        "RELABELTYPE": values.infer_cast,
        "ROWCOMPAREEXPR": values.infer_row_compare,
        "ROWEXPR": values.infer_always,
        "SCALARARRAYOPEXPR": functions.infer_array_operation,
        "SQLVALUEFUNCTION": values.infer_sql_value,
        "SUBSCRIPTINGREF": subscripts.infer_subscript,
        "SUBLINK": sublinks.infer_sublink,
        "VAR": relations.infer_var,
        "WINDOWFUNC": aggregates.infer_window,
    },
    column=relations.column_in,
    body=body_verdict,
    outcomes=truth.outcomes,
    no_rows=truth.has_no_rows,
    at_least_one=_at_least_one,
    reads_a_row=_reads_a_row,
)
