"""The rules of the tenant proof that need facts of the schema or of the configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.cli.main import main
from aiosqlc.ir import Tenant
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.infer.tenants import Tenants
from aiosqlc.relational import tenant

from tests.projects import write_project
from tests.tenants.asking import TENANT, typed
from tests.tenants.rules import NOT_PROVED, PROVED, SCHEMA, TRUSTED

_TRUSTING = Tenant("tenant_id", "tenant_id", trust_foreign_keys=True)


def split(text: str) -> list[str]:
    return [statement for statement in text.split(";\n") if statement.strip()]


def proved(
    analyzer: Analyzer, folder: Path, text: str, tenant: Tenant = TENANT, schema: str = SCHEMA
) -> list[str]:
    """Return those of the statements that are proved."""
    texts = split(text)
    named = "".join(f"-- name: Q{n} :exec\n{t.strip()};\n" for n, t in enumerate(texts))
    found = typed(analyzer, schema, named, folder, tenant)
    assert len(found) == len(texts)
    return [t for n, t in enumerate(texts) if not found[f"Q{n}"].leaks]


def test_each_statement_of_one_tenant_is_proved(analyzer: Analyzer, tmp_path: Path) -> None:
    assert proved(analyzer, tmp_path, PROVED) == split(PROVED)


def test_a_leak_is_found(analyzer: Analyzer, tmp_path: Path) -> None:
    assert proved(analyzer, tmp_path, NOT_PROVED) == []


def test_a_foreign_key_without_the_tenant_is_used_only_if_it_is_trusted(
    analyzer: Analyzer, tmp_path: Path
) -> None:
    assert proved(analyzer, tmp_path, TRUSTED) == []
    assert proved(analyzer, tmp_path, TRUSTED, _TRUSTING) == split(TRUSTED)


def test_the_configuration_names_the_table_of_the_tenants(
    analyzer: Analyzer, tmp_path: Path
) -> None:
    schema = """CREATE TABLE "Org" (id int PRIMARY KEY, name text);
    CREATE TABLE token (id int, "orgId" int REFERENCES "Org");
    CREATE TABLE project (id int, tenant_id int);"""
    text = """SELECT name FROM "Org" WHERE id = @tenant_id;
    SELECT id FROM token WHERE "orgId" = @tenant_id;
    """
    assert proved(analyzer, tmp_path, text, TENANT, schema) == []
    named = Tenant("tenant_id", "tenant_id", table="Org")
    assert len(proved(analyzer, tmp_path, text, named, schema)) == 2


def test_the_tenant_column_may_have_several_names(analyzer: Analyzer, tmp_path: Path) -> None:
    schema = """CREATE TABLE a (id int, tenant_id int, "orgId" int);
    CREATE TABLE b (id int, "orgId" int); CREATE TABLE c (id int, n int);"""
    text = """SELECT id FROM a WHERE tenant_id = @tenant_id;
    SELECT id FROM b WHERE "orgId" = @tenant_id;
    SELECT id FROM a WHERE "orgId" = @tenant_id;
    SELECT id FROM c WHERE n = @tenant_id;
    """
    both = Tenant("tenant_id", "tenant_id", columns=("orgId",))
    assert proved(analyzer, tmp_path, text, TENANT, schema) == split(text)[:1]
    assert proved(analyzer, tmp_path, text, both, schema) == split(text)[:2]


def _true(*_: object) -> bool:
    return True


_MUTANTS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "any column is unique": (Tenants, "unique", _true),
    "a foreign key's tenant is never NULL": (Tenants, "not_null", _true),
    "each foreign key is trusted": (Tenants, "trusted", _true),
    "a conflict needs no comparison": (tenant._Proof, "_updates_own", _true),
    "a conflict may set any tenant": (tenant._Proof, "_is_own", _true),
    "each output is the tenant": (
        tenant._Proof, "_outputs", lambda *_: frozenset(range(1, 9)),
    ),
    "a MERGE reads only its source": (
        tenant._Proof, "_unbound", lambda *_: iter(()),
    ),
}  # fmt: skip
# Of a foreign key whose tenant may be NULL, and of one whose other columns are not unique.
_BESIDE = """\
SELECT m.id FROM project p JOIN maybe m ON m.project_id = p.id WHERE p.tenant_id = @tenant_id;

SELECT p.name FROM spare s JOIN project p ON p.n = s.n WHERE s.tenant_id = @tenant_id;
"""
_SPARE = """
ALTER TABLE project ADD UNIQUE (tenant_id, n);
CREATE TABLE spare (tenant_id int, n int,
    FOREIGN KEY (tenant_id, n) REFERENCES project (tenant_id, n));
"""


@pytest.mark.parametrize(("owner", "name", "mutant"), _MUTANTS.values(), ids=_MUTANTS)
def test_a_weaker_rule_proves_a_leak(
    owner: object,
    name: str,
    mutant: Callable[..., Any],
    analyzer: Analyzer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schema = SCHEMA + _SPARE
    assert proved(analyzer, tmp_path, NOT_PROVED + _BESIDE, schema=schema) == []
    monkeypatch.setattr(owner, name, mutant)
    assert proved(analyzer, tmp_path, NOT_PROVED + _BESIDE, schema=schema)


def test_the_settings_are_read_from_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen: {python: {out: out}}
    tenant: {column: [tenant_id, other], table: org, trust_foreign_keys: true}
"""
    queries = "".join(
        f"-- name: Q{n} :many\n{text.strip()};\n" for n, text in enumerate(split(TRUSTED))
    )
    files = {"schema.sql": SCHEMA, "queries.sql": queries, "sqlc.yaml": config}
    write_project(tmp_path, files)
    assert main(["generate", "-f", str(tmp_path)]) == 0
    strict = config.replace(", trust_foreign_keys: true", "")
    (tmp_path / "sqlc.yaml").write_text(strict)
    assert main(["generate", "-f", str(tmp_path)]) == 1
    assert "error[E374]" in capsys.readouterr().err


@pytest.mark.parametrize("command", [":exec :bulk", ":copyfrom", ":batchexec"])
def test_each_row_of_a_list_is_proved_for_its_tenant(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen: {python: {out: out}}
    tenant: {column: tenant_id}
"""
    query = f"-- name: Put {command}\nINSERT INTO project (id, tenant_id) VALUES (@id, @tenant_id);"
    write_project(tmp_path, {"schema.sql": SCHEMA, "queries.sql": query, "sqlc.yaml": config})
    assert main(["generate", "-f", str(tmp_path)]) == 0
    (tmp_path / "queries.sql").write_text(query.replace("@tenant_id", "@other"))
    assert main(["generate", "-f", str(tmp_path)]) == 1
    assert "error[E374]" in capsys.readouterr().err
