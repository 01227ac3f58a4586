"""A statement is read-only only if all called and triggered code is proved to be."""

from __future__ import annotations

import pytest
from aiosqlc.ir import AnalyzeOptions, Command, Variant
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.reading import DENIED, HARMLESS, PREMISES
from msgspec.structs import replace

from tests.postgres.asking import answers, query, run, schema_file
from tests.proofs.twins import weakened

SCHEMA = """
create table a (id int primary key, name text not null);
create unlogged table fast (id int);
create table parts (id int) partition by range (id);
create unlogged table part partition of parts for values from (0) to (10);
create foreign data wrapper nowhere;
create server far foreign data wrapper nowhere;
create foreign table afar (id int) server far;
create sequence s;
create view va as select * from a where name <> 'x';
create view locking as select nextval('s') n;
create function sql_reads(x int) returns int
    return (select count(*)::int from a where id = x);
create function text_reads(x int) returns int language sql
    as 'select count(*)::int from a where id = x';
create function sql_writes() returns int language sql as $$ select nextval('s')::int $$;
create function through() returns int return sql_writes();
create function closed(int) returns int language internal stable as 'int4abs';
create function set_there() returns int stable set work_mem = '1MB' return 1;
create function pl_reads(x int) returns int stable language plpgsql as $$ declare n int; begin
    select count(*) into n from a where id = x; if n > 2 then return abs(n); end if;
    return n; end $$;
create function pl_volatile() returns int language plpgsql as $$ begin return 1; end $$;
create function pl_calls() returns int stable language plpgsql as $$ begin
    return sql_writes(); end $$;
create function pl_makes(t text) returns int stable language plpgsql as $$ begin
    execute 'select nextval(''s'')'; return 1; end $$;
create function pl_locks() returns int stable language plpgsql as $$ begin
    perform id from a for update; return 1; end $$;
create function pl_catalog() returns int stable language plpgsql as $$ begin
    return count(*) from pg_locks; end $$;
create function pl_fast() returns int stable language plpgsql as $$ begin
    return count(*) from fast; end $$;
create function writing_plus(int, int) returns int volatile language plpgsql as $$ begin
    return 1; end $$;
create operator <+> (leftarg = int, rightarg = int, function = writing_plus);
create function pl_operator() returns int stable language plpgsql as $$ begin
    return 1 <+> 2; end $$;
create aggregate counting(int) (sfunc = writing_plus, stype = int, initcond = '0');
create function checks(int) returns bool volatile language plpgsql as $$ begin
    return true; end $$;
create domain checked as int check (checks(value));
create domain plain as int check (value > 0);
create type pair as (x int, y checked);
create table guarded (id int primary key);
alter table guarded enable row level security;
create policy seen on guarded for select using (checks(id));
create type mood as enum ('sad', 'happy');
create function mood_json(mood) returns json volatile language plpgsql as $$ begin
    return '1'; end $$;
"""
# A cast changes what PL/pgSQL may do anywhere: such statements are asked over a schema with one.
WITH_CAST = f"{SCHEMA} create cast (mood as json) with function mood_json(mood);"

PROVED = (
    "select * from a",
    "select va.*, row_number() over (order by id) from va",
    "with x as (select id from a) select count(*), array_agg(id order by id) from x",
    "select now(), random(), gen_random_uuid(), current_setting('work_mem')",
    "select sql_reads(1), text_reads(2), pl_reads(3)",
    "select '1'::plain, 'sad'::mood",
    "select to_jsonb(a) from a where name = any($1::text[])",
    "select id from a union select generate_series(1, 2)",
    "select relname from pg_class",
)

WRITES = ("the statement or a query inside it is not a SELECT", "every query is a SELECT")
LOCKS = ("it locks rows", "the query locks no rows")
UNLOGGED = "is an unlogged or temporary table, which does not exist on a standby server"
VOLATILE = "the function is VOLATILE and is written in PL/pgSQL"
ON_CHECKED = (
    f"a CHECK of the domain checked is not read-only: in checks(): {VOLATILE}",
    "the CHECK constraints of domains are read-only",
)


def built_in(name: str) -> tuple[str, str]:
    """The message about a built-in function that may write."""
    return f"{name}() is VOLATILE", "a built-in function is not VOLATILE"


