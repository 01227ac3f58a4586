"""`aiosqlc migrations check` on MySQL: what a change keeps waiting, and what it copies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.cli.main import main
from aiosqlc.servers.mysql.databases import MARK
from aiosqlc.servers.mysql.session import open_session

from tests.projects import write_project

CONFIG = """\
version: "2"
sql:
  - engine: mysql
    schema: migrations
    queries: queries
    gen:
      python: {out: OUT}
"""
FIRST = """\
CREATE TABLE team (id int PRIMARY KEY, name varchar(40) NOT NULL);
CREATE TABLE person (
    id int PRIMARY KEY, team_id int, email varchar(80) NOT NULL, name varchar(40), age int NOT NULL,
    note text, KEY person_age (age)
);
CREATE VIEW elder AS SELECT id, name FROM person WHERE age > 60;
"""
QUERIES = """\
-- name: GetPerson :one
SELECT * FROM person WHERE id = sqlc.arg(id);
-- name: ListElders :many
SELECT id, name FROM elder ORDER BY id LIMIT 3;
-- name: AddPerson :exec
INSERT INTO person (id, team_id, email, age)
VALUES (sqlc.arg(id), sqlc.narg(team_id), sqlc.arg(email), sqlc.arg(age));
-- name: ListTeams :many
SELECT id, name FROM team ORDER BY id;
"""


class Project:
    """A project whose first migration is applied."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys
        self.write(
            {"sqlc.yaml": CONFIG, "queries/all.sql": QUERIES, "migrations/0001_a.sql": FIRST}
        )

    def write(self, files: Mapping[str, str]) -> None:
        write_project(self.root, files)

    def check(self, *options: str) -> tuple[int, str, str]:
        code = main(["migrations", "check", "-f", str(self.root), "--after", "0001_a", *options])
        return code, *self._capsys.readouterr()

    def found(self, sql: str, *options: str, rollback: str = "") -> list[Any]:
        """Return the findings of one migration."""
        self.write({"migrations/0002_b.sql": sql})
        if rollback:
            self.write({"migrations/0002_b.rollback.sql": rollback})
        _, out, err = self.check("--format", "json", *(options or ("--timeout-set",)))
        assert err == ""
        return [{**item, "line": item["labels"][0]["line"]} for item in json.loads(out)]

    def locks(self, sql: str, *options: str) -> list[Any]:
        """Return the findings of one migration, except those about values."""
        return [i for i in self.found(sql, *options) if i["code"] not in {"M009", "M011"}]


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    return Project(tmp_path, capsys)


INSTANT = [
    "ALTER TABLE person ADD COLUMN points int NOT NULL DEFAULT 3",
    "ALTER TABLE person ADD COLUMN points int, ADD COLUMN rank_ int",
    "ALTER TABLE person MODIFY name varchar(60)",
    "ALTER TABLE person ALTER COLUMN age SET DEFAULT 3",
    "ALTER TABLE person COMMENT 'people'",
    "ALTER TABLE person ADD INDEX person_email (email)",
    "ALTER TABLE person ADD UNIQUE (email)",
    "CREATE INDEX person_email ON person (email)",
    "CREATE UNIQUE INDEX person_email ON person (email) -- of the address",
    "DROP INDEX person_age ON person",
    "CREATE TABLE pet (id int PRIMARY KEY, of int, FOREIGN KEY (of) REFERENCES person (id))",
    "CREATE VIEW young AS SELECT id FROM person WHERE age < 20",
    "INSERT INTO team VALUES (100, 'new')",
    "UPDATE person SET age = 3 WHERE id = 1",
    "SET @a = 1",
]
COPIED = {
    "ALTER TABLE person MODIFY age bigint NOT NULL": "writes",
    "ALTER TABLE person MODIFY name varchar(30)": "writes",
    "ALTER TABLE person CONVERT TO CHARACTER SET latin1": "writes",
    "ALTER TABLE person ADD CHECK (age >= 0)": "writes",
    "ALTER TABLE person ADD FOREIGN KEY (team_id) REFERENCES team (id)": "writes",
    "ALTER TABLE person ADD FULLTEXT (note)": "writes",
    "ALTER TABLE person PARTITION BY HASH (id) PARTITIONS 2": "writes",
    "ALTER TABLE person ADD INDEX (email), ALGORITHM=COPY": "writes",
    "ALTER TABLE person ADD COLUMN a int, ALGORITHM = COPY, LOCK = EXCLUSIVE": "reads and writes",
    "ALTER TABLE person ALGORITHM COPY, ADD COLUMN a int": "writes",
    "ALTER TABLE person ADD COLUMN a int, ALGORITHM=COPY PARTITION BY HASH (id)": "writes",
    "ALTER TABLE person ADD SYSTEM VERSIONING": "writes",
    # these words are not clauses
    "ALTER TABLE person MODIFY age bigint NOT NULL COMMENT 'algorithm inplace lock none'": "writes",
    "ALTER TABLE person MODIFY name varchar(30) DEFAULT 'lock=none'": "writes",
    "ALTER TABLE person /* , ALGORITHM=INPLACE, LOCK=NONE */ MODIFY age bigint NOT NULL": "writes",
    "ALTER TABLE person MODIFY age bigint NOT NULL, ADD COLUMN algorithm varchar(9)": "writes",
    "ALTER TABLE person MODIFY age bigint NOT NULL, ADD CHECK (name <> 'lock none')": "writes",
}


