"""Declared structures of stored JSON on MariaDB: read strictly, in built JSON, and written."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from math import inf, nan
from pathlib import Path
from types import ModuleType
from typing import Any

import pymysql
import pytest
from aiosqlc.ir import TypedQuery
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.compile import compile_project

from tests.json_shapes.table import spelled
from tests.json_shapes.test_mysql import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.mysql import TestMysql, connect_arguments

_MODELS = ("dataclass", "msgspec", "pydantic", "attrs")
_TABLES = """\
CREATE TABLE users (id bigint PRIMARY KEY, prefs json NOT NULL, other json);
CREATE TABLE rate (id int PRIMARY KEY, sizes json NOT NULL, counts json NOT NULL);
CREATE VIEW themes AS SELECT id, prefs, JSON_EXTRACT(prefs, '$.theme') AS theme FROM users;
"""
_SCHEMA = """{
  "type": "object",
  "properties": {
    "theme": {"enum": ["light", "dark"]}, "size": {"type": "integer"},
    "bio": {"type": ["string", "null"]},
    "alerts": {"type": "object", "properties": {"mail": {"type": "boolean"}}, "required": ["mail"]},
    "tags": {"type": "array", "items": {"type": "string"}}
  },
  "required": ["theme", "bio", "alerts"]
}"""
_ENTRY = """\
  - engine: mysql
    server: mariadb
    schema: schema.sql
    queries: queries.sql
    gen:
      python:
        out: mstored_{models}
        package: mstored_{models}
        models: {models}
        driver: pymysql
        typed_json: true
        json: {{users.prefs: {{schema: prefs.json}}, users.other: "dict[str, int]",
               rate.sizes: "dict[str, list[float]]", rate.counts: "dict[str, int]"}}
"""
_QUERIES = """\
-- name: Add :exec
INSERT INTO users (id, prefs, other) VALUES (?, ?, ?);

-- name: Raw :exec
UPDATE users SET prefs = CONCAT(sqlc.arg(document), '');

-- name: GetUser :one
SELECT * FROM users WHERE id = ?;

-- name: ListPaths :many
SELECT prefs, other, JSON_EXTRACT(prefs, '$.theme') AS theme,
    JSON_EXTRACT(prefs, '$.alerts.mail') AS mail,
    JSON_UNQUOTE(JSON_EXTRACT(prefs, '$.theme')) AS text, JSON_EXTRACT(prefs, '$.size') AS size,
    JSON_EXTRACT(prefs, '$.bio') AS bio, JSON_EXTRACT(prefs, '$.tags[0]') AS tag,
    JSON_EXTRACT(prefs, '$.alerts') AS alerts, JSON_EXTRACT(other, '$.a') AS a
FROM users ORDER BY id;

-- name: ListWith :many
WITH chosen AS (SELECT id, prefs AS p, JSON_EXTRACT(prefs, '$.theme') AS theme FROM users)
SELECT chosen.p, chosen.theme, friend.prefs AS friend, JSON_EXTRACT(friend.prefs, '$.theme') AS its,
    (SELECT u.prefs FROM users u WHERE u.id = chosen.id + 1) AS next
FROM chosen LEFT JOIN users friend ON friend.id = chosen.id + 1 ORDER BY chosen.id;

-- name: ListView :many
SELECT id, prefs, theme FROM themes ORDER BY id;

-- name: ListRolledUp :many
SELECT JSON_EXTRACT(prefs, '$.theme') AS theme, COUNT(*) AS n FROM users
GROUP BY JSON_EXTRACT(prefs, '$.theme') WITH ROLLUP;

-- name: ListCases :many
SELECT CASE WHEN id = 1 THEN JSON_EXTRACT(prefs, '$.theme') END AS theme FROM users ORDER BY id;

-- name: ListBuilt :many
SELECT JSON_OBJECT('id', id, 'prefs', prefs, 'theme', JSON_EXTRACT(prefs, '$.theme')) AS doc
FROM users ORDER BY id;

