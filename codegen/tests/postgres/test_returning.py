"""RETURNING: conditions are about old rows, and triggers and missing rows are considered."""

from __future__ import annotations

import pytest

from tests.postgres.asking import TABLES, answers, nullness

SCHEMA = (
    TABLES
    + """
create table t (id int primary key, v int, s text not null);
create view v_plain as select id, v, s from t;
create view v_trig as select id, v, s from t;
create function noop() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger io instead of insert or update on v_trig for each row execute function noop();
"""
)

CASES = {
    "update a set bio = null where bio is not null returning bio": "N",
    "update a set bio = 'x' where bio is not null returning old.bio, new.bio, bio": "NN NN NN",
    "update a set name = $1 where id = $2 returning old.bio, new.name": "N NN",
    "update a set grp = 1 from b where b.aid = a.id and b.x > 0 returning b.x, a.bio": "NN N",
    "delete from a where bio = 'x' returning bio, id": "NN NN",
    "delete from a where bio = 'x' returning old.bio, new.id": "NN N",
    "delete from a using b where b.aid = a.id and b.note = 'x' returning b.note, a.name": "NN NN",
    "insert into a values ($1, $2, $3, $4) returning id, bio, old.id, new.id": "NN N N NN",
    "insert into a values ($1, $2, $3, $4) on conflict (id) do update set name = excluded.name"
    " returning old.id, id": "N NN",
    "merge into a using b on a.id = b.id when matched then update set name = b.title"
    " when not matched then insert values (b.id, b.title, null, 1)"
    " returning merge_action(), a.id, b.id, old.id, new.id": "NN NN NN N NN",
    "merge into a using b on a.id = b.id when not matched by source then delete"
    " returning a.id, b.id": "NN N",
    "insert into v_plain values (1, 2, 'x') returning id, v, s": "NN NN NN",
    "insert into v_trig values (1, 2, 'x') returning id, v, s": "N N N",
    "with u as (update t set v = 1 where v is null returning v, s) select v, s from u": "NN NN",
    "with u as (delete from t where v > 1 returning v) select v from u": "NN",
}


@pytest.mark.parametrize("sql", CASES)
def test_returned_rows_are_the_rows_after_the_statement(sql: str) -> None:
    typed, problems = answers(SCHEMA, tuple(CASES))
    assert problems == ()
    assert nullness(typed[sql]) == CASES[sql]
