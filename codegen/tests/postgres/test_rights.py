"""The computed privileges are those that the server checks: all are needed and sufficient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from aiosqlc.analysis.grants import Needs, Right, plain_or, statements
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.catalog.bodies import look_into_bodies
from aiosqlc.postgres.catalog.facts import Facts, load_facts
from aiosqlc.postgres.describe import prepare_session
from aiosqlc.postgres.rights import needs
from aiosqlc.servers.postgres.connection import Connection, ServerError
from aiosqlc.servers.postgres.databases import new_draft
from msgspec.structs import replace

SCHEMA = """
create schema other;
create sequence counted;
create table a (id int primary key, name text not null default 'x', number int not null
    default nextval('counted'), grp int, secret text);
create table b (id int generated always as identity primary key, aid int references a, note text);
create table other.c (id int primary key, size int);
create view shown as select id, name from a where grp is null;
create view asked with (security_invoker) as select id, grp from a;
create function doubled(x int) returns int language sql immutable begin atomic select x * 2; end;
create function read_c() returns bigint language sql begin atomic
    select sum(size) from other.c; end;
create function read_as_owner() returns bigint language sql security definer
    set search_path = public, pg_temp as 'select count(secret) from public.a';
create table checked (id int check (doubled(id) > 0), half int);
create index on checked (doubled(half));
create table traced (id int primary key, what text);
create table trace (what text);
create table hidden_trace (what text);
create function keep_trace() returns trigger language plpgsql as $$ begin
    insert into trace values (new.what); return new; end $$;
create function keep_hidden() returns trigger language plpgsql security definer
    set search_path = public, pg_temp as $$ begin
    insert into hidden_trace values (new.what); return new; end $$;
create trigger keep before insert on traced for each row execute function keep_trace();
create trigger hide before insert on traced for each row execute function keep_hidden();
create table parted (id int, at date) partition by range (at);
create table parted_1 partition of parted for values from ('2020-01-01') to ('2021-01-01');
create function sums(text) returns int language plpgsql as $$ begin
    execute 'select ' || $1; return 1; end $$;
