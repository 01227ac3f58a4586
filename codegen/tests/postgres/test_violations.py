"""The constraints that a statement can violate are those that calls of its function violate.

Random calls on random rows search for a violation of each constraint, especially of those not
listed.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterator
from inspect import signature
from random import Random
from typing import Any

import asyncpg
import pytest
from aiosqlc.cli.main import main

from tests.postgres.asking import answers
from tests.servers import postgres

SCHEMA = """
create function pg_temp_free(x int) returns boolean language sql immutable as $$ select x < 3 $$;
create table org (id int primary key, code int unique);
create table a (
    id int primary key, email int not null unique, age int check (age > 0), lo int, hi int,
    org int references org on update cascade on delete set null,
    own int check (pg_temp_free(own)), day date check (day > current_date - 40000),
    twice int generated always as (age * 2) stored unique,
    constraint a_range check (lo <= hi)
);
create unique index a_lo_org on a (lo) where hi > 1;
create unique index a_org_sum on a (org, (lo + hi));
create table b (id int primary key, a_id int references a on delete cascade, n int check (n > 0));
create table c (id int primary key, b_id int not null references b, e int references a (email)
    on update cascade on delete set default default 1 check (e < 3));
create table t (id int primary key, x int check (x < 3), y int check (y < 3));
create function spread() returns trigger language plpgsql as $$ begin
    new.y := new.x + 2; return new; end $$;
create trigger spread before update on t for each row execute function spread();
create table f (id int primary key, x int check (x < 3), y int check (y < 3));
create function touch(v int) returns int language plpgsql as $$ begin
    update f set y = v where id <> 1; return v; end $$;
create table old (id int primary key, x int, y int);
insert into old values (1, 9, 0), (2, 9, 0);
alter table old add constraint old_x_check check (x < 3) not valid;
create table self (id int primary key, up int references self on delete cascade);
"""
_ALL_A = {
    *("a_pkey", "a_email_key", "a_age_check", "a_own_check", "a_day_check", "a_twice_key"),
    *("a_range", "a_lo_org", "a_org_sum", "a_org_fkey"),
}
_NULLS = {"a_id_not_null", "a_email_not_null"}
# Name: (SQL, the constraints that it can violate, those of them that calls cannot show).
CASES: dict[str, tuple[str, set[str], set[str]]] = {
    # An UPDATE checks what looks at its columns, and a CHECK that more than the row decides.
    "SetAge": (
        "update a set age = @v where id = @k",
        {"a_age_check", "a_twice_key", "a_own_check", "a_day_check"},
        {"a_own_check", "a_day_check"},
    ),
    "SetLo": (
        "update a set lo = @v where id = @k",
        {"a_range", "a_lo_org", "a_org_sum", "a_twice_key", "a_own_check", "a_day_check"},
        {"a_own_check", "a_day_check", "a_twice_key"},
    ),
    "SetHi": (
        "update a set hi = @v where id = @k",
        {"a_range", "a_lo_org", "a_org_sum", "a_twice_key", "a_own_check", "a_day_check"},
        {"a_own_check", "a_day_check", "a_twice_key"},
    ),
    "SetEmail": (
        "update a set email = @v where id = @k",
        {"a_email_key", "a_email_not_null", "a_twice_key", "c_e_check"}
        | {"a_own_check", "a_day_check"},
        {"a_own_check", "a_day_check", "a_twice_key"},
    ),
    "SetOld": ("update old set y = @v where id = @k", {"old_x_check"}, set()),
    "SetX": (
        "update t set x = @v where id = @k",
        {"t_pkey", "t_x_check", "t_y_check", "t_id_not_null"},
        {"t_pkey", "t_id_not_null"},
    ),
    "SetTouched": (
        "update f set x = touch(@v) where id = 1",
        {"f_pkey", "f_x_check", "f_y_check", "f_id_not_null"},
        {"f_pkey", "f_id_not_null"},
    ),
    "MoveOrg": (
        "update org set id = @v where id = @k",
        {"org_pkey", "org_id_not_null", "a_org_sum", "a_twice_key", "a_own_check", "a_day_check"},
        {"a_org_sum", "a_twice_key", "a_own_check", "a_day_check"},
    ),
    "SetCode": ("update org set code = @v where id = @k", {"org_code_key"}, set()),
    # A DELETE violates keys that lead to its rows, or to the rows that go with them.
    "DropA": (
        "delete from a where id = @k",
        {"c_b_id_fkey", "c_e_fkey", "c_e_check"},
        {"c_e_check"},
    ),
    "DropB": ("delete from b where id = @k", {"c_b_id_fkey"}, set()),
    "DropC": ("delete from c where id = @k", set(), set()),
    "DropSelf": ("delete from self where id = @k", set(), set()),
    "DropOrg": (
        "delete from org where id = @k",
        {"a_org_sum", "a_twice_key", "a_own_check", "a_day_check"},
        {"a_org_sum", "a_twice_key", "a_own_check", "a_day_check"},
    ),
    # An INSERT violates all, but what ON CONFLICT deals with.
    "AddA": (
        "insert into a (id, email, age, lo, hi, org, own) values (@k, @v, @v, @w, @x, @y, @z)",
        _ALL_A | _NULLS,
        {"a_day_check"},
    ),
    "AddOrg": ("insert into org values (@k, @v)", {"org_pkey", "org_code_key", "org_id_not_null"},
        set()),
    "AddFirst": ("insert into org values (1, @v)", {"org_pkey", "org_code_key"}, set()),
    "AddOnce": (
        "insert into org values (@k, @v) on conflict (id) do nothing",
        {"org_code_key", "org_id_not_null"},
        set(),
    ),
    "AddNamed": (
        "insert into org values (@k, @v) on conflict on constraint org_code_key do nothing",
        {"org_pkey", "org_id_not_null"},
        set(),
    ),
    "AddAny": (
        "insert into org values (@k, @v) on conflict do nothing", {"org_id_not_null"}, set()
    ),
    "PutOrg": (
        "insert into org values (@k, @v) on conflict (id) do update set code = @w",
        {"org_code_key", "org_id_not_null"},
        set(),
    ),
    "RenumberOrg": (
        "insert into org values (@k, @v) on conflict (code) do update set id = @w where org.id > 0",
        {"org_pkey", "org_id_not_null", "a_org_sum", "a_twice_key", "a_own_check", "a_day_check"},
        {"a_org_sum", "a_twice_key", "a_own_check", "a_day_check"},
    ),
    "RenumberFirst": (
        "insert into org values (1, @v) on conflict (code) do update set id = @w",
        {"org_pkey", "org_id_not_null", "a_org_sum", "a_twice_key", "a_own_check", "a_day_check"},
        {"a_org_sum", "a_twice_key", "a_own_check", "a_day_check"},
    ),
    "MergeOrg": (
        (
            "merge into org using (select @k::int k) s on k = id when matched then delete"
            " when not matched then insert values (k, @v)"
        ),
        {"org_pkey", "org_code_key", "org_id_not_null", "a_org_fkey"},
        {"org_pkey", "a_org_fkey"},
    ),
}  # fmt: skip
_CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {out: violations_store, emit_exceptions: true}
"""
_CALLS = 120
_OFTEN = {
    "AddA": 12,
    "SetEmail": 8,
    "SetHi": 6,
    "SetLo": 6,
}  # what must meet more than one rare row
_VALUES = (None, 0, 1, 1, 2, 2, 3, 4)
_TABLES = {"org": 2, "b": 3, "c": 3, "t": 3, "f": 3, "self": 2}
_A = "insert into a (id, email, age, lo, hi, org, own) values ({}, {}, {}, {}, {}, {}, 1)"


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.TestPostgres]:
    with postgres.running() as running:
        yield running


