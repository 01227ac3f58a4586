"""The tables that a statement writes, the constraints that it can violate, and its effects."""

from __future__ import annotations

import pytest

from tests.postgres.asking import answers

SCHEMA = """
create table a (id int primary key, email text not null unique, age int check (age > 0));
create table b (id int primary key, a_id int references a, name text not null);
create function sets() returns int language plpgsql as $$ begin
    perform set_config('x.y', '1', false); return 1; end $$;
create function reads(x int) returns int language sql stable as 'select x';
create table noisy (id int);
create function noise() returns trigger language plpgsql as $$ begin
    perform set_config('x.y', '1', false); return new; end $$;
create trigger noise after insert on noisy for each row execute function noise();
"""

# SQL: (tables written, constraints, read only, session clean)
CASES: dict[str, tuple[list[str], set[str], bool, bool]] = {
    "select * from a": ([], set(), True, True),
    "select now(), random(), reads(1)": ([], set(), True, True),
    "select * from a for update": ([], set(), False, True),
    "select sets()": ([], set(), False, False),
    "select set_config('a.b', 'c', false)": ([], set(), False, False),
    "select pg_advisory_lock(1)": ([], set(), False, False),
    "select pg_advisory_xact_lock(1)": ([], set(), False, True),
    "insert into noisy values (1)": (["public.noisy"], set(), False, False),
    "insert into b values (1, 2, 'x')": (
        ["public.b"],
        {"b_pkey", "b_a_id_fkey"},
        False,
        True,
    ),
    "update a set age = 1": (["public.a"], {"a_age_check"}, False, True),
    "update b set a_id = 1": (["public.b"], {"b_a_id_fkey"}, False, True),
    "delete from a": (["public.a"], {"b_a_id_fkey"}, False, True),
    "with d as (delete from b returning a_id) update a set age = 1 from d where d.a_id = a.id": (
        ["public.a", "public.b"],
        {"a_age_check"},
        False,
        True,
    ),
}


@pytest.mark.parametrize("sql", CASES)
def test_a_statement_touches_what_it_says(sql: str) -> None:
    typed, problems = answers(SCHEMA, tuple(CASES))
    assert [p.message for p in problems] == []
    query = typed[sql]
    names = {c.name for c in query.violable}
    found = (list(query.writes), names, query.read_only, query.session_clean)
    assert found == CASES[sql]


def test_an_insert_names_its_table() -> None:
    typed, _ = answers(SCHEMA, tuple(CASES))
    target = typed["insert into b values (1, 2, 'x')"].insert_into
    assert target is not None
    assert (target.schema, target.table) == ("public", "b")