@pytest.mark.parametrize("sql", INSTANT)
def test_a_change_without_a_long_lock_is_no_finding(shop: Project, sql: str) -> None:
    assert [item["code"] for item in shop.found(f"{sql};\n") if item["code"] != "M011"] == []


@pytest.mark.parametrize("sql", COPIED)
def test_a_copied_table_is_a_finding_that_names_who_waits(shop: Project, sql: str) -> None:
    found, *_ = shop.found(f"{sql};\n")
    assert (found["code"], found["line"]) == ("M001", 1)
    assert found["message"] == f"rewrites person while {COPIED[sql]} wait"
    waits = [note for note in found["notes"] if "would wait" in note]
    assert "queries/all.sql:AddPerson" in waits[0]
    reads = COPIED[sql] != "writes"
    assert all(
        (f"queries/all.sql:{name}" in waits[0]) is reads for name in ("GetPerson", "ListElders")
    )
    assert "ListTeams" not in waits[0]
    assert any(note.startswith("measured on MariaDB 1") for note in found["notes"])


BUILT = [
    "CREATE FULLTEXT INDEX person_name ON person (name)",
    "CREATE FULLTEXT INDEX team ON person (name)",  # the name of a table, too
    "ALTER TABLE person ADD FULLTEXT INDEX team (name)",
    "ALTER TABLE person DROP INDEX words, ADD FULLTEXT INDEX words (note, name)",
]


@pytest.mark.parametrize("sql", BUILT)
def test_a_built_index_is_a_finding_whatever_its_name_is(shop: Project, sql: str) -> None:
    shop.write({"migrations/0001_a.sql": f"{FIRST}ALTER TABLE person ADD FULLTEXT words (note);\n"})
    (found,) = shop.found(f"{sql};\n")
    assert found["code"] == "M003"
    assert found["message"] == "builds an index on person while writes wait"


@pytest.mark.parametrize("name", ["order-items", "größe", "日本", "a#p#b", "a@b", "a`b"])
def test_a_copied_table_is_a_finding_whatever_its_name_is(shop: Project, name: str) -> None:
    table = "`" + name.replace("`", "``") + "`"
    created = f"CREATE TABLE {table} (id int PRIMARY KEY);\n"
    shop.write({"migrations/0001_a.sql": f"{FIRST}{created}"})
    (found,) = shop.found(f"ALTER TABLE {table} PARTITION BY HASH (id) PARTITIONS 2;\n")
    assert (found["code"], found["message"]) == ("M001", f"rewrites {name} while writes wait")


def test_a_renamed_index_or_column_is_no_built_index(shop: Project) -> None:
    for action in ("RENAME INDEX person_age TO older", "RENAME COLUMN age TO years"):
        sql = f"LOCK TABLES person WRITE;\nALTER TABLE person {action};\nUNLOCK TABLES;\n"
        assert {item["code"] for item in shop.found(sql)} <= {"M008"}


