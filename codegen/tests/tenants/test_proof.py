"""A query of one tenant is proved; any other is refused, with the table and the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.ir import Tenant
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.catalog.facts import Facts

from tests.projects import write_project
from tests.tenants.asking import typed
from tests.tenants.queries import FOLDED, FOLDED_SCHEMA, KEPT, LEAKING, LEAKING_BESIDE, SCHEMA

CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen: {python: {out: out}}
    tenant: {column: tenant_id, shared: [country]}
"""
_PREDICATE = re.compile(r"(?:\w+\.)?tenant_id = (?:@|\w+\.)tenant_id")


def test_each_query_of_one_tenant_is_proved(analyzer: Analyzer, tmp_path: Path) -> None:
    found = typed(analyzer, SCHEMA, KEPT, tmp_path)
    assert len(found) == KEPT.count("-- name:")
    assert {name: query.leaks for name, query in found.items() if query.leaks} == {}


@pytest.mark.parametrize("text", LEAKING.values(), ids=LEAKING)
def test_a_leak_is_found(text: str, analyzer: Analyzer, tmp_path: Path) -> None:
    assert typed(analyzer, SCHEMA, text, tmp_path)["Q"].leaks


@pytest.mark.parametrize(("schema", "text"), LEAKING_BESIDE.values(), ids=LEAKING_BESIDE)
def test_a_leak_of_an_odd_schema_is_found(
    schema: str, text: str, analyzer: Analyzer, tmp_path: Path
) -> None:
    assert typed(analyzer, SCHEMA + schema, text, tmp_path)["Q"].leaks


