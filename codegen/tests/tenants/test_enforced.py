"""The proof uses only constraints that hold for every row, and checks each part of a MERGE."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from aiosqlc.cli.main import main
from aiosqlc.ir import Tenant
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.catalog.facts import Facts

from tests.projects import write_project
from tests.servers.postgres import TestPostgres
from tests.tenants.asking import TENANT, typed

_SCHEMA = """\
CREATE TABLE country (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE project (id int PRIMARY KEY, tenant_id int NOT NULL, name text,
    UNIQUE (tenant_id, id));
CREATE TABLE setting (tenant_id int NOT NULL, name text NOT NULL, value text NOT NULL,
    PRIMARY KEY (tenant_id, name));
CREATE TABLE issue (tenant_id int NOT NULL, id int NOT NULL, title text,
    PRIMARY KEY (tenant_id, id)) PARTITION BY LIST (tenant_id);
CREATE TABLE issue_1 PARTITION OF issue FOR VALUES IN (1);
CREATE TABLE issue_rest PARTITION OF issue DEFAULT PARTITION BY LIST (tenant_id);
CREATE TABLE issue_2 PARTITION OF issue_rest DEFAULT;
CREATE UNIQUE INDEX ON issue_1 (id);
CREATE UNIQUE INDEX ON issue_2 (id);
CREATE TABLE note (id int, tenant_id int NOT NULL, issue_id int NOT NULL,
    FOREIGN KEY (tenant_id, issue_id) REFERENCES issue (tenant_id, id)) PARTITION BY LIST (id);
CREATE TABLE note_1 PARTITION OF note DEFAULT;
CREATE TABLE remark (id int PRIMARY KEY, its_tenant int NOT NULL, issue_id int NOT NULL,
    FOREIGN KEY (its_tenant, issue_id) REFERENCES issue (tenant_id, id));
CREATE TABLE task (id int PRIMARY KEY, tenant_id int NOT NULL, project_id int NOT NULL, now_id int
    NOT NULL, FOREIGN KEY (tenant_id, now_id) REFERENCES project (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id) DEFERRABLE);
CREATE TABLE reply (id int PRIMARY KEY, task_id int NOT NULL REFERENCES task DEFERRABLE,
    project_id int NOT NULL REFERENCES project);
CREATE TABLE nul (id int PRIMARY KEY, tenant_id int, task_id int NOT NULL REFERENCES task,
    project_id int NOT NULL,
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id));
CREATE TABLE full_row (id int PRIMARY KEY, tenant_id int NOT NULL, task_id int NOT NULL REFERENCES
    task, project_id int NOT NULL,
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id));
CREATE TABLE scaled (tenant_id numeric NOT NULL, name text NOT NULL, UNIQUE (tenant_id, name));
CREATE TABLE sorted (tenant_id text NOT NULL, name text NOT NULL);
CREATE UNIQUE INDEX ON sorted (tenant_id COLLATE "C", name);
CREATE TABLE held (id int PRIMARY KEY, tenant_id text COLLATE "C" NOT NULL, name text,
    UNIQUE (tenant_id, id));
CREATE TABLE holder (tenant_id text NOT NULL, held_id int NOT NULL,
    FOREIGN KEY (tenant_id, held_id) REFERENCES held (tenant_id, id));