def test_a_change_of_most_rows_is_a_finding(shop: Project) -> None:
    (found,) = shop.locks("UPDATE person SET note = 'x';\n")
    assert found["code"] == "M005"
    assert found["message"].startswith("changes the rows of person in one statement")
    found = shop.found("DELETE FROM person WHERE age > 0;\n")
    assert [item["code"] for item in found] == ["M005", "M009"]


def test_a_moment_without_a_timeout_is_a_finding_once(shop: Project) -> None:
    sql = "ALTER TABLE person ADD COLUMN a int;\nALTER TABLE team ADD COLUMN a int;\n"
    (found,) = shop.found(sql, "--format", "json")
    assert (found["code"], found["line"]) == ("M006", 1)
    assert (
        found["message"]
        == "an exclusive metadata lock on person is requested, and no lock_wait_timeout"
        " below one hour is set"
    )
    assert "SET SESSION lock_wait_timeout = 2;" in found["hint"]
    assert shop.found(f"SET SESSION lock_wait_timeout = 2;\n{sql}", "--format", "json") == []


@pytest.mark.parametrize(
    ("sql", "proposed"),
    [
        (
            "ALTER TABLE person ADD INDEX (email), ALGORITHM=COPY",
            "ALTER TABLE person ADD INDEX (email);",
        ),
        (
            "ALTER TABLE person ADD CONSTRAINT of_team FOREIGN KEY (team_id) REFERENCES team (id)",
            "SET SESSION foreign_key_checks = 0;",
        ),
    ],
)
def test_a_proposal_is_tested_and_written(shop: Project, sql: str, proposed: str) -> None:
    (found,) = shop.locks(f"{sql};\n")
    assert proposed in found["hint"]
    assert any("tested: same resulting schema" in note for note in found["notes"])
    assert shop.check("--fix", "--timeout-set")[0] == 1
    assert proposed in (shop.root / "migrations/0002_b.sql").read_text()
    assert shop.check("--timeout-set")[0] == 0


def test_a_query_that_fails_afterwards_and_lost_data_are_findings(shop: Project) -> None:
    found = shop.found("ALTER TABLE person DROP COLUMN name;\n")
    assert [item["code"] for item in found] == ["M008", "M009"]
    assert "queries/all.sql:ListElders" in found[0]["notes"][0]
    assert "the column person.name" in found[1]["message"]


def test_a_failing_query_and_lost_data_are_reported_at_the_statement_that_is_the_cause(
    shop: Project,
) -> None:
    found = shop.found(
        "LOCK TABLES person WRITE, team WRITE;\n"
        "ALTER TABLE person DROP COLUMN email;\n"
        "ALTER TABLE team RENAME COLUMN name TO title;\n"
        "UNLOCK TABLES;\n"
    )
    assert [(item["code"], item["line"]) for item in found] == [
        ("M008", 2),
        ("M008", 3),
        ("M009", 2),
    ]


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        (
            (
                "DROP VIEW elder;\nALTER TABLE person RENAME COLUMN note TO remark;\n"
                "CREATE VIEW elder AS SELECT id, remark FROM person WHERE age > 60;\n"
            ),
            3,
        ),
        (
            (
                "ALTER TABLE team ADD COLUMN a int;\nDROP VIEW elder;\n"
                "CREATE VIEW elder AS SELECT id, name FROM person;\nDROP VIEW elder;\n"
            ),
            4,
        ),
    ],
)
def test_a_query_that_fails_twice_is_reported_where_it_fails_for_good(
    shop: Project, sql: str, line: int
) -> None:
    (found,) = shop.found(sql)
    assert (found["code"], found["line"]) == ("M008", line)
    assert found["notes"] == ["queries/all.sql:ListElders"]


def test_a_renamed_column_is_not_lost(shop: Project) -> None:
    found = shop.found("ALTER TABLE team RENAME COLUMN name TO title;\n")
    assert [item["code"] for item in found] == ["M008"]
    assert [item["code"] for item in shop.found("RENAME TABLE team TO squad;\n")] == ["M008"]


