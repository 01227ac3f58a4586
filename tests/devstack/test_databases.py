"""The stack's databases: created and filled if they belong to the stack, else only migrated."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from devstack import databases
from devstack.embedded.home import Home
from devstack.embedded.ports import free_port
from devstack.supervisor import StartError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    demo = tmp_path / "migrations" / "shop" / "demo"
    demo.mkdir(parents=True)
    (demo.parent / "0001_shelf.sql").write_text("CREATE TABLE shelf (label text)")
    (demo / "0001_rows.sql").write_text("INSERT INTO shelf VALUES ('top')")
    (demo.parent / "grants").mkdir()
    grants = "GRANT SELECT, UPDATE ON shelf TO shop_service;\n"
    (demo.parent / "grants" / "service.sql").write_text(grants)
    return tmp_path


async def labels(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["label"] for row in await connection.fetch("SELECT label FROM shelf")]
    finally:
        await connection.close()


async def test_demo_data_is_loaded_once_and_what_became_of_it_stays(root, run_dir):
    home = Home(run_dir, postgres_port=free_port())
    with home.postgres_running():
        url = databases.ready(home, {}, root)["shop"]
        connection = await asyncpg.connect(url)
        await connection.execute("UPDATE shelf SET label = 'bottom'")
        await connection.close()
        assert databases.ready(home, {}, root)["shop"] == url
        assert await labels(url) == ["bottom"]


async def test_a_service_enters_with_its_rights_alone_and_keeps_none_of_a_former_version(
    root, run_dir
):
    home = Home(run_dir, postgres_port=free_port())
    with home.postgres_running():
        connection = await asyncpg.connect(databases.ready(home, {}, root)["shop"])
        for refused in ("DELETE FROM shelf", "DROP TABLE shelf", "CREATE TABLE other ()"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(refused)
        await connection.execute("UPDATE shelf SET label = 'bottom'")
        file = root / "migrations" / "shop" / "grants" / "service.sql"
        file.write_text("GRANT SELECT ON shelf TO shop_service;\n")
        databases.ready(home, {}, root)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE shelf SET label = 'top'")
        await connection.close()


async def test_a_database_that_the_environment_names_gets_no_demo_data(
    root, run_dir, empty_database
):
    environ = {"SHOP_DATABASE_URL": empty_database}
    assert databases.ready(Home(run_dir), environ, root) == {"shop": empty_database}
    assert await labels(empty_database) == []


async def test_a_migration_that_fails_names_the_database(root, run_dir, empty_database):
    (root / "migrations" / "shop" / "0002_bad.sql").write_text("SELECT nothing")
    environ = {"SHOP_DATABASE_URL": empty_database}
    with pytest.raises(StartError, match=r"cannot migrate the database shop: .*0002_bad"):
        databases.ready(Home(run_dir), environ, root)


def test_a_database_that_cannot_be_made_is_one_sentence(root, run_dir):
    with pytest.raises(StartError, match=r"^cannot create the database shop: .*refused") as raised:
        databases.ready(Home(run_dir, postgres_port=free_port()), {}, root)
    assert "\n" not in str(raised.value)
