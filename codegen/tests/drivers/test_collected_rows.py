"""Rows that array_agg collects: every driver returns the same lists of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_type_hints

import pytest
from aiosqlc.config.load import load_project
from aiosqlc.contract.conforms import unlike
from aiosqlc.pipeline.compile import compile_project

from tests.drivers.connecting import POSTGRES, connected
from tests.drivers.running import CONFIG, Engine

SCHEMA = """
CREATE TYPE size AS (width int, height int);
CREATE TABLE box (id int PRIMARY KEY, size size);
CREATE TABLE thing (id int PRIMARY KEY, box_id int NOT NULL, name text NOT NULL, weight int);
INSERT INTO box VALUES (1, '(1,2)'), (2, NULL);
INSERT INTO thing VALUES (1, 1, 'pen', NULL), (2, 1, 'a "b", (c)', 5);
"""
QUERIES = """
-- name: Filtered :many
SELECT box.id, array_agg(thing ORDER BY thing.id DESC) FILTER (WHERE thing.id > 0) AS found
FROM box LEFT JOIN thing ON thing.box_id = box.id GROUP BY box.id ORDER BY box.id;
-- name: Heavy :many
SELECT box.id, coalesce(array_agg(DISTINCT thing) FILTER (WHERE thing.weight > 1), '{}') AS found
FROM box LEFT JOIN thing ON thing.box_id = box.id GROUP BY box.id ORDER BY box.id;
-- name: OfWith :many
WITH x AS (SELECT box_id, array_agg(thing ORDER BY id) AS things FROM thing GROUP BY box_id)
SELECT box.id, x.things AS found FROM box LEFT JOIN x ON x.box_id = box.id ORDER BY box.id;
-- name: LeftJoined :many
SELECT box.id, array_agg(thing) AS found
FROM box LEFT JOIN thing ON thing.box_id = box.id AND thing.id = 2 GROUP BY box.id ORDER BY box.id;
-- name: Sizes :many
SELECT 0 AS id, array_agg(size ORDER BY id) AS found FROM box;
-- name: OtherFilter :many
SELECT box.id, array_agg(thing ORDER BY thing.id) FILTER (WHERE box.id > 0) AS found
FROM box LEFT JOIN thing ON thing.box_id = box.id GROUP BY box.id ORDER BY box.id;
"""
_PEN, _BALL = (1, 1, "pen", None), (2, 1, 'a "b", (c)', 5)
EXPECTED: dict[str, tuple[str, list[Any]]] = {
    "filtered": ("list[Thing] | None", [[_BALL, _PEN], None]),
    "heavy": ("list[Thing]", [[_BALL], []]),
    "of_with": ("list[Thing] | None", [[_PEN, _BALL], None]),
    "left_joined": ("list[ThingValue | None]", [[_BALL], [None]]),
    "sizes": ("list[Size | None] | None", [[(1, 2), None]]),
    "other_filter": ("list[ThingValue | None] | None", [[_PEN, _BALL], [None]]),
}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, int | str):
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return tuple(_plain(getattr(value, name)) for name in type(value).__dataclass_fields__)


@pytest.mark.parametrize("driver", POSTGRES)
def test_collected_rows_are_lists_of_classes(driver: str, postgres: Engine, tmp_path: Path) -> None:
    texts = (SCHEMA.replace("INSERT", "-- INSERT"), QUERIES)
    with (
        postgres.compiled(tmp_path, driver, texts=texts, options="models: dataclass") as package,
        postgres.database(SCHEMA) as url,
        connected(driver, package, url) as subject,
    ):
        for name, (annotation, expected) in EXPECTED.items():
            function = getattr(subject.module(), name)
            found = subject.call(name)
            assert unlike(found, get_type_hints(function)["return"]) == ""
            row = type(found[0])
            shown = str(row.__annotations__["found"]).replace(f"{package}.models.", "")
            assert shown == annotation, name
            assert [_plain(item.found) for item in found] == expected, name


def test_a_row_of_a_sub_select_that_asyncpg_cannot_read_has_a_remedy(
    postgres: Engine, tmp_path: Path
) -> None:
    sql = "SELECT array_agg(x) AS found FROM (SELECT id, size FROM box) x;"
    (tmp_path / "schema.sql").write_text(SCHEMA.split("INSERT", maxsplit=1)[0])
    (tmp_path / "queries.sql").write_text(f"-- name: Collected :one\n{sql}\n")
    config = CONFIG.format(
        engine="postgresql", package="p", imported="p", driver="asyncpg", options=""
    )
    (tmp_path / "sqlc.yaml").write_text(config)
    project, _ = load_project(tmp_path / "sqlc.yaml", environ={})
    assert project
    with postgres.database("") as url:
        [problem] = compile_project(project, postgres.analyzer(url)).diagnostics
    assert problem.code == "E415"
    assert problem.message == "asyncpg cannot read the type size in an anonymous row, `ROW(…)`"
    assert "such as `jsonb_agg(t)`" in problem.hint