def test_a_rollback_that_does_not_restore_is_a_finding(shop: Project) -> None:
    back = "ALTER TABLE person ADD COLUMN note text;\n"
    found = shop.found("ALTER TABLE person DROP COLUMN note;\n", rollback=back)
    assert "the values of person.note" in next(
        item["message"] for item in found if item["code"] == "M010"
    )
    (found,) = shop.found(
        "CREATE INDEX a ON person (name);\n", rollback="DROP INDEX b ON person;\n"
    )
    assert found["code"] == "M010"


def test_a_change_that_rows_refuse_is_a_finding(shop: Project) -> None:
    sql = "ALTER TABLE person MODIFY team_id int NOT NULL;\n"
    assert [item["code"] for item in shop.found(sql)] == ["M011"]


def test_a_refused_statement_is_an_error_at_its_place(shop: Project) -> None:
    (found,) = shop.found("SET @a = 1;\nALTER TABLE persons ADD COLUMN a int;\n")
    assert (found["code"], found["severity"], found["line"]) == ("E200", "error", 2)


def test_an_accepted_migration_is_no_finding(shop: Project) -> None:
    sql = "-- lock: accepted 40 rows\nALTER TABLE person MODIFY age bigint NOT NULL;\n"
    assert shop.found(sql) == []
    code, out, _ = shop.check("--timeout-set")
    assert (code, out) == (0, "0002_b.sql: 1 statement run, accepted: 40 rows\n")


def test_a_prepared_statement_is_measured_like_its_text(shop: Project) -> None:
    alter = "ALTER TABLE person MODIFY age bigint NOT NULL"
    (found,) = shop.found(f"SET @s = '{alter}';\nPREPARE st FROM @s;\nEXECUTE st;\n")
    assert (found["code"], found["line"]) == ("M001", 3)
    (found,) = shop.found(f"PREPARE st FROM '{alter}';\nEXECUTE st;\nDEALLOCATE PREPARE st;\n")
    assert (found["code"], found["line"]) == ("M001", 2)


def test_an_immediate_statement_is_measured_like_its_text(shop: Project) -> None:
    alter = "ALTER TABLE person MODIFY age bigint NOT NULL"
    (found,) = shop.found(f"EXECUTE IMMEDIATE '{alter}';\n")
    assert (found["code"], found["line"]) == ("M001", 1)
    (found,) = shop.found(f"SET @s = '{alter}';\nEXECUTE IMMEDIATE @s;\n")
    assert (found["code"], found["line"]) == ("M001", 2)
    assert shop.found("EXECUTE IMMEDIATE 'ALTER TABLE person ADD COLUMN points int';\n") == []
    (found,) = shop.found("EXECUTE IMMEDIATE NULL;\n")
    assert found["code"] == "E200"


@pytest.mark.parametrize(
    ("sql", "codes"),
    [
        ("ALTER TABLE person MODIFY age bigint NOT NULL", ["M001"]),
        ("CREATE INDEX person_email ON person (email)", ["M003"]),
        ("ALTER TABLE person ADD COLUMN points int", []),
        ("CREATE TABLE pet (id int PRIMARY KEY)", []),
    ],
)
def test_a_called_procedure_is_measured_by_its_result(
    shop: Project, sql: str, codes: list[str]
) -> None:
    called = f"CREATE PROCEDURE up() {sql};\nCALL up();\nDROP PROCEDURE up;\n"
    found = shop.found(called)
    assert [(item["code"], item["line"]) for item in found] == [(code, 2) for code in codes]
    assert all("holds LOCK=SHARED on person: writes wait" in item["notes"] for item in found)
    assert [item["code"] for item in shop.found(called, "--format", "json")] == [
        *codes,
        *("M006" for _ in codes),
    ]


def test_the_settings_of_a_migration_end_with_it(shop: Project) -> None:
    settings = "SET SESSION lock_wait_timeout = 5, foreign_key_checks = 0;\n"
    shop.write({"migrations/0003_c.sql": "ALTER TABLE person ADD COLUMN a int;\n"})
    (found,) = shop.locks(f"{settings}ALTER TABLE team ADD COLUMN a int;\n", "--format", "json")
    assert (found["code"], found["labels"][0]["file"].rpartition("/")[2]) == ("M006", "0003_c.sql")
    key = "ALTER TABLE person ADD FOREIGN KEY (team_id) REFERENCES team (id)"
    shop.write({"migrations/0003_c.sql": f"{key}, ALGORITHM=COPY;\n"})
    (found,) = shop.locks(settings)
    assert found["code"] == "M001"
    assert "SET SESSION foreign_key_checks = 0;" in found["hint"]  # the key alone needs a copy


