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
    judges={
        "AGGREF": aggregates.judge_aggregate,
        "ARRAYCOERCEEXPR": values.judge_cast,
        "ARRAYEXPR": values.judge_always,
        "BOOLEANTEST": values.judge_always,
        "BOOLEXPR": values.judge_boolean,
        "CASEEXPR": values.judge_case,
        "COALESCEEXPR": values.judge_coalesce,
        "COERCETODOMAIN": values.judge_domain,
        "COERCEVIAIO": values.judge_cast,
        "COLLATEEXPR": values.judge_cast,
        "CONST": values.judge_const,
        "CONVERTROWTYPEEXPR": values.judge_cast,
        "DISTINCTEXPR": values.judge_distinct,
        "FIELDSELECT": relations.judge_field,
        "FUNCEXPR": functions.judge_call,
        "GROUPINGFUNC": values.judge_always,
        "JSONCONSTRUCTOREXPR": values.judge_json,
        "JSONEXPR": values.judge_json_expression,
        "JSONISPREDICATE": values.judge_is_json,
        "JSONVALUEEXPR": values.judge_json_value,
        "MERGESUPPORTFUNC": values.judge_always,
        "MINMAXEXPR": values.judge_minmax,
        "NAMEDARGEXPR": values.judge_cast,
        "NEXTVALUEEXPR": values.judge_always,
        "NULLIFEXPR": values.judge_nullif,
        "NULLTEST": values.judge_always,
        "OPEXPR": functions.judge_call,
        "PARAM": values.judge_param,
        "RELABELTYPE": values.judge_cast,
        "ROWCOMPAREEXPR": values.judge_row_compare,
        "ROWEXPR": values.judge_always,
        "SCALARARRAYOPEXPR": functions.judge_array_operation,
        "SQLVALUEFUNCTION": values.judge_sql_value,
        "SUBSCRIPTINGREF": subscripts.judge_subscript,
        "SUBLINK": sublinks.judge_sublink,
        "VAR": relations.judge_var,
        "WINDOWFUNC": aggregates.judge_window,
    },
    column=relations.column_in,
    body=body_verdict,
    outcomes=truth.outcomes,
    no_rows=truth.has_no_rows,
    at_least_one=_at_least_one,
    reads_a_row=_reads_a_row,
)