def test_a_key_does_not_separate_tenants_that_its_collation_holds_equal(
    analyzer: Analyzer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert typed(analyzer, FOLDED_SCHEMA, FOLDED, tmp_path)["Q"].leaks == ()
    default = 100  # as if it were of ICU, which not every server has
    monkeypatch.setattr(Facts, "deterministic", lambda _, collation: collation != default)
    assert typed(analyzer, FOLDED_SCHEMA, FOLDED, tmp_path)["Q"].leaks


def without_one(text: str) -> Iterator[str]:
    """Yield the queries, each with one comparison of tenants made true."""
    for query in text.split("-- name: ")[1:]:
        for found in _PREDICATE.finditer(query):
            yield f"-- name: {query[: found.start()]}true{query[found.end() :]}"


def test_every_predicate_is_needed(analyzer: Analyzer, tmp_path: Path) -> None:
    texts = list(without_one(KEPT))
    numbered = "\n".join(
        re.sub(r"name: (\w+)", rf"name: \g<1>_{n}", t) for n, t in enumerate(texts)
    )
    found = typed(analyzer, SCHEMA, numbered, tmp_path)
    assert len(found) == len(texts)
    assert len(texts) > 20
    assert [name for name, query in found.items() if not query.leaks] == []


def test_many_keys_belong_to_one_tenant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """
-- name: Kept :one :batchget(id)
SELECT title FROM issue WHERE tenant_id = @tenant_id AND id = @id;
-- name: Pairs :one :batchget(tenant_id, id)
SELECT title FROM issue WHERE tenant_id = @tenant_id AND id = @id;
-- name: Tenants :many :batchget(tenant_id)
SELECT title FROM issue WHERE tenant_id = @tenant_id ORDER BY id;
"""
    write_project(tmp_path, {"schema.sql": SCHEMA, "queries.sql": text, "sqlc.yaml": CONFIG})
    assert main(["generate", "-f", str(tmp_path / "sqlc.yaml")]) == 1
    said = capsys.readouterr().err
    assert "`Kept`" not in said
    assert all(f"`{name}`" in said for name in ("Pairs", "Tenants"))


def test_a_shared_table_is_shared_only_where_it_is_listed(
    analyzer: Analyzer, tmp_path: Path
) -> None:
    text = "-- name: Q :many\nSELECT name FROM country;\n"
    strict = typed(analyzer, SCHEMA, text, tmp_path, Tenant("tenant_id", "tenant_id"))
    assert strict["Q"].leaks == (
        (
            "`country`: the table has no tenant column, and its foreign keys do not connect the "
            "row to the tenant"
        ),
    )
    assert typed(analyzer, SCHEMA, text, tmp_path)["Q"].leaks == ()


_BESIDE = """\
CREATE TABLE country (code text PRIMARY KEY, name text NOT NULL);
CREATE FUNCTION f_safe(n int) RETURNS int LANGUAGE sql STABLE AS 'SELECT n';
CREATE SCHEMA other;
CREATE TABLE other.country (code text PRIMARY KEY, tenant_id int NOT NULL, name text NOT NULL);
CREATE TABLE other.city (code text PRIMARY KEY, name text NOT NULL);
CREATE FUNCTION other.f_safe(n int) RETURNS text LANGUAGE sql STABLE
    AS 'SELECT name FROM other.country WHERE tenant_id = n';
"""


@pytest.mark.parametrize(
    ("sql", "shared", "proved"),
    [
        ("SELECT name FROM country", "country", True),
        ("SELECT name FROM country", "public.country", True),
        ("SELECT name FROM other.country", "country", False),
        ("SELECT name FROM other.country", "other.country", True),
        ("SELECT name FROM country", "other.country", False),
        ("SELECT f_safe(1)", "f_safe", True),
        ("SELECT other.f_safe(1)", "f_safe", False),
        ("SELECT other.f_safe(1)", "other.f_safe", True),
    ],
)
def test_a_shared_name_without_a_schema_is_looked_up_as_in_a_query(
    sql: str, shared: str, proved: bool, analyzer: Analyzer, tmp_path: Path
) -> None:
    tenant = Tenant("tenant_id", "tenant_id", (shared,))
    found = typed(analyzer, _BESIDE, f"-- name: Q :many\n{sql};\n", tmp_path, tenant)
    assert (found["Q"].leaks == ()) is proved


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("shared: [country, county]", "`tenant.shared` contains `county`, but there is no such"),
        ("shared: [county]", "did you mean `country`?"),
        ("shared: [city]", "write the name with its schema: `other.city`"),
        ("shared: [count]", "`tenant.shared` contains `count`"),  # a function of the server
        ("shared: [country, f_safe, other.city]", ""),
        ("table: f_safe", "`tenant.table` contains `f_safe`, but there is no such table"),
        ("table: city", "write the name with its schema: `other.city`"),
        ("shared: [country], table: other.city", ""),
    ],
)
def test_a_name_of_the_settings_that_matches_nothing_is_reported(
    written: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "-- tenant: all a test\n-- name: Q :many\nSELECT name FROM country;\n"
    config = CONFIG.replace("shared: [country]", written)
    write_project(tmp_path, {"schema.sql": _BESIDE, "queries.sql": query, "sqlc.yaml": config})
    for _ in range(2):  # the lock has not forgotten it
        assert main(["generate", "-f", str(tmp_path)]) == (1 if said else 0)
        printed = capsys.readouterr().err
        assert said in printed
        assert ("sqlc.yaml:7:" in printed) is bool(said)


_READING = {
    "SQL": """\
CREATE FUNCTION f(int) RETURNS TABLE (tenant_id int, title text) LANGUAGE sql IMMUTABLE
    AS 'SELECT tenant_id, title FROM issue WHERE id > $1'""",
    "BEGIN ATOMIC": """\
CREATE FUNCTION f(n int) RETURNS text LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT
    (SELECT title FROM issue WHERE id = n); END""",
    "SQL with a search path": """\
CREATE FUNCTION f(n int) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = public
    AS 'SELECT title FROM issue WHERE id = n'""",
    "PL/pgSQL": """\
CREATE FUNCTION f(n int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN
    (SELECT title FROM issue WHERE id = n); END'""",
    "a statement built at run time": """\
CREATE FUNCTION f(n int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'DECLARE v text;
    BEGIN EXECUTE ''SELECT title FROM iss'' || ''ue'' INTO v; RETURN v; END'""",
    "a call of another function": """\
CREATE FUNCTION g() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT title FROM issue';
CREATE FUNCTION f(n int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT g()'""",
    "a call in PL/pgSQL": """\
CREATE FUNCTION g() RETURNS text LANGUAGE sql STABLE AS 'SELECT title FROM issue';
CREATE FUNCTION f(n int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN g(); END'""",
    "a view": """\
CREATE FUNCTION f(n int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT count(*) FROM
    open_issue'""",
    "a write": """\
CREATE FUNCTION f(n int) RETURNS void LANGUAGE sql IMMUTABLE BEGIN ATOMIC DELETE FROM
    issue WHERE id = n; END""",
    "two functions that call each other": """\
CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n';
CREATE FUNCTION g(n int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN
    f(''x''); END';
CREATE FUNCTION f(n text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN
    (SELECT g(id) FROM issue); END';
CREATE OR REPLACE FUNCTION f(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN
    RETURN g(n); END'""",
}
_COMPUTING = {
    "an argument": """\
CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n + 1'""",
    "itself": """\
CREATE FUNCTION f(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN IF n < 2 THEN
    RETURN 1; END IF; RETURN n * f(n - 1); END'""",
    "a shared table": """\
CREATE FUNCTION f(n int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT count(*) FROM
    country'""",
}


@pytest.mark.parametrize("made", _READING.values(), ids=_READING)
def test_an_immutable_function_that_reads_rows_is_found(
    made: str, analyzer: Analyzer, tmp_path: Path
) -> None:
    text = "-- name: Q :many\nSELECT * FROM f(1);\n"
    leaks = typed(analyzer, f"{SCHEMA}{made};", text, tmp_path)["Q"].leaks
    assert leaks == ("`f()`: the function may read or write any tenant's rows",)


@pytest.mark.parametrize("made", _COMPUTING.values(), ids=_COMPUTING)
def test_an_immutable_function_that_reads_no_rows_of_tenants_is_proved(
    made: str, analyzer: Analyzer, tmp_path: Path
) -> None:
    text = "-- name: Q :many\nSELECT * FROM f(1);\n"
    assert typed(analyzer, f"{SCHEMA}{made};", text, tmp_path)["Q"].leaks == ()


def test_the_functions_that_may_leak_are_in_the_order_of_their_names(
    analyzer: Analyzer, tmp_path: Path
) -> None:
    names = [f"f_{letter}" for letter in "hgfedcba"]
    made = "".join(
        f"CREATE FUNCTION {name}() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM issue';\n"
        for name in names
    )
    text = f"-- name: Q :one\nSELECT {', '.join(f'{name}() AS {name}' for name in names)};\n"
    leaks = typed(analyzer, SCHEMA + made, text, tmp_path)["Q"].leaks
    assert [leak.split("(")[0].strip("`") for leak in leaks] == sorted(names)


def test_the_command_refuses_a_leak_unless_every_tenant_is_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "-- name: AllIssues :many\nSELECT id FROM issue;\n"
    write_project(tmp_path, {"schema.sql": SCHEMA, "queries.sql": query, "sqlc.yaml": CONFIG})
    assert main(["generate", "-f", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "error[E374]: `AllIssues` may touch another tenant's rows: `issue`:" in said
    assert "queries.sql:1:" in said
    assert "`-- tenant: all REASON`" in said
    (tmp_path / "queries.sql").write_text(f"-- tenant: all\n{query}")
    assert main(["generate", "-f", str(tmp_path)]) == 1
    assert "malformed `tenant` annotation" in capsys.readouterr().err
    (tmp_path / "queries.sql").write_text(f"-- tenant: all the nightly report\n{query}")
    assert main(["generate", "-f", str(tmp_path)]) == 0
    (tmp_path / "queries.sql").write_text(query)
    assert main(["generate", "-f", str(tmp_path)]) == 1  # the lock has not forgotten it
