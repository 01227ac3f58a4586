"""Each database is migrated on each of its engines: up, down to empty, and up again."""

from __future__ import annotations

import asyncio

import pytest

from lib.db import migrations
from lib.db.engine import engine_of
from tests.services.calling import by_hand

ROOT = migrations.ROOT.resolve()
BOTH = sorted(path.parent.name for path in ROOT.glob("*/mysql"))
EVERY = [
    *((path.name, "postgres") for path in sorted(ROOT.iterdir())),
    *((db, "mysql") for db in BOTH),
]


@pytest.fixture
async def empty(engine_server):
    url = await asyncio.to_thread(engine_server.create_empty)
    yield url
    await asyncio.to_thread(engine_server.drop, url)


@pytest.mark.parametrize(("db", "engine"), EVERY)
async def test_every_migration_can_be_undone_and_done_again(db, empty, engine) -> None:
    folder = migrations.source(ROOT, db, empty)
    assert folder == (ROOT / db / engine if db in BOTH else ROOT / db)
    done = await asyncio.to_thread(migrations.apply, empty, folder, db=db, demo=True)
    undone = []
    while name := await asyncio.to_thread(migrations.roll_back_one, empty, folder, db=db):
        undone.append(name)
    schema = sorted(path.stem for path in folder.glob("*.sql") if ".rollback" not in path.name)
    assert undone == schema[::-1]
    assert await asyncio.to_thread(migrations.apply, empty, folder, db=db, demo=True) == done
    async with by_hand(empty) as opened:
        assert engine_of(opened) == engine


async def test_the_command_takes_the_engine_from_the_url(
    empty, engine, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(ROOT.parent)
    for command, said in (("up", "applied 0001"), ("up", "nothing to"), ("down", "rolled back")):
        environ = {"DEPARTMENT_DATABASE_URL": empty}
        args = [command, "--db", "department"]
        assert await asyncio.to_thread(migrations.main, args, environ) == 0
        assert capsys.readouterr().out.startswith(f"department: {said}")


@pytest.mark.parametrize("db", BOTH)
def test_both_engines_have_the_same_steps_and_demo_data(db) -> None:
    steps = [
        [sorted(path.name for path in folder.glob("*.sql")) for folder in (where, where / "demo")]
        for where in (ROOT / db / "postgres", ROOT / db / "mysql")
    ]
    assert [len(files) for files in steps[0]] == [len(files) for files in steps[1]]
    assert steps[0][1] == steps[1][1]


def test_a_new_migration_is_one_for_each_engine(tmp_path, monkeypatch, capsys) -> None:
    for engine in migrations.ENGINES:
        (tmp_path / "migrations" / "shop" / engine).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert migrations.main(["init", "--db", "shop", "--name", "add_x"], {}) == 0
    created = sorted(path.name for path in tmp_path.rglob("*.sql"))
    assert created == ["0001_add_x.rollback.sql"] * 2 + ["0001_add_x.sql"] * 2
    assert (
        "lock_timeout"
        not in (tmp_path / "migrations" / "shop" / "mysql" / "0001_add_x.sql").read_text()
    )


# The steps that services carry of the library, by how they are named.
SHARED = {
    "events": "shared/schema/0001_events",
    "idempotency": "shared/schema/0002_idempotency",
    "outbox": "outbox/schema/0001_outbox",
}
CARRIED = [
    (path.relative_to(ROOT).with_suffix("").as_posix(), SHARED[path.stem.partition("_")[2]])
    for path in sorted(ROOT.rglob("0*.sql"))
    if path.stem.partition("_")[2] in SHARED
]


@pytest.mark.parametrize("kind", [".sql", ".rollback.sql"])
@pytest.mark.parametrize(("own", "shared"), CARRIED)
def test_what_services_share_is_the_shared_one_byte_for_byte(own, shared, kind) -> None:
    theirs = ROOT.parent / "sql" / f"{shared}{kind}"
    assert (ROOT / f"{own}{kind}").read_bytes() == theirs.read_bytes()


def test_every_database_carries_the_step_of_events() -> None:
    carrying = {own.partition("/")[0] for own, shared in CARRIED if "idempotency" not in shared}
    assert carrying == {path.name for path in ROOT.iterdir()}
