"""A configuration for other generators of sqlc is converted, and lost settings are reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from aiosqlc.cli.main import main
from aiosqlc.config.convert import convert
from aiosqlc.config.load import load_project

GO = """
version: "2"
cloud: {project: "01"}
overrides: {go: {overrides: [{db_type: uuid, go_type: github.com/google/uuid.UUID}]}}
sql:
  - name: shop
    engine: postgresql
    schema: [db/migrations, db/views.sql]
    queries: db/queries
    strict_order_by: false
    rules: [sqlc/db-prepare]
    database: {uri: "postgresql://${SHOP_DB}/shop", managed: true}
    gen:
      go:
        package: db
        out: internal/db
        sql_package: pgx/v5
        rename: {spotify_url: SpotifyURL}
        overrides: [{column: author.bio, go_type: string}]
      json: {out: gen, filename: codegen.json}
  - {engine: sqlite, schema: s.sql, queries: q.sql, gen: {go: {package: a, out: b}}}
  - {engine: mysql, schema: s.sql, queries: q.sql, gen: {kotlin: {package: a, out: src/stock}}}
"""
BETTER = """
version: "2"
plugins: [{name: python, wasm: {url: "https://example.org/p.wasm", sha256: abc}}]
sql:
  - engine: postgresql
    schema: schema.sql
    queries: query.sql
    codegen:
      - plugin: python
        out: app/db
        options:
          package: app.db
          model_type: msgspec
          sql_driver: asyncpg
          emit_classes: true
          emit_init_file: true
          omit_unused_models: true
          overrides:
            - {column: author.prefs, py_type: {import: app.types, type: Prefs}}
            - {db_type: numeric, py_type: {type: float}}
            - {db_type: jsonb, py_type: {import: app, type: X}, converter: app.convert}
"""
VERSION_1 = """
version: "1"
packages:
  - {name: db, path: internal/db, schema: schema.sql, queries: query.sql, emit_json_tags: true}
"""


def test_everything_but_the_other_language_is_kept() -> None:
    converted = convert(yaml.safe_load(GO), "store")
    assert converted.document == {
        "version": "2",
        "sql": [
            {
                "name": "shop",
                "engine": "postgresql",
                "schema": ["db/migrations", "db/views.sql"],
                "queries": "db/queries",
                "database": {"uri": "postgresql://${SHOP_DB}/shop"},
                "gen": {
                    "python": {"out": "store/db"},
                    "json": {"out": "gen", "filename": "codegen.json"},
                },
            },
            {
                "engine": "mysql",
                "schema": "s.sql",
                "queries": "q.sql",
                "gen": {"python": {"out": "store/stock"}},
            },
        ],
    }
    assert converted.dropped == [
        "sql[0].rules: sqlc/db-prepare",
        "sql[0].gen.go: the options are for another programming language",
        "sql[0].gen.go.rename: spotify_url SpotifyURL",
        "sql[0].gen.go.overrides: column author.bio, go_type string",
        "sql[1]: the engine sqlite is not supported",
        "sql[2].gen.kotlin: the options are for another programming language",
        "cloud: project 01",
        "overrides: go overrides db_type uuid, go_type github.com/google/uuid.UUID",
    ]


SEVERAL = """
version: "2"
sql:
  - {engine: postgresql, schema: s, queries: a/sql, gen: {go: {out: ../in/orders/db}}}
  - {engine: postgresql, schema: s, queries: b/sql, gen: {go: {out: ../in/shift/db}}}
  - {engine: postgresql, schema: s, queries: c/sql, gen: {go: {out: ../in/orders/db}}}
  - {engine: postgresql, schema: s, queries: a/sql, gen: {go: {out: ../in/orders/db}}}
  - {engine: mysql, schema: m, queries: d/sql, gen: {go: {out: ../in/orders-old/db}}}