@pytest.mark.parametrize(
    ("sql", "codes"),
    [
        ("ALTER TABLE person MODIFY team_id int NOT NULL", ["M001", "M011"]),
        ("ALTER TABLE person DROP COLUMN absent", ["E200"]),
    ],
)
def test_a_statement_that_fails_under_lock_tables_leaves_no_database(
    shop: Project, sql: str, codes: list[str]
) -> None:
    earlier = _temporary()
    found = shop.found(f"LOCK TABLES person WRITE;\n{sql};\nUNLOCK TABLES;\n")
    assert [item["code"] for item in found] == codes
    assert _temporary() == earlier


def _temporary() -> set[str]:
    """Return the temporary databases on the private server."""
    with closing(open_session(None, None).connection) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_schema FROM information_schema.tables WHERE table_name = %s", (MARK,)
        )
        return {name for (name,) in cursor.fetchall()}


def test_a_change_under_lock_tables_keeps_others_waiting(shop: Project) -> None:
    sql = "LOCK TABLES person WRITE;\nUPDATE person SET note = 'x';\nUNLOCK TABLES;\n"
    (found,) = shop.locks(sql)
    assert (found["code"], found["line"]) == ("M004", 2)
    assert "holds LOCK=EXCLUSIVE on person, since line 1: reads and writes wait" in found["notes"]
    sql = "LOCK TABLES person WRITE;\nALTER TABLE person ADD COLUMN z int;\nUNLOCK TABLES;\n"
    assert shop.locks(sql) == []
    sql = "LOCK TABLES team READ, person AS p READ, person WRITE /* write */;\n"
    (found,) = shop.locks(f"{sql}UPDATE person SET note = 'x';\nUNLOCK TABLES;\n")
    assert found["notes"][:2] == [
        "holds LOCK=EXCLUSIVE on person, since line 1: reads and writes wait",
        "holds LOCK=SHARED on team, since line 1: writes wait",
    ]


@pytest.mark.parametrize(
    ("sql", "codes"),
    [
        ("ALTER TABLE person NOWAIT ADD COLUMN a int", []),
        ("ALTER TABLE person WAIT 5 ADD COLUMN a int", []),
        ("ALTER TABLE person WAIT 3599 ADD COLUMN a int", []),
        ("ALTER TABLE person WAIT 3600 ADD COLUMN a int", ["M006"]),
        ("ALTER TABLE person WAIT 86400 ADD COLUMN a int", ["M006"]),
        ("OPTIMIZE TABLE person WAIT 86400", ["M006"]),
        ("CREATE INDEX person_email ON person (email) WAIT 5", []),
        ("OPTIMIZE TABLE person NOWAIT", []),
        ("ALTER TABLE person ADD COLUMN a int COMMENT 'wait 5'", ["M006"]),
        ("ALTER TABLE person /* nowait */ ADD COLUMN a int", ["M006"]),
        ("ALTER TABLE person ADD COLUMN nowait int", ["M006"]),
        ("ALTER TABLE person ADD COLUMN `wait` int, ADD COLUMN a int DEFAULT 5", ["M006"]),
        ("ALTER TABLE person CHANGE name nowait varchar(40), ADD COLUMN name int", ["M006"]),
        ("ALTER TABLE person ADD COLUMN IF NOT EXISTS nowait int", ["M006"]),
        ("ALTER TABLE person DROP COLUMN IF EXISTS nowait, ADD COLUMN a int", ["M006"]),
        ("ALTER TABLE person ADD UNIQUE nowait (email)", ["M006"]),
        ("ALTER TABLE person ADD CONSTRAINT nowait UNIQUE (email)", ["M006"]),
        ("CREATE INDEX nowait ON person (email)", ["M006"]),
        ("CREATE INDEX IF NOT EXISTS person_email ON person (email) NOWAIT COMMENT 'x'", []),
        ("DROP INDEX person_age ON person NOWAIT", []),
        ("ALTER TABLE IF EXISTS person NOWAIT ADD COLUMN a int", []),
        ("TRUNCATE TABLE team WAIT 5", ["M009"]),
        ("DROP TABLE IF EXISTS team, nothing NOWAIT", ["M008", "M009"]),
        ("OPTIMIZE TABLE team, person NOWAIT", []),
    ],
)
def test_a_limit_of_the_wait_is_a_clause_and_no_other_text(
    shop: Project, sql: str, codes: list[str]
) -> None:
    found = [item["code"] for item in shop.found(f"{sql};\n", "--format", "json")]
    assert [code for code in found if code != "M011"] == codes


