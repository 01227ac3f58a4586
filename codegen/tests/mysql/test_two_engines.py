"""One interface on two engines: the same functions, classes and results, or an error."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest
from aiosqlc.cli.main import main

from tests.mysql.conftest import on_both

POSTGRES = """
CREATE TYPE item_kind AS ENUM ('a', 'b');
CREATE TABLE item (
    id uuid PRIMARY KEY, name text NOT NULL, price numeric(12, 2) NOT NULL, kind item_kind NOT NULL,
    note text, active boolean NOT NULL, at timestamptz NOT NULL DEFAULT now()
);
"""
MYSQL = """
CREATE TABLE item (
    id binary(16) PRIMARY KEY, name varchar(200) NOT NULL, price decimal(12, 2) NOT NULL,
    kind enum('a', 'b') NOT NULL, note text, active boolean NOT NULL,
    at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
);
"""
QUERIES = """
-- name: GetItem :one
SELECT * FROM item WHERE id = @id;

-- name: ListItems :many
SELECT id, name, price, count(*) OVER () AS total FROM item
WHERE active AND (name = @word OR note = @word) AND kind IN (sqlc.slice(kinds))
ORDER BY name LIMIT @page_size;

-- name: FindItems :many
SELECT id, name FROM item WHERE id IN (sqlc.slice(ids)) ORDER BY name;

-- name: WalkItems :page
SELECT id, price FROM item ORDER BY price, id;

-- name: AddItem :exec
INSERT INTO item (id, name, price, kind, note, active)
VALUES (@id, @name, @price, @kind, @note, @active);

-- name: Reprice :execrows
UPDATE item SET price = @price WHERE id = @id;
"""
CONFIG = """
version: "2"
sql:
  - engine: postgresql
    schema: postgres.sql
    queries: postgres
    strict: true
    gen: {{python: {{out: {package}/postgres, package: {package}.postgres, models: msgspec}}}}
  - engine: mysql
    schema: mysql.sql
    queries: mysql
    strict: true
    gen:
      python:
        out: {package}/mysql
        package: {package}.mysql
        models: msgspec
        same_as: {same_as}
        overrides:
          - column: item.id
            type: uuid.UUID
            decode: {package}_ids.load
            encode: {package}_ids.dump
"""
IDS = """
from uuid import UUID

def load(raw: bytes) -> UUID:
    return UUID(bytes=raw)

def dump(value: UUID) -> bytes:
    return value.bytes
"""


def project(folder: Path, package: str, *, mysql: str = MYSQL, same_as: str = "") -> str:
    """Write a project on both engines; return its configuration's path."""
    (folder / "postgres").mkdir()
    (folder / "mysql").mkdir()
    (folder / package).mkdir()
    (folder / package / "__init__.py").touch()
    (folder / f"{package}_ids.py").write_text(IDS)
    (folder / "postgres.sql").write_text(POSTGRES)
    (folder / "mysql.sql").write_text(mysql)
    (folder / "postgres" / "items.sql").write_text(QUERIES)
    (folder / "mysql" / "items.sql").write_text(re.sub(r"@(\w+)", r"sqlc.arg(\1)", QUERIES))
    config = folder / "sqlc.yaml"
    config.write_text(CONFIG.format(package=package, same_as=same_as or f"{package}.postgres"))
    return str(config)


@pytest.fixture(scope="module")
def package(mysql_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("both")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(mysql_cache))
        assert main(["generate", "-f", project(folder, "both")]) == 0
        patch.syspath_prepend(str(folder))
        yield "both"


@pytest.fixture
async def engines(empty_database: str, empty_mysql: str):
    """An executor on each engine, with the schema."""
    async with on_both((empty_database, empty_mysql), (POSTGRES, MYSQL)) as (pg, my):
        yield {"postgres": pg, "mysql": my}