# SQL: (what is said, the premise without which it would be proved)
UNPROVED: dict[str, tuple[str, str]] = {
    "insert into a values (1, 'x')": WRITES,
    "show work_mem": WRITES,
    "with d as (delete from a returning id) select * from d": WRITES,
    "select * from a for update": LOCKS,
    "select * from (select * from a for share) q": LOCKS,
    "select last_value from s": (
        "the query reads a sequence or a temporary table",
        "the tables of the query are known",
    ),
    "select * from fast": (f"fast {UNLOGGED}", "the tables of the query are permanent"),
    "select * from parts": (f"part {UNLOGGED}", "the tables of the query are permanent"),
    "select * from afar": ("afar is a foreign table", "the tables of the query are local tables"),
    "select nextval('s')": built_in("nextval"),
    "select * from locking": built_in("nextval"),
    "select pg_advisory_xact_lock(1)": built_in("pg_advisory_xact_lock"),
    "select 1 from a order by setval('s', id)": built_in("setval"),
    "select pg_current_xact_id()": (
        "a standby server may reject pg_current_xact_id()",
        "a standby server allows the built-in function",
    ),
    "select sql_writes()": (
        "in sql_writes(): nextval() is VOLATILE",
        "the body of a function is read-only",
    ),
    "select through()": (
        "in through(): in sql_writes(): nextval() is VOLATILE",
        "the body of a function is read-only",
    ),
    "select closed(id) from a": (
        "the body of closed() cannot be analysed, because the function is written in internal",
        "the body of a function can be analysed",
    ),
    "select set_there()": ("set_there() changes a setting", "a function does not change settings"),
    "select 1 <+> 2": (f"in writing_plus(): {VOLATILE}", "a PL/pgSQL function is not VOLATILE"),
    "select counting(id) from a": (
        f"in writing_plus(): {VOLATILE}",
        "the functions of an aggregate are read-only",
    ),
    "select pl_volatile()": (
        f"in pl_volatile(): {VOLATILE}",
        "a PL/pgSQL function is not VOLATILE",
    ),
    "select pl_calls()": (
        "in pl_calls(): in sql_writes(): nextval() is VOLATILE",
        "functions that PL/pgSQL calls are read-only",
    ),
    "select pl_makes('a')": (
        "in pl_makes(): the function builds statements at run time",
        "a PL/pgSQL function builds no statements",
    ),
    "select pl_locks()": (
        "in pl_locks(): the function locks or changes a",
        "PL/pgSQL locks nothing",
    ),
    "select pl_catalog()": (
        "in pl_catalog(): the function reads the catalog pg_locks",
        "a PL/pgSQL function does not read the catalog",
    ),
    "select pl_fast()": (
        f"in pl_fast(): fast {UNLOGGED}",
        "a PL/pgSQL function reads only permanent tables",
    ),
    "select pl_operator()": (
        f"in pl_operator(): in writing_plus(): {VOLATILE}",
        "operators in PL/pgSQL are read-only",
    ),
    "select $1::checked": ON_CHECKED,
    "select jsonb_populate_record(null::pair, '{}')": ON_CHECKED,
    "select * from guarded": (
        f"a row-level security policy of guarded is not read-only: in checks(): {VOLATILE}",
        "row-level security policies are read-only",
    ),
}
# The same over a schema with a cast of the user's.
UNPROVED_WITH_CAST: dict[str, tuple[str, str]] = {
    "select to_json('sad'::mood)": (
        f"a function of the type mood is not read-only: in mood_json(): {VOLATILE}",
        "the functions of the types are read-only",
    ),
    "select pl_reads(1)": (
        f"in pl_reads(): in mood_json(): {VOLATILE}",
        "casts in PL/pgSQL are read-only",
    ),
}
# An operator by itself is refused for its function; what stands behind it has no case of its own.
_BY_ITS_FUNCTION = {"the operators are read-only"}


@pytest.mark.parametrize("sql", PROVED)
def test_what_only_reads_is_proved_to(sql: str) -> None:
    typed, problems = answers(SCHEMA, (*PROVED, *UNPROVED))
    assert [p.message for p in problems] == []
    assert typed[sql].unproved_reading == ""
    assert typed[sql].read_only


@pytest.mark.parametrize("sql", UNPROVED)
def test_what_may_do_more_is_not_and_the_reason_is_said(sql: str) -> None:
    typed, _ = answers(SCHEMA, (*PROVED, *UNPROVED))
    assert typed[sql].unproved_reading == UNPROVED[sql][0]
    assert not typed[sql].read_only


@pytest.mark.parametrize("sql", UNPROVED_WITH_CAST)
def test_casts_are_functions_too(sql: str) -> None:
    typed, _ = answers(WITH_CAST, tuple(UNPROVED_WITH_CAST))
    assert typed[sql].unproved_reading == UNPROVED_WITH_CAST[sql][0]


def test_without_any_one_premise_too_much_would_be_proved() -> None:
    needless = []
    with Analyzer() as analyzer:
        for schema, cases in ((SCHEMA, UNPROVED), (WITH_CAST, UNPROVED_WITH_CAST)):
            opened = analyzer.opened([schema_file(schema)], AnalyzeOptions())
            assert opened is not None
            for sql, (_, premise) in cases.items():
                with weakened(opened[1], ("reads-only", premise)):
                    asked = [query(sql, command=Command.EXEC)]
                    analysis, _ = analyzer.analyze([schema_file(schema)], asked, AnalyzeOptions())
                if not analysis.queries[0].read_only:
                    needless.append((sql, premise, analysis.queries[0].unproved_reading))
    assert needless == []


def test_every_premise_has_a_case() -> None:
    cases = {premise for _, premise in (*UNPROVED.values(), *UNPROVED_WITH_CAST.values())}
    assert cases | _BY_ITS_FUNCTION == set(PREMISES)


def test_a_query_of_which_one_variant_does_more_is_not_proved() -> None:
    sorted_by = "select id from a order by setval('s', id)"
    asked = query("select id from a order by id", command=Command.MANY)
    variants = tuple(Variant((n,), sql, ()) for n, sql in enumerate((asked.sql, sorted_by)))
    analysis, _ = run(SCHEMA, [replace(asked, variants=variants)])
    assert analysis.queries[0].unproved_reading == "setval() is VOLATILE"


def test_the_lists_of_built_ins_name_what_the_server_has() -> None:
    with Analyzer() as analyzer:
        opened = analyzer.opened([schema_file(SCHEMA)], AnalyzeOptions())
        assert opened is not None
        functions = opened[1].functions.values()
    built_in = {f.name: f.volatility for f in functions if f.schema == "pg_catalog"}
    later = {"uuidv4", "uuidv7", "array_sample", "array_shuffle", "random_normal"}
    assert set(HARMLESS) - later <= {name for name, kind in built_in.items() if kind == "v"}
    assert {name for name in DENIED if built_in[name] == "v"} == set()