@pytest.mark.parametrize("sql", ["ALTER TABLE nowait{} ADD a int", "OPTIMIZE TABLE nowait{}"])
def test_a_table_may_have_the_name_of_the_clause_that_limits_the_wait(
    shop: Project, sql: str
) -> None:
    created = "CREATE TABLE nowait (id int PRIMARY KEY);\n"
    shop.write({"migrations/0001_a.sql": f"{FIRST}{created}"})
    (found,) = shop.found(sql.format("") + ";\n", "--format", "json")
    assert found["code"] == "M006"
    assert shop.found(sql.format(" NOWAIT") + ";\n", "--format", "json") == []


@pytest.mark.parametrize(
    ("settings", "sql", "codes"),
    [
        ("max_statement_time=9", "ALTER TABLE team FORCE, ALGORITHM=COPY", ["M006", "M001"]),
        ("lock_wait_timeout=2", "ALTER TABLE team FORCE, ALGORITHM=COPY", ["M001"]),
        ("lock_wait_timeout=2, max_statement_time=9", "ALTER TABLE team ADD COLUMN a int", []),
        ("lock_wait_timeout=86400", "ALTER TABLE team ADD COLUMN a int", ["M006"]),
        ("max_statement_time=9", "UPDATE person SET note = 'for'", ["M005"]),
        ("lock_wait_timeout=2", "EXECUTE IMMEDIATE 'ALTER TABLE team ADD COLUMN a int'", []),
        (
            "foreign_key_checks=0, lock_wait_timeout=2",
            "ALTER TABLE person ADD FOREIGN KEY (team_id) REFERENCES team (id)",
            [],
        ),
    ],
)
def test_a_statement_with_own_settings_is_measured_with_them(
    shop: Project, settings: str, sql: str, codes: list[str]
) -> None:
    found = shop.locks(f"SET STATEMENT {settings} FOR {sql};\n", "--format", "json")
    assert sorted(item["code"] for item in found) == sorted(codes)


def test_the_settings_of_one_statement_end_with_it(shop: Project) -> None:
    limited = "SET STATEMENT lock_wait_timeout=2 FOR ALTER TABLE team ADD COLUMN a int;\n"
    sql = f"{limited}ALTER TABLE person ADD COLUMN a int;\n"
    (found,) = shop.found(sql, "--format", "json")
    assert (found["code"], found["line"]) == ("M006", 2)
    assert shop.found(f"SET lock_wait_timeout=3;\n{sql}", "--format", "json") == []


def test_a_statement_with_its_own_limit_does_not_have_that_of_the_session(shop: Project) -> None:
    sql = "SET lock_wait_timeout=2;\nALTER TABLE person WAIT 86400 ADD COLUMN a int;\n"
    (found,) = shop.found(sql, "--format", "json")
    assert (found["code"], found["line"]) == ("M006", 2)


def test_a_setting_that_one_statement_cannot_have_is_an_error(shop: Project) -> None:
    for settings in ("autocommit=0", "nothing=1"):
        (found,) = shop.found(f"SET STATEMENT {settings} FOR ALTER TABLE team FORCE;\n")
        assert (found["code"], found["severity"]) == ("E200", "error")


