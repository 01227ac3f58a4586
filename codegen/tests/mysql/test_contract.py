"""The generated contract detects every difference between engines that a caller could see."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import ModuleType

import pytest
from aiosqlc.cli.main import main
from aiosqlc.contract import Call, compare
from aiosqlc.contract.alike import plain

from tests.mysql.conftest import is_mysql, on_both
from tests.mysql.test_two_engines import project

POSTGRES = "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, note text, at timestamptz)"
MYSQL = (
    "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, note text, at timestamp(6) NULL)"
    " DEFAULT CHARACTER SET utf8mb4 COLLATE {collation}"
)
# Spaces at the end count, in MariaDB's words and in MySQL's.
ALIKE = "utf8mb4_0900_bin" if is_mysql() else "utf8mb4_nopad_bin"
NO_ACCENTS = "utf8mb4_0900_ai_ci" if is_mysql() else "utf8mb4_general_nopad_ci"
ADD = "INSERT INTO t (id, name, note, at) VALUES ({}) {}"


@pytest.fixture
async def stores(empty_database: str, empty_mysql: str):
    """An executor on each engine, without tables."""
    async with on_both((empty_database, empty_mysql)) as both:
        yield both


def module(name: str, add: str, find: str) -> ModuleType:
    """Make a module like the compiler's: one query that writes, and one that reads."""
    made = ModuleType(name)

    async def add_row(db, *, id: int, name: str, note: str | None, at: datetime | None) -> None:  # noqa: A002
        await db.execute(add, id, name, note, at)

    async def find_rows(db, *, name: str) -> list[object]:
        return [tuple(row) for row in await db.fetch(find, name)]

    made.add_row, made.find_rows = add_row, find_rows  # type: ignore[attr-defined]
    # The annotations are looked up where the functions are defined.
    return made


def calls(pg: str, my: str) -> Sequence[Call]:
    first = module("first", ADD.format("$1, $2, $3, $4", "ON CONFLICT DO NOTHING"), pg)
    second = module("second", ADD.format("%s, %s, %s, %s", "ON DUPLICATE KEY UPDATE id = id"), my)
    ordered = "ORDER BY" in pg
    return (Call("add_row", first, second), Call("find_rows", first, second, ordered=ordered))


@pytest.mark.parametrize(
    ("what", "pg", "my", "collation"),
    [
        ("case", "name = $1", "name = %s", "utf8mb4_general_ci"),
        ("spaces at the end", "name = $1", "name = %s", "utf8mb4_bin"),
        ("accents", "name = $1", "name = %s", NO_ACCENTS),
        ("empty text and NULL", "name = $1", "NULLIF(name, '') = %s", ALIKE),
        ("NULL among text", "name || coalesce(note, '') = $1", "concat(name, note) = %s",
         ALIKE),
        ("NULL among others", "greatest(name, note) = $1", "greatest(name, note) = %s",
         ALIKE),
        ("division", "id / 2 = length($1)", "id / 2 = char_length(%s)", ALIKE),
        ("length", "length(name) = length($1)", "length(name) = char_length(%s)",
         ALIKE),
        ("NULL first or last", 'name <> $1 ORDER BY note COLLATE "C", id',
         "name <> %s ORDER BY note, id", ALIKE),
        ("time zones", "name = $1 AND extract(hour FROM at AT TIME ZONE 'UTC') < 12",
         "name = %s AND hour(convert_tz(at, '+00:00', '+05:30')) < 12", ALIKE),
    ],
)  # fmt: skip
async def test_a_difference_between_engines_ends_the_story(stores, what, pg, my, collation) -> None:
    await stores[0].execute(POSTGRES)
    await stores[1].execute(MYSQL.format(collation=collation))
    columns = "SELECT id, name, note, at FROM t WHERE "
    with pytest.raises(AssertionError, match="the engines differ after"):
        await compare(calls(columns + pg, columns + my), *stores, seed=1, steps=2000)


@pytest.mark.parametrize(
    ("pg", "my"),
    [
        ("name = $1", "name = %s"),
        ('name <> $1 ORDER BY note COLLATE "C" NULLS FIRST, id', "name <> %s ORDER BY note, id"),
        ("concat(name, note) = $1", "concat(name, coalesce(note, '')) = %s"),
        ("length(name) = length($1)", "char_length(name) = char_length(%s)"),
    ],
)  # fmt: skip
async def test_where_there_is_none_the_story_ends_well(stores, pg, my) -> None:
    await stores[0].execute(POSTGRES)
    await stores[1].execute(MYSQL.format(collation=ALIKE))
    columns = "SELECT id, name, note, at FROM t WHERE "
    await compare(calls(columns + pg, columns + my), *stores, seed=1)


async def test_a_query_that_finds_nothing_proves_nothing(stores) -> None:
    await stores[0].execute(POSTGRES)
    await stores[1].execute(MYSQL.format(collation=ALIKE))
    empty = calls("SELECT 1 WHERE $1 = 'no'", "SELECT 1 FROM DUAL WHERE %s = 'no'")
    with pytest.raises(
        AssertionError, match="these calls never returned or changed a row: find_rows"
    ):
        await compare(empty, *stores, seed=1, steps=20)


def test_a_time_keeps_its_zone_and_a_number_its_scale() -> None:
    moment = datetime.fromisoformat("2024-01-01T00:00:00+00:00")
    assert plain(moment) == plain(datetime.fromisoformat("2024-01-01T05:30:00+05:30"))
    assert plain(moment) != plain(moment.replace(tzinfo=None))
    assert plain(1) != plain(True)


def test_the_test_is_generated_beside_the_code(
    mysql_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(mysql_cache))
    config = Path(project(tmp_path, "compared"))
    said = "same_as: compared.postgres\n        contract: {out: test_it.py, values: {word: [a]}}"
    config.write_text(config.read_text().replace("same_as: compared.postgres", said))
    assert main(["generate", "-f", str(config)]) == 0
    assert main(["check", "-f", str(config)]) == 0
    monkeypatch.syspath_prepend(str(tmp_path))
    generated = importlib.import_module("test_it")
    shown = {call.name: (call.ordered, call.first, call.second) for call in generated.CALLS}
    items = [sys.modules[f"compared.{engine}.items"] for engine in ("postgres", "mysql")]
    assert shown == {
        "get_item": (False, *items),
        "list_items": (True, *items),
        "find_items": (True, *items),
        "walk_items": (True, *items),
        "add_item": (False, *items),
        "reprice": (False, *items),
    }
    assert generated.GIVEN == {"word": ("a",)}


def test_a_contract_needs_another_engine(tmp_path, capsys) -> None:
    config = Path(project(tmp_path, "single"))
    text = config.read_text().replace("same_as: single.postgres", "contract: {out: test_it.py}")
    config.write_text(text)
    assert main(["generate", "-f", str(config)]) == 2
    out = capsys.readouterr()
    assert "so `same_as` must name that entry" in out.out + out.err
