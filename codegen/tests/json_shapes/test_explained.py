"""The structure of JSON in `explain`, for readers and for machines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiosqlc.cli.main import main

from tests.json_shapes.table import HERE, WORLD
from tests.lsp.editor import editor, generate
from tests.lsp.test_features import hovered
from tests.projects import write_project

_QUERIES = """\
-- name: ListAuthors :many
SELECT a.id,
    coalesce(
        jsonb_agg(
            jsonb_strip_nulls(jsonb_build_object(
                'title', b.title, 'price', b.price, 'data', b.data,
                'prices', jsonb_build_array(b.price, ARRAY[b.id]), 'empty', '[]'::jsonb
            ))
        ) FILTER (WHERE b.id IS NOT NULL),
        '[]'
    ) AS books,
    jsonb_object_agg(b.id, b.weight) AS weights
FROM author a LEFT JOIN book b ON b.author_id = a.id
GROUP BY a.id;
"""
_SAID = """\
    books: jsonb NOT NULL
        JSON: list of object
            title: text NOT NULL
            price: numeric NOT NULL, may be missing
            data: any JSON, may be missing
            prices: tuple NOT NULL
                0: numeric NULL
                1: list of int4 NOT NULL
            empty: empty list NOT NULL
"""
_CONFIG = """\
version: "2"
sql:
- engine: {engine}
  schema: schema.sql
  queries: queries.sql
  gen:
    python: {{out: store, package: store}}
"""


def _explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_the_structure_of_json_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "sqlc.yaml": _CONFIG.format(engine="postgresql"),
        "schema.sql": WORLD,
        "queries.sql": _QUERIES,
    }
    config = str(write_project(tmp_path, files) / "sqlc.yaml")
    text = _explained(["-f", config, "ListAuthors"], capsys)
    assert _SAID in text
    assert "        JSON: map of float8 NULL\n" in text
    document = json.loads(_explained(["-f", config, "ListAuthors", "--json"], capsys))
    number, books, weights = (column["json"] for column in document["columns"])
    assert number is None
    item = books["element"]
    assert (books["kind"], item["kind"]) == ("array", "object")
    assert item["members"]["price"] == {
        "kind": "scalar", "not_null": True, "type": "numeric", "may_be_missing": True,
    }  # fmt: skip
    assert [one["not_null"] for one in item["members"]["prices"]["elements"]] == [False, True]
    assert weights == {
        "kind": "map", "not_null": True,
        "element": {"kind": "scalar", "not_null": False, "type": "float8"},
    }  # fmt: skip


def test_the_structure_of_mysql_json_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "SELECT JSON_ARRAYAGG(JSON_OBJECT('title', title, 'price', price)) AS books FROM book"
    files = {
        "sqlc.yaml": _CONFIG.format(engine="mysql"),
        "schema.sql": (HERE / "mysql_world.sql").read_text(),
        "queries.sql": f"-- name: Books :one\n{query};\n",
    }
    config = str(write_project(tmp_path, files) / "sqlc.yaml")
    text = _explained(["-f", config, "Books"], capsys)
    assert "        JSON: list of object\n            title: varchar NOT NULL\n" in text
    assert "            price: decimal NULL\n" in text


async def test_the_structure_of_json_is_in_the_hover_text(tmp_path: Path) -> None:
    query = "SELECT json_agg(json_build_object('title', book.title)) AS titles FROM book;"
    files = {
        "sqlc.yaml": _CONFIG.format(engine="postgresql"),
        "schema.sql": "CREATE TABLE book (title text NOT NULL);",
        "queries.sql": f"-- name: Titles :one\n{query}\n",
    }
    project = generate(write_project(tmp_path, files))
    async with editor(project) as desk:
        await desk.open(project / "queries.sql")
        said = await hovered(desk, project / "queries.sql", "AS tit|les")
    assert "titles: json NULL\nJSON: list of object\n    title: text NOT NULL\n" in said