insert into a (id) values (1), (2);
insert into other.c values (1, 1);
"""
CASES = {
    "what is read, written and compared": (
        "select name from a where id = 1",
        ["SELECT (id, name) ON a"],
    ),
    "all columns are the table": ("select * from a", ["SELECT ON a"]),
    "a count needs any one column": ("select count(*) from a", ["SELECT (id) ON a"]),
    "an update reads what it compares": (
        "update a set name = 'y' where grp = 1",
        ["SELECT (grp), UPDATE (name) ON a"],
    ),
    "a lock needs the right to change some column": (
        "select id from a where id = 1 for update",
        ["SELECT (id), UPDATE (id) ON a"],
    ),
    "deleting has no columns": ("delete from b where id = 1", ["SELECT (id), DELETE ON b"]),
    "a default may ask a sequence": (
        "insert into a (id) values (3)",
        ["SEQUENCE counted", "INSERT (id) ON a"],
    ),
    "a value that is given needs no default": (
        "insert into a (id, number) values (3, 1)",
        ["INSERT (id, number) ON a"],
    ),
    "an identity is nobody's matter, a foreign key its owner's": (
        "insert into b (aid) values (1)",
        ["INSERT (aid) ON b"],
    ),
    "an upsert reads its key and what it keeps": (
        "insert into a (id, number) values (1, 1) on conflict (id) do update set grp = a.grp + 1",
        ["SELECT (grp, id), INSERT (id, number), UPDATE (grp) ON a"],
    ),
    "a sequence is asked by name": ("select nextval('counted')", ["SEQUENCE counted"]),
    "another schema is entered": (
        "select size from other.c",
        ["SCHEMA other", "SELECT (size) ON other.c"],
    ),
    "what a view reads is its owner's matter": (
        "select name from shown",
        ["SELECT (name) ON shown"],
    ),
    "unless it asks as its caller": (
        "select id from asked",
        ["SELECT (id) ON asked", "SELECT (grp, id) ON a"],
    ),
    "a function may be called": ("select doubled(2)", ["FUNCTION doubled(x integer)"]),
    "a function acts for its caller": (
        "select read_c()",
        ["FUNCTION read_c()", "SCHEMA other", "SELECT (size) ON other.c"],
    ),
    "unless it acts for its owner": ("select read_as_owner()", ["FUNCTION read_as_owner()"]),
    "checks and indexes call functions": (
        "insert into checked (id, half) values (1, 1)",
        ["FUNCTION doubled(x integer)", "INSERT ON checked"],
    ),
    "a trigger acts for whoever sets it off": (
        "insert into traced (id, what) values (1, 'x')",
        ["INSERT ON traced", "INSERT ON trace"],
    ),
    "WITH and MERGE": (
        """with gone as (delete from b where note = 'x' returning aid)
        merge into a using gone on a.id = gone.aid when matched then update set grp = 1""",
        ["SELECT (aid, note), DELETE ON b", "SELECT (id), UPDATE (grp) ON a"],
    ),
    "partitions are the table's": (
        "insert into parted (id, at) values (1, '2020-02-02')",
        ["INSERT ON parted"],
    ),
    "truncating": ("truncate b", ["TRUNCATE ON b"]),
}


# Names in a body that is kept as a tree are not looked up again; in one that is text they are.
UNTOLD = {"a function acts for its caller": frozenset({Right("USAGE", "SCHEMA", "", "other")})}


@dataclass
class Database:
    """A database with the schema, and a role without privileges, which tries statements."""

    asked: Connection
    facts: Facts
    tried: Connection
    role: str

    def needs(self, *texts: str, borrowed: Sequence[str] = ()) -> Needs:
        return needs(self.asked, self.facts, texts, borrowed)

    def attempt(self, rights: Iterable[Right], sql: str) -> ServerError | None:
        """Run a statement with only these privileges, and roll it back."""
        assert self.tried.run("begin") is None
        try:
            for line in statements(rights, self.role, plain_or('"', frozenset())):
                assert self.tried.run(line) is None, line
            assert self.tried.run(f'set local role "{self.role}"') is None
            return self.tried.run(sql)
        finally:
            self.tried.run("rollback")


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with Analyzer() as analyzer:
        server = analyzer.server(AnalyzeOptions())
        with Connection(server.admin) as admin:
            name = new_draft(admin)
            there = server.conninfo(name)
            with Connection(there) as asked, Connection(there) as tried:
                assert tried.run(SCHEMA) is None
                assert (
                    tried.run("revoke execute on all routines in schema public from public") is None
                )
                assert tried.run(f"create role tried_{name}") is None
                facts = load_facts(asked)
                look_into_bodies(asked, facts)
                prepare_session(asked)
                yield Database(asked, facts, tried, f"tried_{name}")
            admin.run(f'drop database "{name}" with (force)')
            assert admin.run(f"drop role tried_{name}") is None


@pytest.mark.parametrize("sentence", CASES)
def test_exactly_these_rights_are_needed(sentence: str, database: Database) -> None:
    """The server runs each statement with its listed privileges, and refuses it with any less."""
    sql, expected = CASES[sentence]
    found = database.needs(sql)
    assert (_shown(found), found.unknown) == (sorted(expected), ())
    assert database.attempt(found.rights, sql) is None
    for right in found.rights - UNTOLD.get(sentence, frozenset()):
        for less in _less(found.rights, right):
            error = database.attempt(less, sql)
            assert error is not None, f"runs without {right}"
            assert error.state == "42501", error


def _less(rights: frozenset[Right], right: Right) -> Iterator[frozenset[Right]]:
    """Remove a privilege, or one column of it."""
    yield rights - {right}
    columns = right.columns or frozenset()
    for column in columns if len(columns) > 1 else ():
        yield rights - {right} | {replace(right, columns=columns - {column})}


def _shown(found: Needs) -> list[str]:
    lines = statements(found.rights, "r", plain_or('"', found.reserved))
    cut = re.compile(r"GRANT (?:(?:USAGE|EXECUTE) ON )?(.*) TO r")
    return sorted(cut.sub(r"\1", line) for line in lines)


def test_what_nobody_can_tell_is_said(database: Database) -> None:
    """Examples are a function that builds statements, and a sequence that is named at run time."""
    found = database.needs("select sums('1')", "select nextval($1::text::regclass)")
    assert found.unknown == (
        "sums() builds statements at run time",
        "nextval() gets the name of its sequence only at run time",
    )


def test_of_borrowed_queries_those_count_whose_tables_are_there(database: Database) -> None:
    """Queries of another configuration are added, if this database has their tables."""
    borrowed = ("select id from b", "select id from elsewhere", "select nothing from b")
    found = database.needs(borrowed=borrowed)
    assert _shown(found) == ["SELECT (id) ON b"]
    assert found.unknown == ('the server rejects a statement: column "nothing" does not exist',)
