"""Members of stored JSON: which are declared to exist always, and which an outer join may omit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiosqlc.ir import TypedQuery
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.compile import compile_project

from tests.golden import analyzer_on
from tests.json_shapes.table import spelled
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

_TABLES = """
CREATE TABLE u (id int PRIMARY KEY, p jsonb NOT NULL, o jsonb, n int);
CREATE DOMAIN doc AS jsonb;
CREATE TABLE w (id int PRIMARY KEY, p doc NOT NULL);
CREATE TABLE v (id int PRIMARY KEY, u_id int REFERENCES u (id));
"""
_SCHEMA = """{
  "type": "object", "required": ["a", "in", "null"],
  "properties": {
    "a": {"type": "string"}, "b": {"type": "integer"}, "null": {"type": ["string", "null"]},
    "in": {"type": "object", "required": ["x"], "properties": {
      "x": {"type": "boolean"}, "list": {"type": "array", "items": {"type": "number"}}
    }}
  }
}"""
_CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python:
        out: paths
        typed_json: true
        json: {u.p: {schema: p.json}, u.o: {schema: p.json}, w.p: {schema: p.json}}
"""
_IN = "{x: bool, list?: [float8]}"
_WHOLE = f"{{a: text, b?: int8, null: text?, in: {_IN}}}"
# A column `doc`, its structure, and whether it is declared never NULL.
_CASES = {
    "p -> 'a' AS doc FROM u": ("text", True),
    "p ->> 'a' AS doc FROM u": ("none", True),
    "p -> 'a' AS doc FROM w": ("text", True),
    "p ->> 'a' AS doc FROM w": ("none", True),
    "p AS doc FROM w": (f"{_WHOLE}", False),
    "p -> 'b' AS doc FROM u": ("int8?", False),
    "p ->> 'b' AS doc FROM u": ("none", False),
    "p -> 'null' AS doc FROM u": ("text?", False),
    "p ->> 'null' AS doc FROM u": ("none", False),
    "p -> 'in' -> 'x' AS doc FROM u": ("bool", True),
    "p #> '{in,x}' AS doc FROM u": ("bool", True),
    "p #>> '{in,x}' AS doc FROM u": ("none", True),
    "jsonb_extract_path(p, 'in', 'x') AS doc FROM u": ("bool", True),
    "p['in']['x'] AS doc FROM u": ("bool?", False),
    "p #> ARRAY['in', n::text] AS doc FROM u": ("none", False),
    "p -> 'in' -> 'list' -> 0 AS doc FROM u": ("float8?", False),
    "p -> 'in' -> 'list' AS doc FROM u": ("[float8]?", False),
    "p -> 'no' AS doc FROM u": ("none", False),
    "p -> 0 AS doc FROM u": ("none", False),
    "o -> 'a' AS doc FROM u": ("text?", False),
    "o ->> 'a' AS doc FROM u": ("none", False),
    "o -> 'a' AS doc FROM u WHERE o IS NOT NULL": ("text", True),
    "u.p -> 'a' AS doc FROM v LEFT JOIN u ON u.id = v.u_id": ("text?", False),
    "u.p -> 'a' AS doc FROM v JOIN u ON u.id = v.u_id": ("text", True),
    "x.a AS doc FROM (SELECT id, p -> 'a' AS a FROM u) x": ("text", True),
    "x.a AS doc FROM v LEFT JOIN (SELECT id, p -> 'a' AS a FROM u) x ON x.id = v.id": (
        "text?", False,
    ),
    "x.a AS doc FROM v LEFT JOIN (SELECT id, p ->> 'a' AS a FROM u) x ON x.id = v.id": (
        "none", False,
    ),
    "x.q -> 'a' AS doc FROM (SELECT p AS q FROM u) x": ("text", True),
    "x.i -> 'x' AS doc FROM (SELECT p -> 'in' AS i FROM u) x": ("bool", True),
    "x.i -> 'x' AS doc FROM v LEFT JOIN (SELECT id, p -> 'in' AS i FROM u) x USING (id)": (
        "bool?", False,
    ),
    "(SELECT p -> 'a' FROM u LIMIT 1) AS doc": ("text?", False),
    "(SELECT p ->> 'a' FROM u LIMIT 1) AS doc": ("none", False),
    "CASE WHEN id = 1 THEN p -> 'a' END AS doc FROM u": ("text?", False),
    "coalesce(p -> 'b', p -> 'b') AS doc FROM u": ("int8?", False),
    "coalesce(p, '{}') AS doc FROM u": ("none", False),
    "p -> 'a' AS doc FROM u GROUP BY GROUPING SETS ((p -> 'a'), ())": ("text?", False),
    "p -> 'a' AS doc FROM u GROUP BY GROUPING SETS ((id, p -> 'a'), (id))": ("text?", False),
    "p ->> 'a' AS doc FROM u GROUP BY ROLLUP (p ->> 'a')": ("none", False),
    "p -> 'a' AS doc FROM u GROUP BY p -> 'a'": ("text", True),
    "p || '{}' AS doc FROM u": ("none", False),
    "jsonb_strip_nulls(p) AS doc FROM u": ("none", False),
    "jsonb_set(p, '{a}', '1') AS doc FROM u": ("none", False),
    "max(p ->> 'a') AS doc FROM u": ("none", False),
    "jsonb_build_object('a', p ->> 'a', 'b', p ->> 'b', 'i', p -> 'in', 'o', o) AS doc FROM u": (
        f"{{a: text, b: text?, i: {_IN}, o: {_WHOLE}?}}", False,
    ),
    "jsonb_build_object('a', x.a) AS doc FROM v LEFT JOIN"
    " (SELECT id, p ->> 'a' AS a FROM u) x USING (id)": ("{a: text?}", False),
    "jsonb_agg(p -> 'a') AS doc FROM u": ("[text]", False),
    "jsonb_agg(o) FILTER (WHERE o IS NOT NULL) AS doc FROM u": (
        f"[{_WHOLE}]", False,
    ),
    "to_jsonb(x) AS doc FROM (SELECT p -> 'a' AS a FROM u) x": ("{a: text?}", False),
    "p -> 'a' AS doc FROM u FOR UPDATE": ("text", True),
    "old.p -> 'a' AS doc FROM u AS old": ("text", True),
}  # fmt: skip