@pytest.mark.parametrize(
    "sql", ["OPTIMIZE TABLE person", "OPTIMIZE NO_WRITE_TO_BINLOG TABLE `team`, person"]
)
def test_optimize_table_is_measured_like_the_change_that_it_runs(shop: Project, sql: str) -> None:
    assert shop.found(f"{sql};\n") == []
    (found,) = shop.found(f"{sql};\n", "--format", "json")
    assert found["code"] == "M006"
    shop.write({"migrations/0001_a.sql": f"{FIRST}ALTER TABLE person ADD FULLTEXT words (note);\n"})
    (found,) = shop.found(f"{sql};\n")
    assert (found["code"], found["message"]) == ("M001", "rewrites person while writes wait")
    (found,) = shop.found("OPTIMIZE TABLE persons;\n")
    assert (found["code"], found["severity"]) == ("E200", "error")


_LOOP = "REPEAT UPDATE person SET note = 'x' WHERE note <> 'x' LIMIT 1000; UNTIL row_count() = 0"


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("UPDATE person SET note = ' where '", ["M005", "M009"]),
        ("DELETE FROM person WHERE age > 0", ["M005", "M009"]),
        ("BEGIN ALTER TABLE person ADD COLUMN z int; UPDATE person SET z = 3; END", ["M005"]),
        ("ALTER TABLE person ADD COLUMN z int NOT NULL DEFAULT 3", []),
        (
            "BEGIN UPDATE person SET age = 3; ALTER TABLE person ADD COLUMN z int; END",
            ["M005", "M009"],
        ),
        ("UPDATE person SET note = 'x' WHERE id = 1", []),
        (f"BEGIN {_LOOP} END REPEAT; END", ["M009"]),
        ("INSERT INTO team VALUES (100, 'new')", []),
    ],
)
def test_rows_that_a_called_procedure_changes_are_measured(
    shop: Project, body: str, codes: list[str]
) -> None:
    called = f"DELIMITER //\nCREATE PROCEDURE up() {body}//\nDELIMITER ;\nCALL up();\n"
    found = shop.found(called)
    assert [(item["code"], item["line"]) for item in found] == [(code, 4) for code in codes]


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("ALTER TABLE tag RENAME COLUMN word TO label", []),
        ("ALTER TABLE person RENAME COLUMN note TO remark", []),
        ("BEGIN ALTER TABLE tag RENAME COLUMN word TO label; DELETE FROM tag; END", ["M005"]),
    ],
)
def test_a_called_procedure_may_rename_every_column(
    shop: Project, body: str, codes: list[str]
) -> None:
    created = "CREATE TABLE tag (word varchar(40) NOT NULL);\n"
    shop.write({"migrations/0001_a.sql": f"{FIRST}{created}"})
    called = f"DELIMITER //\nCREATE PROCEDURE up() {body}//\nDELIMITER ;\nCALL up();\n"
    found = [item["code"] for item in shop.found(called)]
    assert [code for code in found if code not in {"M008", "M009"}] == codes


def test_rows_that_a_prepared_statement_with_arguments_changes_are_measured(shop: Project) -> None:
    sql = "SET @a = 'x';\nPREPARE st FROM 'UPDATE person SET note = ?';\nEXECUTE st USING @a;\n"
    (found,) = shop.locks(sql)
    assert (found["code"], found["line"]) == ("M005", 3)


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("ALTER TABLE team ADD COLUMN a int;\nALTER TABLE person ALTER age SET DEFAULT 3;\n", None),
        ("ALTER TABLE person ADD COLUMN level int NOT NULL;\n", 1),
        ("ALTER TABLE team ADD COLUMN a int;\nALTER TABLE person ALTER rank_ DROP DEFAULT;\n", 2),
        ("ALTER TABLE person ADD COLUMN level int NOT NULL DEFAULT 1;\n", None),
    ],
)
def test_an_insert_without_a_value_for_a_required_column_fails_after_the_migration(
    shop: Project, sql: str, line: int | None
) -> None:
    rank = "ALTER TABLE person ADD COLUMN rank_ int NOT NULL DEFAULT 1;\n"
    shop.write({"migrations/0001_a.sql": FIRST + rank})
    found = [item for item in shop.found(sql) if item["code"] == "M008"]
    assert [(item["line"], item["notes"]) for item in found] == (
        [(line, ["queries/all.sql:AddPerson"])] if line else []
    )


