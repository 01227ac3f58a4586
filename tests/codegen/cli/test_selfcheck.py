"""`aiosqlc selfcheck` calls the generated functions, and says what it could not reach."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.emit import bodies

CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {out: store, package: shop.store, executor: shop.nowhere}
"""
SCHEMA = "CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL, bio text);\n"
QUERIES = """\
-- name: ListItems :many
SELECT * FROM item;

-- name: GetItem :one
SELECT name FROM item WHERE id = @id;

-- name: Fails :one
SELECT 1 / 0 AS n;

-- name: ListNothing :many
SELECT id FROM item WHERE id < id;
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "sqlc.yaml").write_text(CONFIG)
    (tmp_path / "schema.sql").write_text(SCHEMA)
    (tmp_path / "queries.sql").write_text(QUERIES)
    return tmp_path / "sqlc.yaml"


def test_what_was_not_reached_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selfcheck", "-f", str(project)]) == 0
    said = capsys.readouterr().err
    assert "0 claims refuted" in said
    assert "warning[E362]: `Fails` never ran" in said
    assert "by: ListNothing\n" in said
    assert "functions that never answered: Fails (DivisionByZeroError: division by zero)" in said


def test_a_function_that_breaks_its_promise_is_an_error(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    starmapped = bodies._BODIES[bodies.Command.MANY]
    monkeypatch.setitem(
        bodies._BODIES,
        bodies.Command.MANY,
        lambda function: [
            line.replace(", rows)", ", [r[:-1] for r in rows])") for line in starmapped(function)
        ],
    )
    assert main(["selfcheck", "-f", str(project)]) == 1
    said = capsys.readouterr().err
    assert "error[E360]: ListItems: its function does not return what it promises" in said
    assert "missing 1 required positional argument: 'bio'" in said