@pytest.fixture(scope="module")
def seen(
    server: postgres.TestPostgres, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[str]]:
    """The constraints that calls of each function have violated."""
    folder = tmp_path_factory.mktemp("violations")
    (folder / "sqlc.yaml").write_text(_CONFIG)
    (folder / "schema.sql").write_text(SCHEMA)
    texts = (f"-- name: {name} :exec\n{sql};\n" for name, (sql, *_) in CASES.items())
    (folder / "queries.sql").write_text("\n".join(texts))
    assert main(["generate", "-f", str(folder)]) == 0
    sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module("violations_store.queries")
    finally:
        sys.path.remove(str(folder))
    url = server.create_empty("violations")
    try:
        return asyncio.run(_violated(url, module))
    finally:
        server.drop(url)


async def _violated(url: str, module: Any) -> dict[str, set[str]]:
    random = Random(0)
    draws = {name: Random(name) for name in CASES}
    connection = await asyncpg.connect(url)
    await connection.execute(SCHEMA)
    found: dict[str, set[str]] = {name: set() for name in CASES}
    try:
        for _ in range(_CALLS):
            transaction = connection.transaction()
            await transaction.start()
            await _fill(connection, random)
            for name in (n for n in CASES for _ in range(_OFTEN.get(n, 1))):
                call = getattr(
                    module, "".join(f"_{c.lower()}" if c.isupper() else c for c in name)[1:]
                )
                names = [p for p in signature(call).parameters if p != "db"]
                inner = connection.transaction()
                await inner.start()
                try:
                    await call(connection, **{n: draws[name].choice(_VALUES) for n in names})
                except asyncpg.IntegrityConstraintViolationError as error:
                    found[name].add(_name_of(error))
                finally:
                    await inner.rollback()
            await transaction.rollback()
    finally:
        await connection.close()
    return found


def _name_of(error: Any) -> str:
    cause = error.__cause__ if error.__cause__ is not None else error
    return cause.constraint_name or f"{cause.table_name}_{cause.column_name}_not_null"


async def _fill(connection: Any, random: Random) -> None:
    """Insert a few rows that the constraints allow, most of them into `a`."""
    for table, width in _TABLES.items():
        for _ in range(4):
            values = ", ".join(str(random.choice(_VALUES) or "null") for _ in range(width))
            await _insert(connection, f"insert into {table} values ({values})")
        if table == "org":
            for number in range(1, 6):
                others = [random.choice((1, 2)) for _ in range(3)]
                row = (number, random.randint(1, 5), random.randint(1, 5), *others)
                await _insert(connection, _A.format(*row))


async def _insert(connection: Any, sql: str) -> None:
    inner = connection.transaction()
    await inner.start()
    try:
        await connection.execute(sql)
    except asyncpg.IntegrityConstraintViolationError:
        await inner.rollback()
    else:
        await inner.commit()


@pytest.mark.parametrize("name", CASES)
def test_calls_violate_only_the_constraints_of_their_statement(
    name: str, seen: dict[str, set[str]]
) -> None:
    sql, claimed, unseen = CASES[name]
    typed, problems = answers(SCHEMA, tuple(_numbered(sql) for sql, *_ in CASES.values()))
    assert [problem.message for problem in problems] == []
    assert {item.name for item in typed[_numbered(sql)].violable} == claimed
    assert seen[name] == claimed - unseen


def _numbered(sql: str) -> str:
    names = list(dict.fromkeys(word[0] for word in sql.split("@")[1:]))
    for number, one in enumerate(names, 1):
        sql = sql.replace(f"@{one}", f"${number}")
    return sql
