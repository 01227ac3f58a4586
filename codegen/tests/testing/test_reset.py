"""A returned database equals a new one, for any writes of a test."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psycopg
import pytest
from aiosqlc.postgres.catalog.facts import load_facts
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.scratch import Rows
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.embedded import binaries
from aiosqlc.testing import Databases, TemplateError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers import postgres

TRACKER = Path(__file__).resolve().parents[2] / "examples" / "tracker" / "migrations"
EXAMPLES = settings.default.max_examples // 5  # each runs pg_dump
SHOP = r"""
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN isbn AS text CHECK (VALUE ~ '^[0-9]{3}$');
CREATE TYPE pair AS (x int, y text);
CREATE TABLE author (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE,
    book_id int, CONSTRAINT named CHECK (name <> '')
);
CREATE TABLE book (
    id serial PRIMARY KEY, author_id bigint NOT NULL REFERENCES author ON DELETE CASCADE,
    up int REFERENCES book, isbn isbn, mood mood, tags text[], price numeric(8, 3),
    total numeric GENERATED ALWAYS AS (price * 2) STORED, cover bytea, ratio float8,
    born timestamptz DEFAULT now(), age interval, pair pair, at tstzrange, facts jsonb
);
ALTER TABLE author ADD FOREIGN KEY (book_id) REFERENCES book DEFERRABLE INITIALLY DEFERRED;
CREATE SCHEMA "my App";
CREATE TABLE "my App"."Or""der" ("Group" int PRIMARY KEY DEFAULT 7, n int);
CREATE TABLE event (id int, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE event_rest PARTITION OF event DEFAULT;
CREATE TABLE base (id int); CREATE TABLE derived (more text) INHERITS (base);
CREATE UNLOGGED TABLE fast (id int);
CREATE TABLE kept (id int);
CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER no BEFORE DELETE ON kept FOR EACH ROW EXECUTE FUNCTION no();
CREATE TABLE ruled (id int); CREATE RULE no AS ON DELETE TO ruled DO INSTEAD NOTHING;
CREATE TABLE logged (id int); CREATE TABLE log (id int);
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.log VALUES (1); RETURN NULL; END $$;
CREATE TRIGGER log AFTER INSERT OR DELETE ON logged FOR EACH ROW EXECUTE FUNCTION log();
ALTER TABLE logged ENABLE ALWAYS TRIGGER log;
CREATE TABLE secret (id int); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE secret FORCE ROW LEVEL SECURITY;
CREATE TABLE unchecked (id int); INSERT INTO unchecked VALUES (-1);
ALTER TABLE unchecked ADD CHECK (id > 0) NOT VALID;
INSERT INTO author (name) VALUES ('Ada'), (E'tab\there \\ "quoted"');
INSERT INTO book (author_id, isbn, tags, price, cover, ratio, born, age, pair, at, facts) VALUES
    (1, '123', '{a,NULL,"b c"}', 1.5, '\x00ff', 'NaN', 'infinity', '1 mon 2 days 03:00:00.5',
     '(1,"a b")', '[2024-01-01,)', '{"a": [1, null]}'),
    (2, NULL, NULL, NULL, NULL, 0.1, '4713-01-01 BC', NULL, NULL, 'empty', 'null');
INSERT INTO event VALUES (1, '2024-05-05'), (2, '2030-01-01');
CREATE SEQUENCE spare START 5 INCREMENT -1 MAXVALUE 5;
CREATE MATERIALIZED VIEW names AS SELECT name FROM author; CREATE UNIQUE INDEX ON names (name);
"""
# Writes of rows and sequences, which a reset undoes.
ROWS = [
    "INSERT INTO author (name) VALUES ('new')",
    "INSERT INTO author (name) SELECT n::text FROM generate_series(1, 50) AS n",
    "UPDATE author SET name = upper(name)",
    "DELETE FROM author WHERE id = 1",
    "BEGIN; DELETE FROM author; ROLLBACK",
    "BEGIN; INSERT INTO author (name) VALUES ('cycle'); UPDATE author SET book_id = 1; COMMIT",
    "UPDATE book SET up = 1, mood = 'sad', price = 9.25",
    "INSERT INTO book (author_id) SELECT id FROM author",
    "DELETE FROM book",
    'INSERT INTO "my App"."Or""der" VALUES (1, 2)',
    "INSERT INTO event VALUES (3, '2024-06-06'), (4, '1999-01-01')",
    "UPDATE event SET at = '2040-01-01' WHERE at < '2025-01-01'",
    "INSERT INTO base VALUES (1)", "INSERT INTO derived VALUES (1, 'a')",
    "INSERT INTO fast VALUES (1)", "INSERT INTO kept VALUES (1)", "INSERT INTO ruled VALUES (1)",
    "INSERT INTO secret VALUES (1)",
    "COPY author (name) FROM PROGRAM 'echo copied'",
    "MERGE INTO author AS a USING (VALUES ('Ada'), ('Bea')) AS v (name) ON a.name = v.name \
    WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (name) VALUES (v.name)",
    "SELECT nextval('spare')", "SELECT setval('spare', 3, false)", "SELECT setval('spare', 5)",
    "SELECT setval('book_id_seq', 100, false)", "SELECT setval('author_id_seq', 1, false)",
    "BEGIN; SELECT nextval('spare'); ROLLBACK",
    "CREATE TEMP TABLE mine AS SELECT * FROM author",
    "CREATE TABLE mine (id serial, author_id bigint REFERENCES author)",
    "BEGIN; CREATE TABLE gone (id int); DROP TABLE author CASCADE; ROLLBACK",
    "SET session_replication_role = replica; DELETE FROM author WHERE id = 2",
    "DO $$ BEGIN DELETE FROM author; RAISE 'no'; EXCEPTION WHEN others THEN NULL; END $$",
    "PREPARE t AS DELETE FROM author; EXECUTE t",
    "CREATE TABLE event_2050 PARTITION OF event FOR VALUES FROM ('2050-01-01') TO ('2051-01-01')",
]  # fmt: skip
# Other changes, after which the database is replaced.
OTHER = [
    "TRUNCATE log", "TRUNCATE author CASCADE", "ALTER TABLE book ADD COLUMN more int",
    "ALTER TABLE author DROP CONSTRAINT named", "ALTER TABLE author DISABLE TRIGGER ALL",
    "ALTER TABLE book ALTER COLUMN price SET DEFAULT 7", "DROP TABLE log",
    "CREATE INDEX ON book (price)", "CREATE VIEW v AS SELECT 1", "ALTER TYPE mood ADD VALUE 'meh'",
    "CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS \
    $$ BEGIN RETURN OLD; END $$",
    "ALTER SEQUENCE spare RESTART WITH 2", "ALTER SEQUENCE spare INCREMENT 5",
    "SELECT lo_from_bytea(0, 'large')", "COMMENT ON TABLE author IS 'new'",
    "GRANT SELECT ON author TO PUBLIC", "ALTER TABLE author RENAME TO writer",
    "UPDATE pg_class SET relrowsecurity = true WHERE relname = 'author'",
    "CREATE TABLE mine (id int); CREATE VIEW v AS SELECT * FROM mine",
    "CREATE CAST (mood AS int) WITH INOUT", "ANALYZE author", "VACUUM book",
    "INSERT INTO logged VALUES (1)", "UPDATE unchecked SET id = 2",
    "INSERT INTO log SELECT n FROM generate_series(1, 9000) AS n",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY names",
    "INSERT INTO author (name) VALUES ('z'); REFRESH MATERIALIZED VIEW names",
    "INSERT INTO author (name) VALUES ('z'); REFRESH MATERIALIZED VIEW CONCURRENTLY names",
    "INSERT INTO author (name) VALUES ('z'); SELECT pg_stat_reset()",
    "INSERT INTO author (name) VALUES ('z'); \
    SELECT pg_stat_reset_single_table_counters('author'::regclass)",
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 64', current_database()); END $$",
    "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO PUBLIC', current_database()); \
    END $$",
]  # fmt: skip


def _template(server: postgres.TestPostgres, schema: str) -> str:
    url = server.create_empty("tpl")
    _run(url, schema)
    return url


@pytest.fixture(scope="module")
def shop(postgres_server: postgres.TestPostgres) -> Iterator[Databases]:
    with Databases(_template(postgres_server, SHOP), file_copy=True) as databases:
        yield databases


@pytest.fixture(scope="module")
def new(shop: Databases) -> str:
    """Return the output of pg_dump for a new database."""
    url = shop.take()
    dump = dumped(url)
    shop.give_back(url)
    return dump


def _run(url: str, *statements: str) -> None:
    """Run each statement in its own session; the server may refuse the statement."""
    for statement in statements:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement, prepare=False)


def _tried(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            try:
                connection.execute(statement, prepare=False)
            except psycopg.Error:
                connection.execute("ROLLBACK")


def dumped(url: str) -> str:
    """Return the schema, all rows in their order, and the sequences, without random tokens."""
    command = [str(binaries() / "pg_dump"), "--large-objects", f"--dbname={url}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("\\")]
    with psycopg.connect(url) as connection:  # pg_dump writes no rows of materialized views
        views = connection.execute(
            "SELECT format('%I.%I', schemaname, matviewname) FROM pg_matviews"
        )
        for (name,) in views.fetchall():
            lines += map(str, connection.execute(f"SELECT * FROM {name}").fetchall())
    return "\n".join(lines)


def _oid(url: str) -> int:
    """Return the identity of a database, which a replacement does not have."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT oid::int8 FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row
    return int(row[0])


@pytest.mark.long
@pytest.mark.parametrize("statement", ROWS)
def test_a_reset_undoes(statement: str, shop: Databases, new: str) -> None:
    url = shop.take()
    before = _oid(url)
    for _ in range(2):  # the second time, the counts begin at those of the reset
        _run(url, statement)
        shop.give_back(url)
        assert shop.take() == url
        assert dumped(url) == new
    assert _oid(url) == before
    shop.give_back(url)


@pytest.mark.long
@pytest.mark.parametrize("statement", OTHER)
def test_the_database_is_replaced_after(statement: str, shop: Databases, new: str) -> None:
    url = shop.take()
    before = _oid(url)
    _run(url, statement)
    shop.give_back(url)
    assert shop.take() == url
    assert dumped(url) == new
    assert _oid(url) != before
    shop.give_back(url)


@settings(max_examples=EXAMPLES)
@given(writes=st.lists(st.sampled_from([*ROWS, *ROWS, *ROWS, *OTHER]), max_size=8))
def test_any_sequence_of_writes_leaves_a_new_database(
    writes: list[str], shop: Databases, new: str
) -> None:
    url = shop.take()
    _tried(url, *writes)
    shop.give_back(url)
    again = shop.take()
    assert (again, dumped(again)) == (url, new)
    shop.give_back(url)


@settings(max_examples=EXAMPLES)
@given(seed=st.integers(0, 10**6), kept=st.integers(0, 4))
def test_random_rows_of_a_project_are_undone(
    seed: int, kept: int, tracker: tuple[Databases, str]
) -> None:
    databases, empty = tracker
    url = databases.take()
    with Connection(url) as connection:
        rows = Rows(connection, url, load_facts(connection), Sampler(seed))
        with rows.kept():
            rows.fill(kept)
    databases.give_back(url)
    again = databases.take()
    assert (again, dumped(again)) == (url, empty)
    databases.give_back(again)


@pytest.fixture(scope="module")
def tracker(postgres_server: postgres.TestPostgres) -> Iterator[tuple[Databases, str]]:
    schema = "".join(path.read_text() for path in sorted(TRACKER.glob("*.sql")))
    with Databases(_template(postgres_server, schema), file_copy=True) as databases:
        url = databases.take()
        yield databases, dumped(url)


async def test_sessions_are_ended_and_their_open_transactions_are_undone(
    shop: Databases, new: str
) -> None:
    url = shop.take()
    left = await asyncpg.connect(url)
    await left.execute("BEGIN; DELETE FROM author; LOCK TABLE book")
    await asyncio.to_thread(shop.give_back, url)
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await left.execute("COMMIT")
    assert shop.take() == url
    assert dumped(url) == new
    shop.give_back(url)


def test_two_tests_at_once_have_two_databases(shop: Databases, new: str) -> None:
    one, two = shop.take(), shop.take()
    _run(one, "DELETE FROM event")
    assert dumped(two) == new
    for url in (one, two):
        shop.give_back(url)


@pytest.mark.long  # the server waits for five seconds
def test_a_session_on_the_template_is_reported(
    postgres_server: postgres.TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiosqlc.servers.postgres.copies._PATIENCE", 0.0)
    template = postgres_server.create_empty("tpl")
    said = "a session is connected to the database tpl_"
    with (
        psycopg.connect(template),
        Databases(template) as databases,
        pytest.raises(TemplateError, match=said),
    ):
        databases.take()


def test_a_copy_is_made_when_the_session_on_the_template_ends(
    postgres_server: postgres.TestPostgres,
) -> None:
    template = postgres_server.create_empty("tpl")
    session = psycopg.connect(template)
    closing = threading.Timer(0.2, session.close)
    closing.start()
    with Databases(template) as databases:
        assert _oid(databases.take())
    closing.join()


@pytest.mark.parametrize(
    "template", ["host=/tmp dbname=x", "mysql://root@localhost/", "sqlite:///x", ""]
)
def test_a_template_must_be_a_url(template: str) -> None:
    with pytest.raises(TemplateError, match="is not a URL such as"):
        Databases(template)


def test_a_role_that_is_no_superuser_gets_a_new_database(
    postgres_server: postgres.TestPostgres,
) -> None:
    template = _template(postgres_server, "CREATE TABLE t (id int)")
    _run(postgres_server.url(), "CREATE ROLE weak LOGIN CREATEDB PASSWORD 'weak'")
    name = template.rpartition("/")[2]
    _run(postgres_server.url(), f"ALTER DATABASE {name} OWNER TO weak")
    place = template.rpartition("@")[2]
    with Databases(f"postgresql://weak:weak@{place}") as databases:
        url = databases.take()
        before = _oid(url)
        databases.give_back(url)
        assert databases.take() == url
        assert _oid(url) != before
    _run(postgres_server.url(), f"DROP DATABASE {name}", "DROP ROLE weak")
