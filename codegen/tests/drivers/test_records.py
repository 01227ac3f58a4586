"""Rows without a type, which drivers return differently: each annotation is correct."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest
from aiosqlc.config.load import load_project
from aiosqlc.contract.conforms import unlike
from aiosqlc.pipeline.compile import compile_project

from tests.drivers.connecting import POSTGRES, connected
from tests.drivers.running import CONFIG, Engine

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE book (id int PRIMARY KEY, title text NOT NULL, price numeric, tags text[], mood mood);
INSERT INTO book VALUES (1, 't', NULL, '{}', 'sad'), (2, 'a "b", (c)', 1.5, NULL, NULL);
"""
QUERIES = """
-- name: Collected :one
SELECT ARRAY(SELECT ROW(b.id, b.title, b.price, ROW(b.id)) FROM book AS b ORDER BY b.id) AS found;
-- name: Aggregated :one
SELECT array_agg(ROW(b.id, b.title) ORDER BY b.id) AS found FROM book AS b;
-- name: Alone :one
SELECT ROW(1, NULL::text, now(), true) AS found;
-- name: Unknown :one
SELECT f AS found FROM json_to_record('{"a": 1}') AS f (a int, b text);
"""
EXPECTED = {
    "collected": [[1, "t"], [2, 'a "b", (c)']],
    "aggregated": [[1, "t"], [2, 'a "b", (c)']],
    "alone": [1, None],
    "unknown": [1, None],
}


@pytest.mark.parametrize("driver", POSTGRES)
def test_a_row_without_a_type_is_the_tuple_that_is_promised(
    driver: str, postgres: Engine, tmp_path: Path
) -> None:
    texts = (SCHEMA.replace("INSERT", "-- INSERT"), QUERIES)
    with (
        postgres.compiled(tmp_path, driver, texts=texts, options="models: dataclass") as package,
        postgres.database(SCHEMA) as url,
        connected(driver, package, url) as subject,
    ):
        for name, expected in EXPECTED.items():
            found = subject.call(name)
            hint = get_type_hints(getattr(subject.module(), name))["return"]
            assert unlike(found, hint) == ""
            assert hint is not object
            assert "tuple[" in str(hint)
            rows = found if isinstance(found, list) else [found]
            shown = [[row[0] and int(row[0]), row[1]] for row in rows]
            assert (shown if isinstance(found, list) else shown[0]) == expected


def test_a_row_that_asyncpg_cannot_read_is_an_error(postgres: Engine, tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text(SCHEMA)
    (tmp_path / "queries.sql").write_text(
        "-- name: A :one\nSELECT ROW(tags, id) FROM book;\n"
        "-- name: B :one\nSELECT ARRAY(SELECT ROW(mood) FROM book);\n"
        "-- name: C :one\nSELECT ROW(ROW(int4range(1, 2)));\n"
        "-- name: D :one\nSELECT ROW(id, title) FROM book;\n"
    )
    said = {}
    for driver in ("asyncpg", "psycopg"):
        config = CONFIG.format(
            engine="postgresql", package="p", imported="p", driver=driver, options=""
        )
        (tmp_path / "sqlc.yaml").write_text(config.replace("strict: true", "strict: false"))
        project, _ = load_project(tmp_path / "sqlc.yaml", environ={})
        assert project is not None
        with postgres.database("") as url:
            done = compile_project(project, postgres.analyzer(url))
        said[driver] = [d.message.split("`")[0] for d in done.diagnostics if d.code == "E415"]
    assert said["psycopg"] == []
    assert said["asyncpg"] == [
        f"asyncpg cannot read the type {kind} in an anonymous row, "
        for kind in ("text[]", "mood", "int4range")
    ]