-- name: GetAll :one
SELECT JSON_ARRAYAGG(prefs) AS docs FROM users;

-- name: FindBy :many
SELECT id FROM users WHERE prefs = sqlc.arg(prefs);

-- name: AddRate :exec
INSERT INTO rate VALUES (sqlc.arg(id), sqlc.arg(sizes), sqlc.arg(counts));

-- name: RawRate :exec
INSERT INTO rate VALUES (1, '{"a": [1, 2.50]}', CONCAT(sqlc.arg(counts), ''));

-- name: ListRates :many
SELECT counts FROM rate;

-- name: BuiltRates :many
SELECT JSON_OBJECT('counts', counts, 'sizes', sizes) AS doc FROM rate;
"""
_SHAPES = {
    "ListPaths": {
        "prefs": "{theme: text, size?: int8, bio: text?, alerts: {mail: bool}, tags?: [text]}",
        "other": "{*: int8}", "theme": "text", "mail": "bool", "text": "none", "size": "int8?",
        "bio": "text?", "tag": "text?", "alerts": "{mail: bool}", "a": "int8?",
    },
    "ListRolledUp": {"theme": "text?", "n": "none"},
    "ListCases": {"theme": "text?"},
}  # fmt: skip


@pytest.fixture(scope="module")
def compiled(
    mysql_server: TestMysql, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict[str, ModuleType], dict[str, TypedQuery], str]]:
    """The queries compiled for each of the models, their analysis, and the URL of a database."""
    folder = tmp_path_factory.mktemp("mysql_stored")
    entries = "".join(_ENTRY.format(models=models) for models in _MODELS)
    files = {
        "sqlc.yaml": f'version: "2"\nsql:\n{entries}',
        "schema.sql": _TABLES,
        "queries.sql": _QUERIES,
        "prefs.json": _SCHEMA,
    }
    project = loaded(write_project(folder, files))
    url = mysql_server.create_empty()
    made = compile_project(project, analyzer_on(url))
    assert not made.failed, render_all(made.diagnostics)
    [analysed, *_] = analyze_project(project, analyzer_on(url))
    for file in made.files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text)
    target = mysql_server.create_empty()
    with pymysql.connect(**connect_arguments(target)) as connection, connection.cursor() as cursor:
        for statement in filter(str.strip, _TABLES.split(";\n")):
            cursor.execute(statement)
    sys.path.insert(0, str(folder))
    try:
        modules = {m: importlib.import_module(f"mstored_{m}.queries") for m in _MODELS}
        yield modules, {q.parsed.name: q for q in analysed.analysis.queries}, target
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.startswith("mstored_")]:
            del sys.modules[name]
        mysql_server.drop(url)
        mysql_server.drop(target)


@pytest.mark.parametrize("name", _SHAPES)
def test_a_column_has_the_declared_structure(name: str, compiled: Any) -> None:
    columns = compiled[1][name].columns
    assert {column.name: spelled(column.shape) for column in columns} == _SHAPES[name]


def test_only_a_required_member_of_a_stored_row_is_declared_not_null(compiled: Any) -> None:
    found = {
        f"{name}.{column.name}"
        for name, query in compiled[1].items()
        for column in query.columns
        if column.declared_not_null
    }
    assert found == {"ListPaths.theme", "ListPaths.mail", "ListPaths.text", "ListPaths.alerts"}


@pytest.mark.parametrize("models", _MODELS)
def test_stored_json_is_read_strictly_and_written(models: str, compiled: Any) -> None:
    queries, url = compiled[0][models], compiled[2]
    classes: Any = sys.modules[f"mstored_{models}.models"]
    stored: Any = sys.modules[f"mstored_{models}.stored_json"]
    alerts = classes.UserPrefsAlerts(mail=True)
    full = classes.UserPrefs(theme="dark", bio=None, alerts=alerts, size=3, tags=["é"])
    few = classes.UserPrefs(theme="light", bio="x", alerts=alerts)
    adapter = importlib.import_module(f"mstored_{models}.adapter")
    with pymysql.connect(**connect_arguments(url)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM users")
        db = adapter.PymysqlExecutor(connection)
        queries.add(db, id=1, prefs=full, other={"a": 1})
        queries.add(db, id=2, prefs=few, other=None)
        assert queries.get_user(db, id=1).prefs == full
        assert queries.get_user(db, id=2).other is None
        one, two = queries.list_paths(db)
        assert (one.prefs, one.other, one.theme, one.mail) == (full, {"a": 1}, "dark", True)
        assert (one.text, one.size, one.bio, one.tag, one.alerts, one.a) == (
            *("dark", 3, None, "é", alerts, 1),
        )
        assert (two.prefs, two.other, two.size, two.bio, two.tag) == (few, None, None, "x", None)
        first, last = queries.list_with(db)
        assert (first.p, first.theme, first.friend, first.its) == (full, "dark", few, "light")
        assert (first.next, last.friend, last.its, last.next) == (few, None, None, None)
        assert [(row.prefs, row.theme) for row in queries.list_view(db)] == [
            (full, "dark"),
            (few, "light"),
        ]
        rolled = [row.theme for row in queries.list_rolled_up(db)]
        assert sorted(map(str, rolled)) == ["None", "dark", "light"]
        assert queries.list_cases(db) == ["dark", None]
        assert [(row.prefs, row.theme) for row in queries.list_built(db)] == [
            (full, "dark"),
            (few, "light"),
        ]
        assert queries.get_all(db) == [full, few]
        assert queries.find_by(db, prefs=few) == [2]
        for wrong in ("{}", "[]", "null", '{"theme": "blue", "bio": null, "alerts": {}}'):
            queries.raw(db, document=wrong)
            with pytest.raises(stored.StoredJsonError, match=r"ListPaths\.prefs: "):
                queries.list_paths(db)


@pytest.mark.parametrize("models", _MODELS)
def test_numbers_are_alike_alone_and_in_built_json(models: str, compiled: Any) -> None:
    queries, url = compiled[0][models], compiled[2]
    stored: Any = sys.modules[f"mstored_{models}.stored_json"]
    adapter = importlib.import_module(f"mstored_{models}.adapter")
    with pymysql.connect(**connect_arguments(url)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM rate")
        db = adapter.PymysqlExecutor(connection)
        for wrong in (inf, -inf, nan):
            with pytest.raises(stored.StoredJsonError, match=f"the number {wrong}"):
                queries.add_rate(db, id=1, sizes={"a": [1.5, wrong]}, counts={})
        queries.raw_rate(db, counts='{"a": 1.0, "b": -20.00}')
        assert queries.list_rates(db) == [{"a": 1, "b": -20}]
        [doc] = queries.built_rates(db)
        assert (doc.sizes, doc.counts) == ({"a": [1, 2.5]}, {"a": 1, "b": -20})
        assert type(doc.counts["a"]) is int


def test_a_check_that_requires_another_kind_of_json_is_an_error(
    tmp_path: Path, mysql_server: TestMysql
) -> None:
    files = {
        "sqlc.yaml": 'version: "2"\nsql:\n' + _ENTRY.format(models="msgspec"),
        "schema.sql": _TABLES.replace(
            "other json", "other json, CHECK (JSON_TYPE(prefs) = 'ARRAY')"
        ),
        "queries.sql": _QUERIES,
        "prefs.json": _SCHEMA,
    }
    project = loaded(write_project(tmp_path, files))
    url = mysql_server.create_empty()
    compiled = compile_project(project, analyzer_on(url))
    mysql_server.drop(url)
    [problem] = [item for item in compiled.diagnostics if item.code == "E375"]
    message = "a CHECK requires `users.prefs` to be a JSON array, and not a JSON object"
    assert problem.message == message