@pytest.mark.parametrize(
    ("setting", "codes"),
    [("alter_algorithm='COPY'", ["M001"]), ("alter_algorithm='DEFAULT'", [])],
)
def test_the_algorithm_that_the_session_sets_is_used(
    shop: Project, setting: str, codes: list[str]
) -> None:
    sql = "ALTER TABLE person ADD COLUMN a int;\n"
    found = shop.found(f"SET SESSION {setting};\n{sql}")
    assert [(item["code"], item["line"]) for item in found] == [(code, 2) for code in codes]
    assert shop.found(sql) == []  # the setting ends with the migration


SOURCES = {
    "CREATE TABLE copied AS SELECT * FROM person": ["person"],
    "CREATE TABLE copied (KEY (id)) SELECT id, name FROM team": ["team"],
    "CREATE TABLE copied (WITH t AS (SELECT * FROM team) SELECT * FROM t)": ["team"],
    "INSERT INTO team SELECT id + 100, email FROM person": ["person"],
    "REPLACE INTO team SELECT id + 100, email FROM person": ["person"],
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; "
    "CREATE TABLE copied AS SELECT * FROM person": [],
    "CREATE TABLE copied AS SELECT * FROM person WHERE id = 1": [],
    "CREATE TABLE copied AS SELECT 1 AS a": [],
    "CREATE TABLE copied LIKE person": [],
    "INSERT INTO team SELECT id + 100, email FROM person WHERE id BETWEEN 1 AND 2": [],
}


@pytest.mark.parametrize("sql", SOURCES)
def test_writes_to_a_table_whose_rows_are_copied_wait(shop: Project, sql: str) -> None:
    found = [item for item in shop.found(f"{sql};\n") if item["code"] != "M011"]
    assert [(item["code"], item["message"]) for item in found] == [
        ("M002", f"scans all rows of {table} while writes wait") for table in SOURCES[sql]
    ]
    for item in found:
        assert item["notes"][0] == f"locks the rows of {SOURCES[sql][0]}: writes wait"


ON_ROWS = {
    "ALTER TABLE person ADD UNIQUE (email)": "M011",
    "ALTER TABLE person ADD UNIQUE (name)": "M011",
    "ALTER IGNORE TABLE person ADD UNIQUE (email)": "M009",
    "ALTER TABLE person MODIFY age smallint NOT NULL": "M011",
    "ALTER TABLE person MODIFY name varchar(30)": "M011",
    "ALTER TABLE person ADD CHECK (age >= 0)": "M011",
    "ALTER TABLE person ADD FOREIGN KEY (team_id) REFERENCES team (id)": "M011",
    "UPDATE person SET note = NULL": "M009",
    "SET sql_mode = ''; ALTER TABLE person MODIFY email varchar(3) NOT NULL": "M009",
    "UPDATE person SET age = age + 1": "",
    "ALTER TABLE person MODIFY age bigint NOT NULL": "",
    "ALTER TABLE person MODIFY name varchar(60)": "",
    "ALTER TABLE person CONVERT TO CHARACTER SET latin1": "",
}


@pytest.mark.parametrize("sql", ON_ROWS)
def test_a_migration_is_tried_on_extreme_values(shop: Project, sql: str) -> None:
    found = {item["code"] for item in shop.found(f"{sql};\n")}
    assert found & {"M009", "M011"} == {ON_ROWS[sql]} - {""}


BACK = [
    ("MODIFY name varchar(100)", "MODIFY name varchar(40)", "too long"),
    ("MODIFY age bigint NOT NULL", "MODIFY age int NOT NULL", "Out of range"),
    ("DROP PRIMARY KEY", "ADD PRIMARY KEY (id)", "Duplicate entry"),
    ("ADD COLUMN a int", "DROP COLUMN a", ""),
]


@pytest.mark.parametrize(("sql", "rollback", "message"), BACK)
def test_a_rollback_is_tried_on_extreme_values(
    shop: Project, sql: str, rollback: str, message: str
) -> None:
    found = shop.found(f"ALTER TABLE person {sql};\n", rollback=f"ALTER TABLE person {rollback};\n")
    found = [item for item in found if item["code"] == "M010"]
    assert len(found) == bool(message)
    assert all(message in item["message"] for item in found)
