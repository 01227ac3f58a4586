"""Each rule finds its example, accepts the better form, and can be silenced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiosqlc.analysis.port import Analyze
from aiosqlc.cli.main import main
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.postgres import Analyzer
from aiosqlc.vet import vet
from aiosqlc.vet.rules import RULES

from tests.golden import CONFIG
from tests.projects import loaded, write_project

SCHEMA = """\
CREATE TABLE task (
    id integer PRIMARY KEY, name text NOT NULL, owner integer, deleted_at timestamptz
);
CREATE TABLE job (
    id integer PRIMARY KEY, ready boolean NOT NULL, code integer NOT NULL, slug text UNIQUE
);
CREATE UNIQUE INDEX ready_code ON job (code) WHERE ready;
"""
JOINED = "task t LEFT JOIN job j"
SORTED = "ORDER BY t.name, -- :sort t.name, j.ready\n    t.id"

FOUND = [
    ("V001", ":many", "SELECT id FROM task WHERE deleted_at = NULL"),
    ("V001", ":many", "SELECT id FROM task WHERE NULL <> name OR name != NULL"),
    (
        "V001",
        ":exec",
        """WITH x AS (SELECT id FROM job WHERE slug = NULL)
        UPDATE task SET owner = 1 FROM x WHERE x.id = task.id""",
    ),
    ("V002", ":exec", "DELETE FROM task"),
    ("V002", ":exec", "UPDATE task SET name = @name"),
    ("V003", ":many", "SELECT id FROM task WHERE id NOT IN (SELECT owner FROM task)"),
    ("V004", ":many", "SELECT id FROM task LIMIT 10"),
    ("V004", ":many", "SELECT id FROM task LIMIT 1 OFFSET @skip"),
    ("V005", ":many", "SELECT id FROM task WHERE name LIKE '%son'"),
    ("V006", ":many", "SELECT task.id FROM task, job"),
    ("V007", ":many", "SELECT id FROM job WHERE ready FOR UPDATE"),
    ("V008", ":many", "SELECT id FROM task WHERE random() < 0.1"),
    ("V009", ":many", "SELECT id FROM task WHERE owner = sqlc.narg(owner)"),
    ("V011", ":many", "WITH unused AS (SELECT 1) SELECT id FROM task"),
    ("V016", ":exec", "SELECT id FROM task"),
    ("V017", ":batchone", "INSERT INTO task (id, name) VALUES (@id, @name) RETURNING id"),
    ("V017", ":batchmany", "DELETE FROM task WHERE owner = @owner RETURNING id"),
    ("V024", ":exec", "UPDATE task SET deleted_at = 'infinity' WHERE id = @id"),
    (
        "V024",
        ":exec",
        "INSERT INTO task (id, name, deleted_at) VALUES (1, 'x', date '0044-03-15 BC')",
    ),
    ("V013", ":many", f"SELECT t.id FROM {JOINED} ON j.id = t.owner"),
    ("V013", ":many", f"SELECT t.id FROM {JOINED} ON j.id = @id AND j.ready"),
    ("V013", ":many", "SELECT t.id FROM job AS j RIGHT JOIN task t ON j.id = t.owner"),
    ("V013", ":many", f"WITH x AS (SELECT t.id FROM {JOINED} USING (id)) SELECT id FROM x"),
    ("V013", ":one", f"SELECT count(*) FROM {JOINED} ON j.id = t.owner WHERE t.owner > 1"),
    ("V013", ":many", f"SELECT t.id FROM {JOINED} ON j.code = t.owner AND j.ready"),
    (
        "V013",
        ":many",
        "SELECT id FROM task LEFT JOIN (SELECT owner FROM task GROUP BY owner) c ON c.owner = id",
    ),
    ("V014", ":many", "SELECT DISTINCT id, name FROM task"),
    ("V014", ":many", "SELECT DISTINCT t.id, j.id FROM task t JOIN job j ON j.id >= t.id"),
    ("V014", ":many", f"SELECT DISTINCT t.id, j.id FROM {JOINED} ON j.ready"),
    ("V014", ":many", "SELECT DISTINCT t.id FROM task t JOIN job j ON j.id = t.owner"),
    ("V014", ":many", "SELECT DISTINCT owner, count(*) FROM task GROUP BY owner"),
    ("V014", ":one", "SELECT DISTINCT max(id) FROM task"),
    ("V014", ":one", "SELECT x FROM (SELECT DISTINCT id AS x FROM task) u WHERE x = @x"),
    ("V015", ":one", "SELECT count(id) FROM task"),
    ("V015", ":many", "SELECT owner, count(t.name) FROM task t GROUP BY owner"),
    ("V015", ":one", f"SELECT count(t.id) FROM {JOINED} ON j.ready"),
    ("V015", ":many", "SELECT owner FROM task GROUP BY owner HAVING count(id) > 2"),
]
FINE = [
    (":many", "SELECT id FROM task WHERE deleted_at IS NULL"),
    (
        ":exec",
        """WITH gone AS (UPDATE task SET owner = NULL WHERE owner = @o RETURNING id)
        UPDATE job SET slug = NULL FROM gone WHERE job.id = gone.id""",
    ),
    (":exec", "UPDATE job SET ready = code IS DISTINCT FROM 3, slug = NULL WHERE id = @id"),
    (":exec", "SELECT id FROM task ORDER BY id FOR UPDATE"),
    (":exec", "SELECT pg_notify('task', name) FROM task"),
    (
        ":exec",
        "MERGE INTO task t USING job j ON j.id = t.id WHEN MATCHED THEN UPDATE SET name = 'x'",
    ),
    (":exec", "UPDATE task SET deleted_at = NULL, owner = sqlc.narg(owner) WHERE id = @id"),
    (":exec", "INSERT INTO task (id, name) VALUES (@id, @name) ON CONFLICT (id) DO NOTHING"),
    (":many", "SELECT id FROM task t WHERE NOT EXISTS (SELECT FROM job j WHERE j.id = t.id)"),
    (":many", "SELECT id FROM task ORDER BY id LIMIT 10 OFFSET @skip"),
    (":one", "SELECT id FROM task LIMIT 1"),
    (":many", "SELECT id FROM task WHERE name LIKE 'a%' AND name <> '%b'"),
    (":many", "SELECT task.id FROM task, job WHERE job.id = task.id"),
    (":many", "SELECT task.id FROM task, LATERAL (SELECT 1) x"),
    (":many", "SELECT id FROM job WHERE ready ORDER BY id FOR UPDATE"),
    (":many", "SELECT id FROM job WHERE ready FOR UPDATE SKIP LOCKED"),
    (":many", "SELECT id, random() FROM task"),
    (":many", "SELECT id FROM task WHERE sqlc.narg(o)::int IS NULL OR owner = sqlc.narg(o)"),
    (":many", "WITH used AS (SELECT id FROM task) SELECT id FROM used"),
    (":many", f"SELECT t.id FROM {JOINED} ON j.ready"),
    (":many", f"SELECT t.id, j.ready FROM {JOINED} ON j.id = t.owner"),
    (":many", f"SELECT t.id, j FROM {JOINED} ON j.id = t.owner"),
    (":many", f"SELECT * FROM {JOINED} ON j.id = t.owner"),
    (":many", f"SELECT t.id FROM {JOINED} ON j.id = t.owner WHERE j.id IS NULL"),
    (":many", f"SELECT t.id FROM {JOINED} ON j.id = t.owner ORDER BY j.ready"),
    (":many", f"SELECT max(t.id) FROM {JOINED} ON j.id = t.owner GROUP BY j.ready"),
    (":many", f"SELECT t.id FROM {JOINED} ON j.id = t.owner JOIN job k ON k.id = j.id"),
    (":many", f"SELECT (SELECT ready FROM job WHERE id = j.id) FROM {JOINED} ON j.id = t.owner"),
    (":many", f"SELECT t.id, x FROM {JOINED} ON j.id = t.owner, LATERAL (SELECT j.ready) l(x)"),
    (":many", "SELECT id FROM task t FULL JOIN job j USING (id)"),
    (":many", f"SELECT t.id FROM {JOINED} ON j.code = t.owner"),
    (":many", f"SELECT t.id FROM {JOINED} ON j.id = t.owner + floor(random())::int"),
    (":many", f"SELECT t.id FROM {JOINED} ON j.id = t.owner\n{SORTED}"),
    (":many", "SELECT t.id FROM task t JOIN job j ON j.id = t.owner"),
    (":many", "SELECT DISTINCT owner FROM task"),
    (":many", "SELECT DISTINCT slug FROM job"),
    (":many", "SELECT DISTINCT lower(name) FROM task"),
    (":many", "SELECT DISTINCT t.id FROM task t JOIN job j ON j.id >= t.id"),
    (":many", "SELECT DISTINCT j.id FROM task t LEFT JOIN job j ON j.id = t.owner"),
    (":many", "SELECT DISTINCT ON (owner) owner, id FROM task ORDER BY owner, id"),
    (":many", "SELECT DISTINCT count(*) FROM task GROUP BY owner"),
    (":many", "SELECT DISTINCT owner, id FROM task GROUP BY ROLLUP (owner, id)"),
    (":many", "SELECT DISTINCT id, unnest(ARRAY[1, 1]) FROM task"),
    (":many", "SELECT DISTINCT t.id, j.id FROM task t FULL JOIN job j ON j.ready AND t.id = j.id"),
    (":one", "SELECT count(owner), count(DISTINCT id), count(*), count(1), sum(id) FROM task"),
    (":one", f"SELECT count(j.id) FROM {JOINED} ON j.id = t.owner"),
    (":many", "WITH gone AS (DELETE FROM job WHERE id = @id) SELECT id FROM task"),
]  # fmt: skip


def write(folder: Path, schema: str, queries: str) -> None:
    write_project(folder, {"sqlc.yaml": CONFIG, "schema.sql": schema, "queries.sql": queries})


def findings(folder: Path, analyze: Analyze, schema: str, queries: str) -> list[Diagnostic]:
    write(folder, schema, queries)
    [analysed] = analyze_project(loaded(folder), analyze)
    assert not analysed.failed, analysed.diagnostics
    return vet(analysed.analysis, analysed.inputs.schema, analysed.entry.engine)


@pytest.fixture(scope="module")
def analyze(analyzer: Analyzer) -> Analyze:
    return analyzer.analyze


@pytest.mark.parametrize(("code", "command", "sql"), FOUND)
def test_the_mistake_is_found_where_it_is(
    code: str, command: str, sql: str, tmp_path: Path, analyze: Analyze
) -> None:
    found = findings(tmp_path, analyze, SCHEMA, f"-- name: Q {command}\n{sql};\n")
    assert {item.code for item in found} == {code}
    assert found[0].labels[0].span.start > 10


@pytest.mark.parametrize(("command", "sql"), FINE)
def test_what_is_right_is_left_alone(
    command: str, sql: str, tmp_path: Path, analyze: Analyze
) -> None:
    assert findings(tmp_path, analyze, SCHEMA, f"-- name: Q {command}\n{sql};\n") == []


def test_equal_queries_are_found(tmp_path: Path, analyze: Analyze) -> None:
    text = "-- name: A :many\nSELECT id FROM task;\n-- name: B :many\nSELECT id\nFROM task;\n"
    [found] = findings(tmp_path, analyze, SCHEMA, text)
    assert (found.code, len(found.labels)) == ("V010", 2)


def test_a_query_with_an_optional_condition_differs_from_one_that_always_has_it(
    tmp_path: Path, analyze: Analyze
) -> None:
    text = "-- name: {} :many\nSELECT id FROM task WHERE true\nAND owner = @owner{}\n;\n"
    either = text.format("All", " -- :if owner")
    assert findings(tmp_path, analyze, SCHEMA, either + text.format("Own", "")) == []
    twice = findings(tmp_path, analyze, SCHEMA, either + text.format("Same", " -- :if owner"))
    assert [item.code for item in twice] == ["V010"]


def test_tables_are_advised_on_where_they_are_made(tmp_path: Path, analyze: Analyze) -> None:
    schema = "CREATE TABLE log (\n  at timestamp,\n  price float8,\n  cost money\n);\n"
    found = findings(tmp_path, analyze, schema, "-- name: A :one\nSELECT 1;\n")
    places = {
        (item.code, item.labels[0].file.line_col(item.labels[0].span.start)) for item in found
    }
    assert places == {("V020", (2, 3)), ("V021", (3, 3)), ("V022", (4, 3)), ("V023", (1, 14))}


@pytest.mark.parametrize(
    ("schema", "count"),
    [
        ("CREATE TABLE t (id int PRIMARY KEY, a timestamptz DEFAULT 'Infinity')", 1),
        (
            "CREATE TABLE t (a time PRIMARY KEY DEFAULT '24:00', b date DEFAULT '0001-01-01 BC')",
            2,
        ),
        ("CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT '24:00', b float8 DEFAULT '-inf')", 0),
        ("CREATE TABLE t (id int PRIMARY KEY, a numeric DEFAULT 'infinity'::numeric)", 0),
        ("CREATE TABLE t (id int PRIMARY KEY, a date NOT NULL CHECK (a < 'infinity'::date))", 0),
    ],
)
def test_a_value_that_python_has_not_is_found_in_the_schema(
    schema: str, count: int, tmp_path: Path, analyze: Analyze
) -> None:
    found = findings(tmp_path, analyze, f"{schema};\n", "-- name: A :one\nSELECT 1;\n")
    assert [item.code for item in found] == ["V024"] * count


@pytest.mark.parametrize(
    ("column", "codes"),
    [
        ("grid int[][]", ["V025"]),
        ("grid int[][] CHECK (array_ndims(grid) = 2)", []),
        ("grid int[]", []),
    ],
)
def test_declared_dimensions_that_nothing_checks_are_found(
    column: str, codes: list[str], tmp_path: Path, analyze: Analyze
) -> None:
    schema = f"CREATE TABLE t (id int PRIMARY KEY, {column});\n"
    found = findings(tmp_path, analyze, schema, "-- name: A :one\nSELECT 1;\n")
    assert [item.code for item in found] == codes


def test_every_rule_is_tried_here() -> None:
    tried = {code for code, _, _ in FOUND} | {
        "V010",
        "V012",
        "V020",
        "V021",
        "V022",
        "V023",
        "V025",
    }
    assert tried == set(RULES)


def test_conditions_without_an_index_are_found_in_the_plans(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = (
        "-- name: A :many\nSELECT id FROM task WHERE owner = @owner;\n"
        "-- name: B :one\nSELECT name FROM task WHERE id = @id;\n"
        "-- name: C :many\nSELECT id FROM task ORDER BY id;\n"
    )
    write(tmp_path, SCHEMA, queries)
    assert main(["vet", "-f", str(tmp_path), "--plans", "--format", "json"]) == 1
    [item] = json.loads(capsys.readouterr().out)
    assert (item["code"], item["labels"][0]["line"]) == ("V012", 2)
    assert main(["vet", "-f", str(tmp_path)]) == 0


@pytest.mark.parametrize("how", ["json", "sarif", "github", "text"])
def test_findings_are_told_to_people_and_machines(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = (
        "-- name: A :exec\nDELETE FROM task;\n"
        "-- name: B :exec\n-- ignore: V002 emptied every night\nDELETE FROM job;\n"
    )
    write(tmp_path, SCHEMA, queries)
    assert main(["vet", "-f", str(tmp_path), "--format", how]) == 1
    out, err = capsys.readouterr()
    if how == "text":
        assert "warning[V002]" in err
        assert "1 warning" in err
    elif how == "github":
        assert out.startswith("::warning file=")
        assert ",line=2,col=1,title=V002::" in out
    elif how == "json":
        [item] = json.loads(out)
        assert (item["code"], item["labels"][0]["line"]) == ("V002", 2)
    else:
        [result] = json.loads(out)["runs"][0]["results"]
        assert result["ruleId"] == "V002"


def test_assignments_of_mysql_are_no_comparisons(tmp_path: Path) -> None:
    query = "INSERT INTO task (id, owner) VALUES (1, 2) ON DUPLICATE KEY UPDATE owner = NULL;"
    write_project(
        tmp_path,
        {
            "sqlc.yaml": "version: '2'\nsql:\n  - {engine: mysql, schema: m, queries: q}\n",
            "m/1.sql": "CREATE TABLE task (id int PRIMARY KEY, owner int);",
            "q/q.sql": f"-- name: Put :exec\n{query}\n",
        },
    )
    assert main(["vet", "-f", str(tmp_path)]) == 0
