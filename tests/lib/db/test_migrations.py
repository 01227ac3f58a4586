"""Migrations: applied once, undone one step at a time, and refused with one sentence."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path

import asyncpg
import psycopg
import pytest
from pydantic import SecretStr

from lib.config import PostgresSettings
from lib.db import migration_step, migrations
from lib.db.postgres import open_database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations with rollbacks, and demo data."""
    (tmp_path / "demo").mkdir()
    for stem, up, down in (
        ("0001_shelf", "CREATE TABLE shelf (label text)", "DROP TABLE shelf"),
        ("0002_book", "CREATE TABLE book (title text)", "DROP TABLE book"),
    ):
        (tmp_path / f"{stem}.sql").write_text(up)
        (tmp_path / f"{stem}.rollback.sql").write_text(down)
    (tmp_path / "demo" / "0001_rows.sql").write_text("INSERT INTO shelf VALUES ('top')")
    return tmp_path


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT relname FROM pg_stat_user_tables")
    finally:
        await connection.close()
    return {row["relname"] for row in rows}


async def test_a_second_run_applies_nothing(empty_database, folder):
    assert migrations.apply(empty_database, folder, db="shop") == ["0001_shelf", "0002_book"]
    assert migrations.apply(empty_database, folder, db="shop") == []


async def test_demo_data_is_loaded_once_and_only_on_request(empty_database, folder):
    migrations.apply(empty_database, folder, db="shop")
    assert migrations.apply(empty_database, folder, db="shop", demo=True) == ["0001_rows"]
    assert migrations.apply(empty_database, folder, db="shop", demo=True) == []


async def test_down_undoes_the_newest_schema_migration_only(empty_database, folder):
    migrations.apply(empty_database, folder, db="shop", demo=True)
    assert migrations.roll_back_one(empty_database, folder, db="shop") == "0002_book"
    assert {"shelf", "shop_schema_version"} <= await tables(empty_database)
    assert "book" not in await tables(empty_database)


async def test_demo_data_comes_back_after_everything_was_undone(empty_database, folder):
    migrations.apply(empty_database, folder, db="shop", demo=True)
    while migrations.roll_back_one(empty_database, folder, db="shop"):
        pass
    again = migrations.apply(empty_database, folder, db="shop", demo=True)
    assert again == ["0001_shelf", "0002_book", "0001_rows"]


async def test_down_on_an_empty_database_says_so(empty_database, folder):
    assert migrations.roll_back_one(empty_database, folder, db="shop") is None


async def test_a_failing_migration_leaves_nothing_of_itself(empty_database, folder):
    (folder / "0003_bad.sql").write_text("CREATE TABLE half (a int); SELECT * FROM nowhere;")
    with pytest.raises(migrations.MigrationError, match=r'0003_bad failed: relation "nowhere"'):
        migrations.apply(empty_database, folder, db="shop")
    assert "half" not in await tables(empty_database)
    assert "book" in await tables(empty_database)  # the ones before it stay


async def test_a_demo_file_named_like_a_migration_is_refused(empty_database, folder):
    (folder / "demo" / "0002_book.sql").write_text("SELECT 1")
    with pytest.raises(migrations.MigrationError, match=r"0002_book\.sql has the same name"):
        migrations.apply(empty_database, folder, db="shop", demo=True)


async def test_a_second_service_in_a_schema_is_refused_before_anything_is_written(
    empty_database, folder
):
    migrations.apply(empty_database, folder, db="shop")
    before = await tables(empty_database)
    with pytest.raises(
        migrations.MigrationError, match=r"already contains the tables of shop: .*own"
    ):
        migrations.apply(empty_database, folder, db="library")
    assert await tables(empty_database) == before
    assert migrations.roll_back_one(empty_database, folder, db="shop") == "0002_book"


async def test_services_share_a_database_in_schemas_of_their_own(empty_database):
    urls = {db: f"{empty_database}?options=-csearch_path%3D{db}" for db in ("order", "catalog")}
    connection = await asyncpg.connect(empty_database)
    for db in urls:
        await connection.execute(f'CREATE SCHEMA "{db}"')
    await connection.close()
    for db, url in urls.items():
        folder = migrations.source(migrations.ROOT, db, url)
        assert migrations.apply(url, folder, db=db, demo=True)
        assert migrations.apply(url, folder, db=db, demo=True) == []
    for db, url in urls.items():
        settings = PostgresSettings(database_url=SecretStr(url), db_pool_min=1)
        async with open_database(settings, application="test") as opened:
            assert await opened.fetchval("SELECT current_schema") == db
            assert await opened.fetchval("SELECT count(*) FROM outbox") == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:secret@127.0.0.1:1/shop", "cannot connect to 127.0.0.1:1/shop"),
        ("sqlite:///x", "'sqlite'; it must be one of"),
    ],
)
def test_an_unreachable_database_is_one_sentence_without_its_password(folder, url, said):
    with pytest.raises(migrations.MigrationError, match=said) as caught:
        migrations.apply(url, folder, db="shop")
    assert "secret" not in str(caught.value)