@pytest.fixture(scope="module")
def analysed(
    postgres_server: TestPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, TypedQuery]]:
    """The analysed query of each case."""
    folder = tmp_path_factory.mktemp("paths")
    texts = [f"-- name: Case{n} :many\nSELECT {sql};\n" for n, sql in enumerate(_CASES)]
    files = {"sqlc.yaml": _CONFIG, "schema.sql": _TABLES, "p.json": _SCHEMA}
    project = loaded(write_project(folder, {**files, "queries.sql": "\n".join(texts)}))
    url = postgres_server.create_empty()
    compiled = compile_project(project, analyzer_on(url))
    assert not compiled.failed, render_all(compiled.diagnostics)
    [found] = analyze_project(project, analyzer_on(url))
    yield dict(zip(_CASES, found.analysis.queries, strict=True))
    postgres_server.drop(url)


@pytest.mark.parametrize("sql", _CASES)
def test_a_member_has_its_declared_structure(sql: str, analysed: dict[str, TypedQuery]) -> None:
    [column] = [item for item in analysed[sql].columns if item.name == "doc"]
    assert (spelled(column.shape), column.declared_not_null) == _CASES[sql]


def test_no_declaration_proves_that_a_column_is_not_null(analysed: dict[str, TypedQuery]) -> None:
    columns = [column for query in analysed.values() for column in query.columns]
    assert not [item for item in columns if item.declared_not_null and item.not_null]