"""
_MERGE = "MERGE INTO setting s USING "
_ON = " AS x (name) ON s.tenant_id = @tenant_id AND s.name = x.name "
_INSERT = "WHEN NOT MATCHED THEN INSERT (tenant_id, name, value) VALUES (@tenant_id, x.name, 'v')"
_UPDATE = "WHEN MATCHED THEN UPDATE SET value = 'v'"
_GIVEN = "(VALUES (@name::text))"
_SKIPPED = (
    "WHEN MATCHED AND EXISTS (SELECT FROM project p WHERE p.name = x.name{}) THEN DO NOTHING "
)
_JOINED = (
    "MERGE INTO setting s USING (country x JOIN country d ON d.id = x.id AND x.name IN (SELECT"
    " p.name FROM project p{})) ON s.tenant_id = @tenant_id AND s.name = x.name "
)
_CONFLICT = (
    "INSERT INTO {} (tenant_id, name) VALUES (@tenant_id, @name)"
    " ON CONFLICT (tenant_id, name) DO UPDATE SET name = 'x'"
)
_NULLABLE = (
    "SELECT p.name FROM task t JOIN {0} n ON n.task_id = t.id JOIN project p ON p.id = n.project_id"
    " WHERE t.tenant_id = @tenant_id{1}"
)
_HELD = "SELECT h.name FROM holder o JOIN held h ON h.id = o.held_id WHERE o.tenant_id = @tenant_id"
_ONLY = " WHERE p.tenant_id = @tenant_id"
_LEAKING = {
    "a function of a MERGE": f"{_MERGE}unnest(ARRAY(SELECT p.name FROM project p)){_ON}{_INSERT}",
    "a join of a MERGE": _JOINED.format("") + _INSERT,
    "the list of a MERGE": f"{_MERGE}(VALUES ((SELECT max(p.name) FROM project p))){_ON}{_INSERT}",
    "a condition of DO NOTHING": f"{_MERGE}{_GIVEN}{_ON}{_SKIPPED.format('')}{_UPDATE}",
    "a key to a partition": "SELECT i.title FROM note n JOIN issue_1 i ON i.id = n.issue_id"
    " WHERE n.tenant_id = @tenant_id",
    "a partition's key to a partition": "SELECT i.title FROM note_1 n JOIN issue_2 i ON"
    " i.id = n.issue_id WHERE n.tenant_id = @tenant_id",
    "a deferrable key with the tenant": "SELECT p.name FROM task t JOIN project p ON"
    " p.id = t.project_id WHERE t.tenant_id = @tenant_id",
    "a deferrable key to the owner": "SELECT r.id FROM reply r JOIN task t ON t.id = r.task_id"
    " WHERE t.tenant_id = @tenant_id",
    "a move by a deferrable key": "UPDATE reply r SET task_id = @task_id FROM project p WHERE"
    " p.id = r.project_id AND p.tenant_id = @tenant_id",
    "a new row with another key": "INSERT INTO reply (id, task_id, project_id) SELECT 1, t.id,"
    " @project_id FROM task t WHERE t.tenant_id = @tenant_id",
    "an index that holds 1.0 and 1.00 equal": _CONFLICT.format("scaled"),
}  # fmt: skip
_SAFE = {
    "a function of a MERGE": f"{_MERGE}unnest(ARRAY(SELECT p.name FROM project p{_ONLY})){_ON}"
    f"{_INSERT}",
    "a join of a MERGE": _JOINED.format(_ONLY) + _INSERT,
    "a condition of DO NOTHING": _MERGE + _GIVEN + _ON
    + _SKIPPED.format(" AND p.tenant_id = s.tenant_id") + _UPDATE,
    "a key to a partitioned table": "SELECT i.title FROM note_1 n JOIN issue i ON"
    " i.tenant_id = n.tenant_id AND i.id = n.issue_id WHERE n.tenant_id = @tenant_id",
    "an owner in a partitioned table": "SELECT r.id FROM remark r JOIN issue i ON"
    " i.tenant_id = r.its_tenant AND i.id = r.issue_id WHERE i.tenant_id = @tenant_id",
    "an own row of a partitioned owner": "UPDATE remark r SET its_tenant = j.tenant_id, issue_id ="
    " j.id FROM issue i, issue j WHERE i.tenant_id = r.its_tenant AND i.id = r.issue_id AND"
    " i.tenant_id = @tenant_id AND j.tenant_id = @tenant_id AND j.id = @new",
    "an immediate key with the tenant": "SELECT p.name FROM task t JOIN project p ON"
    " p.id = t.now_id WHERE t.tenant_id = @tenant_id",
    "a new row with a deferrable key": "INSERT INTO reply (id, task_id, project_id) SELECT 1, t.id,"
    " p.id FROM task t, project p WHERE t.tenant_id = @tenant_id AND p.tenant_id = @tenant_id",
    "an immediate key to the owner": "SELECT r.id FROM reply r JOIN project p ON"
    " p.id = r.project_id WHERE p.tenant_id = @tenant_id",
}  # fmt: skip


def leaks(analyzer: Analyzer, folder: Path, text: str, tenant: Tenant = TENANT) -> tuple[str, ...]:
    named = f"-- name: Q :exec\n{text};\n"
    return typed(analyzer, _SCHEMA, named, folder, tenant)["Q"].leaks


@pytest.mark.parametrize("text", _LEAKING.values(), ids=_LEAKING)
def test_a_leak_is_found(text: str, analyzer: Analyzer, tmp_path: Path) -> None:
    assert leaks(analyzer, tmp_path, text)


@pytest.mark.parametrize("text", _SAFE.values(), ids=_SAFE)
def test_the_safe_form_is_proved(text: str, analyzer: Analyzer, tmp_path: Path) -> None:
    assert leaks(analyzer, tmp_path, text) == ()


def test_a_trusted_key_does_not_hide_that_a_tenant_is_null(
    analyzer: Analyzer, tmp_path: Path
) -> None:
    trusting = Tenant("tenant_id", "tenant_id", trust_foreign_keys=True)
    assert leaks(analyzer, tmp_path, _NULLABLE.format("nul", ""), trusting)
    compared = _NULLABLE.format("nul", " AND n.tenant_id = @tenant_id")
    assert leaks(analyzer, tmp_path, compared, trusting) == ()
    assert leaks(analyzer, tmp_path, _NULLABLE.format("full_row", ""), trusting) == ()


@pytest.mark.parametrize("text", [_CONFLICT.format("sorted"), _HELD])
def test_a_collation_may_hold_two_tenants_equal(
    text: str, analyzer: Analyzer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert leaks(analyzer, tmp_path, text) == ()
    bytewise = 950  # as if it ignored case; not every server has such a collation of ICU
    monkeypatch.setattr(Facts, "deterministic", lambda _, collation: collation != bytewise)
    assert leaks(analyzer, tmp_path, text)


_SIZED = """\
CREATE TABLE sized (id int PRIMARY KEY, tenant_id {} NOT NULL);
CREATE TABLE beside (id int PRIMARY KEY, tenant_id {} NOT NULL);
"""
_FULL = "the tenant column has the type `{}`, so the server may cut or add blanks"


@pytest.mark.parametrize(
    ("kind", "other", "value", "why"),
    [
        ("varchar(36)", "varchar(36)", "@tenant_id", ""),
        ("varchar(36)", "varchar(36)", "@tenant_id::text", ""),
        ("varchar", "varchar(36)", "@tenant_id", ""),
        ("varchar(36)", "varchar(40)", "@tenant_id", _FULL.format("varchar(36)")),
        ("varchar(36)", "text", "@tenant_id", _FULL.format("varchar(36)")),
        ("char(8)", "char(8)", "@tenant_id", _FULL.format("bpchar(8)")),
        ("varchar(36)", "varchar(36)", "@tenant_id::varchar(36)", "another value than"),
        ("varchar(36)", "varchar(36)", "@tenant_id::varchar(3)", "another value than"),
        ("varchar(36)", "varchar(36)", "upper(@tenant_id)", "another value than"),
    ],
)
def test_a_tenant_is_stored_unchanged_or_not_at_all(
    kind: str, other: str, value: str, why: str, analyzer: Analyzer, tmp_path: Path
) -> None:
    for text in (
        f"INSERT INTO sized (id, tenant_id) VALUES (@id, {value})",
        f"INSERT INTO sized (id, tenant_id) VALUES (1, {value}), (2, {value})",
        f"INSERT INTO sized (id, tenant_id) SELECT @id, {value}",
    ):
        found = typed(
            analyzer, _SIZED.format(kind, other), f"-- name: Q :exec\n{text};\n", tmp_path
        )["Q"].leaks
        assert bool(found) is bool(why), text
        assert all(why in leak for leak in found), text


def test_a_policy_requires_one_row_of_a_partitioned_table(
    postgres_server: TestPostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen: {python: {out: out}}
    tenant: {column: tenant_id, shared: [country]}
"""
    query = "-- name: Q :many\nSELECT id FROM country;\n"
    write_project(tmp_path, {"schema.sql": _SCHEMA, "queries.sql": query, "sqlc.yaml": config})
    assert main(["policies", "-f", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""  # a deferrable key also gives a policy
    url = postgres_server.create_empty("partitions")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((_SCHEMA + printed.out).encode())
        connection.execute(b"INSERT INTO issue VALUES (1, 5), (2, 6); CREATE ROLE tenant_writer")
        try:
            connection.execute(b"GRANT ALL ON ALL TABLES IN SCHEMA public TO tenant_writer")
            with connection.transaction(force_rollback=True):
                connection.execute(b"SET LOCAL ROLE tenant_writer; SET LOCAL app.tenant = '1'")
                connection.execute(b"INSERT INTO remark VALUES (1, 1, 5)")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(b"INSERT INTO remark VALUES (2, 2, 6)")
        finally:
            connection.execute(b"DROP OWNED BY tenant_writer; DROP ROLE tenant_writer")
    postgres_server.drop(url)
