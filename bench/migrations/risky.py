"""Ten risky migrations of the table `department`, and the versions that the compiler proposes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.serving import ROOT

OTHER: Final = "CREATE TABLE release (number int PRIMARY KEY); INSERT INTO release VALUES (1);"
RISKY: Final = {
    "index": "CREATE INDEX department_address ON department (address);",
    "unique index": "CREATE UNIQUE INDEX department_name_id ON department (name, id);",
    "unique constraint": (
        "ALTER TABLE department ADD CONSTRAINT department_both UNIQUE (address, id);"
    ),
    "check": ("ALTER TABLE department ADD CONSTRAINT department_short CHECK (length(name) < 200);"),
    "foreign key": (
        "ALTER TABLE department ADD CONSTRAINT department_release"
        " FOREIGN KEY (version) REFERENCES release;"
    ),
    "not null": "ALTER TABLE department ALTER COLUMN address SET NOT NULL;",
    "column with a volatile default": (
        "ALTER TABLE department ADD COLUMN code uuid NOT NULL DEFAULT gen_random_uuid();"
    ),
    "column with a check": (
        "ALTER TABLE department ADD COLUMN seen timestamptz DEFAULT clock_timestamp()"
        " CHECK (seen > '2020-01-01');"
    ),
    "unique column": "ALTER TABLE department ADD COLUMN tag text UNIQUE DEFAULT gen_random_uuid();",
    "reindex": "REINDEX TABLE department;",
}
CONFIG: Final = """\
version: "2"
sql:
  - engine: postgresql
    schema: migrations
    queries: queries
    gen: {python: {out: store}}
"""


def project(folder: Path, sql: str) -> Path:
    """Write a project with the department's migrations and one more; return its migrations."""
    migrations = folder / "migrations"
    migrations.mkdir(parents=True)
    for path in (ROOT / "migrations/department/postgres").glob("*.sql"):
        shutil.copy(path, migrations)
    (migrations / "0003_other.sql").write_text(f"{OTHER}\n")
    (migrations / "0003_other.rollback.sql").write_text("DROP TABLE release;\n")
    (migrations / "0004_risky.sql").write_text(f"{sql}\n")
    (migrations / "0004_risky.rollback.sql").write_text("SELECT 1;\n")
    (folder / "queries").mkdir()
    (folder / "queries/all.sql").write_text("-- name: One :one\nSELECT 1 AS one;\n")
    (folder / "sqlc.yaml").write_text(CONFIG)
    return migrations


def propose(folder: Path) -> None:
    """Let the compiler replace the risky migration. End the run if it proposes nothing."""
    command = ["migrations", "check", "-f", str(folder), "--after", "0003_other", "--fix"]
    done = subprocess.run(
        [sys.executable, "-m", "aiosqlc", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if "wrote" not in done.stdout:
        sys.exit(f"the compiler proposed nothing:\n{done.stdout}{done.stderr}")