async def test_a_migration_under_way_is_waited_for_and_then_named(
    empty_database, folder, monkeypatch
):
    monkeypatch.setattr(migrations, "_LOCK_SECONDS", 1)
    connection = await asyncpg.connect(empty_database)
    await connection.fetchval("SELECT pg_advisory_lock($1)", migrations._LOCK_KEY)
    with pytest.raises(migrations.MigrationError, match=r"another migration of .* is running"):
        migrations.apply(empty_database, folder, db="shop")
    await connection.close()
    assert len(migrations.apply(empty_database, folder, db="shop")) == 2


async def test_a_migration_and_its_mark_are_one_transaction(empty_database, folder):
    migrations.apply(empty_database, folder, db="shop")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("ALTER TABLE shop_schema_version ADD CHECK (migration_id < '0003')")
    (folder / "0003_lamp.sql").write_text("CREATE TABLE lamp (watt int)")
    with pytest.raises(migrations.MigrationError, match="0003_lamp failed"):
        migrations.apply(empty_database, folder, db="shop")
    assert "lamp" not in await tables(empty_database)
    await connection.close()


async def test_a_lock_is_requested_again_and_got_once_it_is_free(
    empty_database, folder, monkeypatch
):
    migrations.apply(empty_database, folder, db="shop")
    (folder / "0003_wide.sql").write_text("ALTER TABLE shelf ADD COLUMN width int")
    monkeypatch.setattr(migration_step, "_WAIT", "20ms")
    monkeypatch.setattr(migration_step, "_PAUSE_SECONDS", 0.0)
    lines = []
    with psycopg.connect(empty_database) as holder:
        holder.execute("SELECT * FROM shelf")

        def report(line):
            lines.append(line)
            holder.rollback()

        monkeypatch.setattr(migrations, "_report", report)
        assert migrations.apply(empty_database, folder, db="shop") == ["0003_wide"]
    assert lines == ["0003_wide could not lock its tables, attempt 1 of 6"]


@pytest.mark.parametrize("heading", ["", "-- transactional: false\n"])
def test_a_long_change_of_rows_shows_its_progress(empty_database, folder, monkeypatch, heading):
    text = """DO $$ BEGIN
        CREATE TABLE IF NOT EXISTS shelf (label text);
        FOR batch IN 1..3 LOOP RAISE NOTICE 'shelf: % of 3 pages', batch; END LOOP;
    END $$;
    CREATE TABLE IF NOT EXISTS shelf (label text);
    DROP INDEX IF EXISTS shelf_label;"""
    migrations.apply(empty_database, folder, db="shop")
    (folder / "0003_fill.sql").write_text(heading + text)
    lines = []
    monkeypatch.setattr(migrations, "_report", lines.append)
    assert migrations.apply(empty_database, folder, db="shop") == ["0003_fill"]
    assert lines == [f"0003_fill: shelf: {page} of 3 pages" for page in (1, 2, 3)]


async def test_a_lock_that_stays_taken_ends_the_migration_with_a_sentence(
    empty_database, folder, monkeypatch
):
    migrations.apply(empty_database, folder, db="shop")
    (folder / "0003_wide.sql").write_text("ALTER TABLE shelf ADD COLUMN width int")
    monkeypatch.setattr(migration_step, "_WAIT", "20ms")
    monkeypatch.setattr(migration_step, "_PAUSE_SECONDS", 0.0)
    with psycopg.connect(empty_database) as holder:
        holder.execute("SELECT * FROM shelf")
        with pytest.raises(migrations.MigrationError, match=r"0003_wide failed: .*lock timeout"):
            migrations.apply(empty_database, folder, db="shop")


