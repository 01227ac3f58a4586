"""Claims about the results of PL/pgSQL functions, and rows that must not disprove them.

A claim must hold in each way in which the server may read a name: `plpgsql.variable_conflict`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.parse.queries import parse_file
from aiosqlc.postgres import Analyzer
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile

from tests.servers.postgres import TestPostgres

TABLES = """
create table t (id int primary key, name text not null, bio text);
create type pair as (l int, r int);
create domain known as int check (value is not null);
"""
ROWS = "insert into t values (1, 'a', null), (2, 'b', 'x');"
TEXT, NUMBER, TABLE, SET = "text", "int", "table (a int, b text)", "setof t"
# Parameters, result and body of `f`; the calls, with + for each column proved to be not NULL.
PROVED: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
    ("x int", NUMBER, "begin return x; end", (("select f(1) v", "+"), ("select f(null) v", "-"))),
    ("x int", NUMBER, "begin return x; end;", (("select f(id) v from t", "+"),)),
    ("x int", NUMBER, "begin if x > 1 then return 1; else return x; end if; end",
     (("select f(1) v", "+"),)),
    ("x int", TEXT, ("begin if x > 1 then return 'a'; elsif x < 0 then raise 'no'; end if;"
     " return upper('b'); end"), (("select f(1) v", "+"),)),
    ("x int", TEXT, ("declare n int := 1; begin select count(*) into strict n from t;"
     " n := n + 1; n = n; update t set bio = bio where id = 1 returning id into n;"
     " perform 1; null; assert true; return 'a'; end"), (("select f(1) v", "+"),)),
    ("x int", NUMBER, ("begin return 1 / x; exception when division_by_zero then return 0;"
     " when others then return x; end"), (("select f(0) v", "+"),)),
    ("x int", NUMBER, ("begin begin return 1 / x; exception when others then null; end;"
     " return 2; end"), (("select f(0) v", "+"),)),
    ("x int, y int default 3", NUMBER, "begin return y; end",
     (("select f(1) v", "-"), ("select f(1, 2) v", "+"), ("select f(y => 1, x => null) v", "+"))),
    ("x int", NUMBER, "begin return count(*)::int from t where id = x; end",
     (("select f(1) v", "+"),)),
    ("x int", TABLE, "begin return query select t.id, t.name from t where t.id = x; end",
     (("select * from f(1)", "++"), ("select f(1) v", "-"), ("select * from f(null)", "++"))),
    ("x int", TABLE, ("begin if x = 1 then return query select t.id, t.name from t; return; end if;"
     " return query select 1, t.bio from t; end"), (("select * from f(2)", "+-"),)),
    ("x int", SET, "begin return query select * from t where id > x; end",
     (("select * from f(0)", "++-"),)),
    ("x int", SET, "begin return query select t.* from t where t.id = $1; end",
     (("select * from f(1)", "++-"),)),
    ("x int", "setof int", "begin return next 1; return next x; end",
     (("select * from f(1)", "+"), ("select f(1) v", "+"), ("select f(null) v", "-"))),
    ("x int", "setof int", "begin return query values (1), (x); end",
     (("select * from f(1)", "+"), ("select * from f(null)", "-"))),
    ("variadic xs int[]", "int[]", "begin return xs; end",
     (("select f(1, 2) v", "+"), ("select f(variadic null) v", "-"))),
    ('"X" int, x int', NUMBER, 'begin return "X"; end',
     (("select f(1, null) v", "+"), ("select f(null, 1) v", "-"))),
    ("x int, int", NUMBER, "begin return $2; end",
     (("select f(1, null) v", "-"), ("select f(null, 1) v", "+"))),
)  # fmt: skip
# Bodies of functions about which nothing may be said, most of them because a row is NULL.
UNKNOWN: tuple[tuple[str, str, str, str], ...] = (
    ("x int", NUMBER, "begin x := null; return x; end", "select f(1) v"),
    ("x int", NUMBER, "begin x = null; return x; end", "select f(1) v"),
    ("x int", NUMBER, "begin $1 := null; return x; end", "select f(1) v"),
    ("x int", NUMBER, "begin f.x := null; return x; end", "select f(1) v"),
    ("x int", NUMBER, ("begin declare f record; begin f := row(1); end; f.x := null; return x;"
     " end"), "select f(1) v"),
    ("perform int", NUMBER, "begin perform =- null::int; return perform; end", "select f(1) v"),
    ("x int", NUMBER, "begin select null into x; return x; end", "select f(1) v"),
    ("x int", NUMBER, "begin select into x null; return x; end", "select f(1) v"),
    ("x int", NUMBER, "declare n int; begin select 1, null into n, x; return x; end",
     "select f(1) v"),
    ("x int", NUMBER, "declare n pair; begin select 1, null into n.l, x; return x; end",
     "select f(1) v"),
    ("x int", NUMBER, "declare n alias for x; begin n := null; return x; end", "select f(1) v"),
    ("x int", NUMBER, "declare n alias for $1; begin n := null; return x; end", "select f(1) v"),
    ("x int", NUMBER, "declare x int; begin return x; end", "select f(1) v"),
    ("x int", NUMBER, "begin declare x int; begin return x; end; end", "select f(1) v"),
    ("x int", NUMBER, "declare declare n int; begin return n; end", "select f(1) v"),
    ("x int", NUMBER, "<<l>> declare x int; begin return l.x; end", "select f(1) v"),
    ("x int", NUMBER, "begin for x in select null loop return x; end loop; return 1; end",
     "select f(1) v"),
    ("x int", NUMBER, "begin execute 'select null' into x; return x; end", "select f(1) v"),
    ("x int", NUMBER, ("begin update t set bio = null where id = 1 returning length(bio) into x;"
     " return x; end"), "select f(1) v"),
    ("x int", NUMBER, ("begin insert into t values (x + 9, 'n') returning length(bio) into x;"
     " return x; end"), "select f(1) v"),
    ("x int", NUMBER, "declare n int; begin return n; end", "select f(1) v"),
    ("x int", NUMBER, "declare id int; begin return id; end", "select f(1) v"),
    ("x int", NUMBER, "begin return (select id from t where id = -x); end", "select f(1) v"),
    ("x int", NUMBER, "begin return id from t where id = -x; end", "select f(1) v"),
    ("x int", NUMBER, "begin return unnest('{}'::int[]); end", "select f(1) v"),
    ("x int", NUMBER, "begin return null; end", "select f(1) v"),
    ("x int", NUMBER, "begin if x = 1 then return null; end if; return 1; end", "select f(1) v"),
    ("x int", NUMBER, "begin return 1; exception when others then return null; end",
     "select f(1) v"),
    ("x int", NUMBER, "begin return 1 / 0; exception when others then return null; end",
     "select f(1) v"),
    ("x int", NUMBER, "begin return '5'; end", "select f(1) v"),
    ("x int", "known", "begin return 1; end", "select f(1) v"),
    ("x int", "pair", "begin return row(1, null)::pair; end", "select * from f(1)"),
    ("x int", "pair", "begin return null; end", "select * from f(1)"),
    ("x int, out y int", NUMBER, "begin y := null; return; end", "select f(1) v"),
    ("inout x int", NUMBER, "begin x := null; end", "select f(1) v"),
    ("x int", "table (id int)", "begin return query select id; end", "select * from f(1)"),
    ("x int", "table (id int, b text)", "begin return query select id, name from t; end",
     "select * from f(1)"),
    ("id int", "setof int", "begin return query select id from t; end", "select * from f(null)"),
    ("name text", TEXT, "begin return name from t where id = 1; end", "select f(null) v"),
    ("t t", TEXT, "begin return t.name from t t where id = 1; end", "select f(null) v"),
    ("x int", "table (a int, b text)", ("begin return query execute 'select null::int, null::text';"
     " end"), "select * from f(1)"),
    ("x int", "table (a int, b text)", ("begin return query update t set bio = null"
     " returning length(bio), bio; end"), "select * from f(1)"),
    ("x int", "table (a int, b text)", "begin a := null; return next; end", "select * from f(1)"),
    ("x int", "setof int", "begin return next (select id from t where id = -1); end",
     "select * from f(1)"),
    ("x int", "setof int", "begin return next id from t where id = -1; end", "select * from f(1)"),
    ("bio text", "setof text", "begin return query select bio from t; end",
     "select * from f('x')"),
    ("x int", "setof int", "declare id int; begin return query select id from t; end",
     "select * from f(1)"),
    ("x int", "setof int", "declare declare id int; begin return query select id from t; end",
     "select * from f(1)"),
    ("x int", NUMBER, "begin declare x int; begin null; end; x := null; return $1; end",
     "select f(1) v"),
    ('"update" int', NUMBER, "begin update := null; return $1; end", "select f(1) v"),
    ("t t", "setof text", "begin return query select t.name from t t; end",
     "select * from f(null)"),
    ("out y int, a int, b int", "setof int", "begin return query select $2; end",
     "select * from f(null, 1)"),
    ("x int", "setof int", "begin return query select f.x from t f; end", "select * from f(1)"),
    ("id int", "setof int", "begin return query select f.id from t f; end",
     "select * from f(null)"),
    ("x int", NUMBER, "#variable_conflict use_variable\nbegin return x; end", "select f(null) v"),
    ("x anyelement", "anyelement", "begin return x; end", "select f(null::int) v"),
)  # fmt: skip
# The body of a function with rows of `t`, and whether it is proved to return at most one.
SINGLE: tuple[tuple[str, str, bool], ...] = (
    (SET, "begin return query select * from t where id = x; end", True),
    (SET, "begin if x > 0 then return query select * from t where t.id = x; end if; end", True),
    (SET, "begin return query select * from t where id = x; return; end", True),
    (SET, ("begin return query select * from t where id = x;"
     " return query select * from t where id = 2; end"), False),
    (SET, "begin return query select * from t limit 1; end", False),
    (SET, "begin return query select * from t; end", False),
    (SET, "begin while true loop return query select * from t where id = x; exit; end loop; end",
     False),
    ("setof int", "begin return next x; end", True),
    ("setof int", "begin return next x; return next 2; end", False),
)  # fmt: skip
CONFLICTS = ("error", "use_variable", "use_column")


@dataclass(frozen=True)
class Case:
    """A function `f` with a number, a call of it, and the proved facts about the call."""

    function: str
    call: str
    columns: str = ""
    single: bool | None = None


def cases() -> Iterator[Case]:
    """Yield every call of the tables, with its own function."""
    told: list[tuple[str, str, str, str, str, bool | None]] = []
    for parameters, result, body, calls in PROVED:
        told += [(parameters, result, body, call, columns, None) for call, columns in calls]
    told += [(*unknown, "", None) for unknown in UNKNOWN]
    told += [("x int", *some, "select * from f(1)", "", single) for *some, single in SINGLE]
    for number, (parameters, result, body, call, columns, single) in enumerate(told):
        name = f"f{number}"
        text = re.sub(r"\bf(?=[.;])", name, body)
        function = (
            f"create function {name}({parameters}) returns {result} language plpgsql"
            f" as $f$ {text} $f$;\n"
        )
        yield Case(function, call.replace(" f(", f" {name}("), columns, single)


def proved(analyzer: Analyzer, functions: str, calls: list[str]) -> list[tuple[str, bool]]:
    """Compile calls of functions; return a sign per column, and whether one row is the most."""
    text = "".join(f"-- name: Q{n} :many\n{query};\n" for n, query in enumerate(calls))
    parsed, problems = parse_file(SourceFile(Path("q.sql"), text), Dialect.POSTGRESQL)
    assert problems == []
    schema = schema_file(SourceFile(Path("schema.sql"), TABLES + functions), Dialect.POSTGRESQL)
    analysis, found = analyzer.analyze([schema], parsed, AnalyzeOptions())
    assert len(analysis.queries) == len(calls), found
    return [
        ("".join("-+"[c.not_null] for c in query.columns), query.cardinality.at_most_one)
        for query in analysis.queries
    ]


@pytest.fixture(scope="module")
def claims(analyzer: Analyzer) -> list[tuple[Case, str, bool]]:
    """Return the claims about each case."""
    every = list(cases())
    functions = "".join(case.function for case in every)
    found = proved(analyzer, functions, [case.call for case in every])
    return [(case, *claim) for case, claim in zip(every, found, strict=True)]


def test_the_claims_are_those_of_the_table(claims: list[tuple[Case, str, bool]]) -> None:
    for case, columns, single in claims:
        assert columns == (case.columns or "-" * len(columns)) or case.single is not None, case
        assert case.single in (None, single), case


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_no_row_refutes_a_claim_however_names_are_read(
    claims: list[tuple[Case, str, bool]], postgres_server: TestPostgres, conflict: str
) -> None:
    url = postgres_server.create_empty()
    answered = 0
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"set plpgsql.variable_conflict = {conflict}".encode())
        db.execute(f"{TABLES}{ROWS}{''.join(case.function for case, *_ in claims)}".encode())
        for case, columns, single in claims:
            try:
                with db.transaction(force_rollback=True):
                    rows = db.execute(case.call.encode()).fetchall()
            except psycopg.Error:
                assert not case.columns, case  # the proved ones can be called
                continue
            answered += 1
            assert len(rows) <= 1 or not single, case
            for row in rows:
                wrong = [n for n, v in enumerate(row) if v is None and columns[n] == "+"]
                assert not wrong, (case, row)
    postgres_server.drop(url)
    assert answered > len(claims) / 2


def test_a_strict_function_is_null_for_null(analyzer: Analyzer) -> None:
    function = (
        "create function f(x int) returns int strict language plpgsql as 'begin return 1; end';"
    )
    calls = ["select f(1) v", "select f(null) v"]
    assert [signs for signs, _ in proved(analyzer, function, calls)] == ["+", "-"]


def test_the_last_definition_of_a_function_counts(analyzer: Analyzer) -> None:
    body = "f({}) returns int language plpgsql as 'begin return {}; end';"
    functions = [
        f"create function {body.format('x int', '1')}",
        f"create or replace function {body.format('x int', 'null')}",
        f"create function {body.format('x text', '1')}",
        "alter function f(text) set search_path = public;",
        f"create function {body.format('x date', '1')}",
    ]
    calls = ["select f(1) v", "select f('a'::text) v", "select f(current_date) v"]
    claimed = proved(analyzer, "\n".join(functions), calls)
    assert [signs for signs, _ in claimed] == ["-", "-", "+"]