async def _story(items: ModuleType, models: ModuleType, db) -> list[object]:
    """Make the same calls on an engine, and return all results."""
    kinds = models.ItemKind
    for number, (name, note) in enumerate([("x", None), ("y", "x"), ("z", "100%"), ("", "x")]):
        await items.add_item(
            db, id=UUID(int=number), name=name, price=Decimal("1.10") * number, kind=kinds.A,
            note=note, active=number != 3,
        )  # fmt: skip
    one = await items.get_item(db, id=UUID(int=1))
    return [
        (type(one), one.id, one.name, one.price, one.kind, one.note, one.active, one.at.tzinfo),
        await items.get_item(db, id=UUID(int=9)),
        await items.list_items(db, word="x", kinds=[kinds.A], page_size=9),
        await items.list_items(db, word="100%", kinds=[kinds.A, kinds.B], page_size=9),
        await items.list_items(db, word="x", kinds=[], page_size=9),
        await items.find_items(db, ids=[UUID(int=0), UUID(int=2), UUID(int=9)]),
        await items.reprice(db, price=Decimal("2.50"), id=UUID(int=2)),
        await items.reprice(db, price=Decimal("2.50"), id=UUID(int=2)),
        *await _walk(items, db),
    ]


async def _walk(items: ModuleType, db) -> list[object]:
    """Read all pages of a list by cursors; return their rows and classes."""
    pages = [await items.walk_items(db, page_size=3)]
    while pages[-1].next:
        pages.append(await items.walk_items(db, page_size=3, cursor=pages[-1].next))
    return [part for page in pages for part in (type(page), type(page.previous), page.rows)]


async def test_both_engines_return_the_same_objects(package, engines) -> None:
    models = importlib.import_module(f"{package}.postgres.models")
    stories = [
        await _story(importlib.import_module(f"{package}.{engine}.items"), models, db)
        for engine, db in engines.items()
    ]
    shown = [[repr(part).replace("datetime.timezone.utc", "UTC") for part in s] for s in stories]
    assert shown[0] == shown[1]


def test_both_engines_share_the_cursors_of_the_first(package, mysql_cache) -> None:
    first, second = (
        importlib.import_module(f"{package}.{engine}.items") for engine in ("postgres", "mysql")
    )
    assert second.KeysetCursor is first.KeysetCursor
    assert second.KeysetPage is first.KeysetPage
    assert not (Path(str(second.__file__)).parent / "keyset.py").exists()


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("note text,", "note text NOT NULL,", "E351", ["note: str | None", "mysql: note: str"]),
        ("decimal(12, 2)", "double", "E351", ["price: Decimal", "mysql: price: float"]),
        ("binary(16) PRIMARY KEY", "binary(16) NOT NULL", "E320", ["may return several rows"]),
    ],
)
def test_a_difference_is_refused_with_both_sides(
    mysql_cache, tmp_path, monkeypatch, capsys, old, new, code, said
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(mysql_cache))
    config = project(tmp_path, "different", mysql=MYSQL.replace(old, new))
    assert main(["generate", "-f", config]) == 1
    out = capsys.readouterr()
    for part in (code, *said):
        assert part in out.out + out.err
    assert not (tmp_path / "different" / "mysql" / "items.py").exists()


def test_a_twin_that_is_not_there_is_named(mysql_cache, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(mysql_cache))
    assert main(["generate", "-f", project(tmp_path, "alone", same_as="nobody")]) == 1
    out = capsys.readouterr()
    assert "`same_as: nobody` is not the package of an earlier entry" in out.out + out.err


def test_a_query_that_only_one_engine_has_is_refused(
    mysql_cache, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(mysql_cache))
    config = project(tmp_path, "lacking")
    items = tmp_path / "mysql" / "items.sql"
    items.write_text(items.read_text() + "\n-- name: OnlyHere :many\nSELECT id FROM item;\n")
    assert main(["generate", "-f", config]) == 1
    out = capsys.readouterr()
    assert "E350" in out.out + out.err
    assert "OnlyHere" in out.out + out.err