async def test_a_deployer_takes_over_from_one_that_was_killed(empty_database, folder):
    gate = 4242
    (folder / "0003_slow.sql").write_text(
        f"SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock({gate}); CREATE TABLE lamp ()"
    )
    script = (
        "import sys; from pathlib import Path; from lib.db import migrations;"
        "print(migrations.apply(sys.argv[1], Path(sys.argv[2]), db='shop'))"
    )
    command = [sys.executable, "-c", script, empty_database, str(folder)]
    connection = await asyncpg.connect(empty_database)
    await connection.execute("SELECT pg_advisory_lock($1)", gate)
    first = subprocess.Popen(command, stdout=subprocess.PIPE)
    await waits_for(connection, gate, 1)
    second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    await runs(connection, f"SELECT pg%advisory_lock({migrations._LOCK_KEY})")
    first.kill()
    first.wait(30)
    await waits_for(connection, gate, 2)  # the session of the killed process is still there
    await connection.execute("SELECT pg_advisory_unlock($1)", gate)
    output, _ = second.communicate(timeout=30)
    assert (second.returncode, output.splitlines()[-1]) == (0, "['0003_slow']")
    query = "SELECT count(*) FROM shop_schema_version"
    assert await connection.fetchval(query) == 3
    assert "lamp" in await tables(empty_database)
    await connection.close()


async def test_an_index_is_built_concurrently_while_another_deployer_waits(empty_database, folder):
    migrations.apply(empty_database, folder, db="shop")
    (folder / "0003_index.sql").write_text(
        "-- transactional: false\n\nCREATE INDEX CONCURRENTLY shelf_label ON shelf (label)"
    )
    (folder / "0003_index.rollback.sql").write_text(
        "-- transactional: false\n\nDROP INDEX CONCURRENTLY shelf_label"
    )
    apply = partial(asyncio.to_thread, migrations.apply, empty_database, folder, db="shop")
    connection = await asyncpg.connect(empty_database)
    with psycopg.connect(empty_database) as holder:
        holder.execute("INSERT INTO shelf VALUES ('top')")  # the build waits for this transaction
        first = asyncio.create_task(apply())
        await runs(connection, "CREATE INDEX CONCURRENTLY%")
        second = asyncio.create_task(apply())
        await runs(connection, f"SELECT pg%advisory_lock({migrations._LOCK_KEY})")
        holder.commit()
        assert await asyncio.gather(first, second) == [["0003_index"], []]
    await connection.close()
    assert migrations.roll_back_one(empty_database, folder, db="shop") == "0003_index"


async def waits_for(connection: asyncpg.Connection, key: int, sessions: int) -> None:
    """Wait until `sessions` sessions wait for an advisory lock."""
    query = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND (classid::bigint << 32) + objid::bigint = $1"
    )
    async with asyncio.timeout(30):
        while await connection.fetchval(query, key) != sessions:
            await asyncio.sleep(0.02)


async def runs(connection: asyncpg.Connection, statement: str) -> None:
    """Wait until the last statement of a session without an advisory lock matches this pattern."""
    query = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity AS session WHERE query LIKE $1 AND NOT EXISTS"
        " (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = session.pid))"
    )
    async with asyncio.timeout(30):
        while not await connection.fetchval(query, statement):
            await asyncio.sleep(0.02)


def test_init_numbers_the_next_pair(folder):
    made = migrations.init(folder, "add_isbn")
    assert [path.name for path in made] == ["0003_add_isbn.sql", "0003_add_isbn.rollback.sql"]


@pytest.mark.parametrize("name", ["", "Add", "a-b", "../x"])
def test_init_refuses_a_name_that_is_not_words(folder, name):
    with pytest.raises(migrations.MigrationError, match="is not a migration name"):
        migrations.init(folder, name)


@pytest.mark.parametrize("args", [["up"], ["up", "--db", "nope"], ["init", "--name", "x"]])
def test_a_missing_or_unknown_database_names_the_valid_ones(tmp_path, monkeypatch, capsys, args):
    (tmp_path / "migrations" / "shop").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert migrations.main(args, {}) == 2
    assert "is not one of: shop" in capsys.readouterr().err


async def test_the_command_uses_the_url_in_the_environment(
    empty_database, folder, tmp_path_factory, monkeypatch, capsys
):
    home = tmp_path_factory.mktemp("home")
    (home / "migrations").mkdir()
    folder.rename(home / "migrations" / "shop")
    monkeypatch.chdir(home)
    assert migrations.main(["up", "--db", "shop"], {"SHOP_DATABASE_URL": empty_database}) == 0
    assert "shop: applied 0002_book" in capsys.readouterr().out


async def test_without_a_url_the_command_names_what_it_misses(
    folder, tmp_path_factory, monkeypatch, capsys
):
    home = tmp_path_factory.mktemp("home")
    (home / "migrations").mkdir()
    folder.rename(home / "migrations" / "shop")
    monkeypatch.chdir(home)
    assert migrations.main(["up", "--db", "shop"], {}) == 1
    assert "shop: SHOP_DATABASE_URL is not set" in capsys.readouterr().err