"""


def test_entries_get_folders_of_their_own_and_those_of_one_folder_become_one() -> None:
    converted = convert(yaml.safe_load(SEVERAL), "store")
    made = [(e["queries"], e["gen"]["python"]["out"]) for e in converted.document["sql"]]
    assert made == [
        (["a/sql", "c/sql"], "store/orders"),
        ("b/sql", "store/shift"),
        ("d/sql", "store/orders_old"),
    ]
    assert converted.dropped == [
        "sql[0-4].gen.go: the options are for another programming language"
    ]


def test_what_is_not_taken_over_names_an_entry_once() -> None:
    many = [{"column": f"t.c{n}", "go_type": "x"} for n in range(9)]
    rename = {"overrides": [{"db_type": "uuid", "go_type": "x" * 99}] * 2 + many}
    kinds = [{"go": rename}, {"go": {}}, {"kotlin": {}}, {"go": {}}]
    entries = [{"engine": "mysql", "queries": f"q{n}.sql", "gen": k} for n, k in enumerate(kinds)]
    said = convert({"version": "2", "sql": entries}, "store").dropped
    assert [what.split(":")[0] for what in said] == [
        "sql[0-1, 3].gen.go",
        *["sql[0].gen.go.overrides"] * 4,
        "sql[2].gen.kotlin",
    ]
    assert said[-2] == "sql[0].gen.go.overrides: 7 more"


@pytest.mark.parametrize(
    ("outs", "expected"),
    [
        (("a/x/db", "b/x/db"), ("store/a", "store/b")),
        (("x/db", "x"), ("store/db", "store/x")),
        (("db/db", "db"), ("store/db_db", "store/db")),
        (("a/b-c", "a/b_c"), ("store/b_c", "store/b_c_2")),
        (("gen", ""), ("store/gen", "store")),
    ],
)
def test_a_folder_is_named_after_what_tells_it_from_the_others(
    outs: tuple[str, str], expected: tuple[str, str]
) -> None:
    entries = [
        {"engine": "postgresql", "schema": str(n), "queries": "q", "gen": {"go": {"out": out}}}
        for n, out in enumerate(outs)
    ]
    converted = convert({"version": "2", "sql": entries}, "store")
    assert tuple(converted.outs) == expected


def test_options_of_the_python_plugins_are_translated() -> None:
    converted = convert(yaml.safe_load(BETTER), "store")
    [entry] = converted.document["sql"]
    assert entry["gen"]["python"] == {
        "out": "app/db",
        "package": "app.db",
        "models": "msgspec",
        "emit_class": True,
        "overrides": [
            {"column": "author.prefs", "type": "app.types.Prefs"},
            {"db_type": "numeric", "type": "float"},
        ],
    }
    assert [what.split(":")[0] for what in converted.dropped] == [
        "sql[0].codegen.python.omit_unused_models",
        "sql[0].codegen.python.overrides",
    ]


@pytest.mark.parametrize("text", [GO, BETTER, VERSION_1])
def test_the_result_is_a_configuration(text: str, tmp_path: Path) -> None:
    (tmp_path / "sqlc.yaml").write_text(text)
    assert main(["init", str(tmp_path)]) == 0
    assert (tmp_path / "sqlc.before.yaml").read_text() == text
    project, problems = load_project(tmp_path / "sqlc.yaml", {"SHOP_DB": "localhost"})
    assert (problems, bool(project)) == ([], True)
    assert main(["init", str(tmp_path)]) == 1


def test_a_json_indented_by_tabs_is_converted(tmp_path: Path) -> None:
    package = '{"path": "db", "schema": "schema.sql", "queries": "query.sql"}'
    (tmp_path / "sqlc.json").write_text(f'{{\n\t"version": "1",\n\t"packages": [{package}]\n}}\n')
    assert main(["init", str(tmp_path)]) == 0
    project, problems = load_project(tmp_path / "sqlc.yaml")
    assert (problems, bool(project)) == ([], True)


@pytest.mark.parametrize(
    ("text", "code"),
    [("a: [", 2), ("- 1", 1), ("version: '2'\nsql: 3", 1), ("", 1), ("sql: [1]", 1)],
)
def test_what_is_no_configuration_stays(text: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "sqlc.yaml").write_text(text)
    assert main(["init", str(tmp_path)]) == code
    assert [path.name for path in tmp_path.iterdir()] == ["sqlc.yaml"]
    assert (tmp_path / "sqlc.yaml").read_text() == text


def test_code_that_sqlc_wrote_is_named_where_it_is_in_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sqlc.yaml").write_text(BETTER)
    (tmp_path / "schema.sql").write_text("CREATE TABLE author (id int PRIMARY KEY, bio text);")
    (tmp_path / "query.sql").write_text("-- name: Get :one\nSELECT * FROM author WHERE id = $1;")
    old = tmp_path / "app" / "db" / "models.py"
    old.parent.mkdir(parents=True)
    old.write_text("# Code generated by sqlc. DO NOT EDIT.\n")
    assert main(["init", str(tmp_path)]) == 0
    assert f"remove {old}" in capsys.readouterr().out
    old.unlink()
    edited: Any = yaml.safe_load((tmp_path / "sqlc.yaml").read_text())
    del edited["sql"][0]["gen"]["python"]["overrides"]
    (tmp_path / "sqlc.yaml").write_text(yaml.safe_dump(edited))
    assert main(["generate", "-f", str(tmp_path)]) == 0
    assert "class Author(msgspec.Struct" in old.read_text()
