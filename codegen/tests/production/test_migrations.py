"""`aiosqlc migrations check` reports what migrations lock, who waits, and what is better."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.cli.main import main

from tests.projects import write_project

CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: migrations
    queries: queries
    gen:
      python: {out: OUT}
"""
FIRST = """\
CREATE TABLE team (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE person (
    id int PRIMARY KEY, team_id int, email text NOT NULL, name text, age int NOT NULL
);
"""
QUERIES = """\
-- name: GetPerson :one
SELECT * FROM person WHERE id = @id;
-- name: AddPerson :exec
INSERT INTO person (id, team_id, email, age) VALUES (@id, @team_id, @email, @age);
-- name: ListTeams :many
SELECT id, name FROM team ORDER BY id;
"""


class Checked:
    """The exit code and the output of the command."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def codes(self) -> list[str]:
        return [item["code"] for item in json.loads(self.out)]

    def finding(self, code: str) -> Any:
        (found,) = [item for item in json.loads(self.out) if item["code"] == code]
        return found


class Project:
    """A project whose first migration is applied."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys
        self.write(
            {"sqlc.yaml": CONFIG, "queries/all.sql": QUERIES, "migrations/0001_a.sql": FIRST}
        )

    def write(self, files: Mapping[str, str]) -> None:
        write_project(self.root, files)

    def check(self, *options: str) -> Checked:
        options = options or ("--after", "0001_a", "--timeout-set", "--format", "json")
        code = main(["migrations", "check", "-f", str(self.root), *options])
        out, err = self._capsys.readouterr()
        return Checked(code, out, err)

    def checked(self, sql: str, *options: str, rollback: str = "") -> Checked:
        """Check one migration."""
        self.write({"migrations/0002_b.sql": sql})
        if rollback:
            self.write({"migrations/0002_b.rollback.sql": rollback})
        return self.check(*options)


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    return Project(tmp_path, capsys)


def test_a_finding_names_the_place_the_lock_and_the_queries_that_wait(shop: Project) -> None:
    done = shop.checked("\nCREATE INDEX person_email ON person (email);\n")
    found = done.finding("M003")
    assert done.code == 1
    assert found["message"] == "builds an index on person while writes wait"
    assert found["labels"][0]["line"] == 2
    assert found["labels"][0]["file"].endswith("migrations/0002_b.sql")
    assert found["notes"][:2] == [
        "holds SHARE on person: writes wait",
        "1 query would wait: queries/all.sql:AddPerson",
    ]


def test_a_lock_on_a_referenced_table_stops_those_who_write_the_referring_one(
    shop: Project,
) -> None:
    shop.write(
        {
            "migrations/0001_a.sql": FIRST
            + "ALTER TABLE person ADD FOREIGN KEY (team_id) REFERENCES team;"
        }
    )
    done = shop.checked("LOCK TABLE team IN EXCLUSIVE MODE;\nCREATE INDEX x ON team (name);\n")
    notes = done.finding("M003")["notes"]
    assert "1 query would wait: queries/all.sql:AddPerson" in notes


def test_a_migration_that_locks_for_moments_has_no_finding(shop: Project) -> None:
    done = shop.checked("ALTER TABLE person ADD COLUMN level int NOT NULL DEFAULT 1;\n")
    assert (done.code, json.loads(done.out)) == (0, [])


def test_a_moment_without_lock_timeout_is_a_finding_once(shop: Project) -> None:
    sql = "ALTER TABLE person ADD COLUMN a int;\nALTER TABLE team ADD COLUMN a int;\n"
    options = ("--after", "0001_a", "--format", "json")
    assert shop.checked(sql, *options).codes == ["M006"]
    assert shop.checked(f"SET LOCAL lock_timeout = '2s';\n{sql}", *options).codes == []


@pytest.mark.parametrize(
    "sql",
    ["ALTER TABLE person ADD COLUMN a int;\n", "-- transactional: false\nVACUUM FULL person;\n"],
)
def test_a_limit_of_an_hour_or_more_is_no_limit(shop: Project, sql: str) -> None:
    options = ("--after", "0001_a", "--format", "json")
    for limit, short in (("3599s", True), ("100ms", True), ("1h", False), ("1d", False)):
        done = shop.checked(f"SET lock_timeout = '{limit}';\n{sql}", *options)
        assert ("M006" in done.codes) is not short, limit


def test_a_table_that_the_release_makes_is_in_nobodys_way(shop: Project) -> None:
    shop.write(
        {
            "migrations/0002_b.sql": "CREATE TABLE pet (id int PRIMARY KEY, name text);\n",
            "migrations/0003_c.sql": "CREATE INDEX pet_name ON pet (name);\n",
        }
    )
    assert shop.check().codes == []
    each = shop.check("--each", "--timeout-set", "--format", "json")
    assert each.codes == ["M003"]


def test_a_separate_release_runs_on_rows_of_the_earlier_migrations(shop: Project) -> None:
    shop.write(
        {
            "migrations/0002_b.sql": "ALTER TABLE person ALTER COLUMN name SET NOT NULL;\n",
            "migrations/0003_c.sql": "CREATE TABLE pet (id int PRIMARY KEY);\n",
            "migrations/0004_d.sql": "TRUNCATE pet;\n",
        }
    )
    each = shop.check("--each", "--timeout-set", "--format", "json")
    assert each.codes == ["M002", "M008", "M011", "M009"]


def test_rows_changed_under_an_earlier_lock_are_a_finding(shop: Project) -> None:
    change = "UPDATE person SET age = age + 1 WHERE email = 'nobody';\n"
    assert shop.checked(change).codes == []
    done = shop.checked(f"ALTER TABLE team ADD COLUMN a int;\n{change}")
    assert done.codes == ["M004"]
    assert (
        "holds ACCESS EXCLUSIVE on team, since line 1: reads and writes wait"
        in (done.finding("M004")["notes"])
    )


def test_a_transaction_of_the_file_itself_ends_its_locks(shop: Project) -> None:
    sql = "BEGIN;\nALTER TABLE team ADD COLUMN a int;\nCOMMIT;\n"
    assert shop.checked(f"{sql}UPDATE person SET age = 1 WHERE name = '';\n").codes == []


@pytest.mark.parametrize(
    ("sql", "codes"),
    [
        ("CREATE INDEX CONCURRENTLY x ON person (age);\n", ["M007"]),
        ("-- transactional: false\nCREATE INDEX CONCURRENTLY x ON person (age);\n", []),
    ],
)
def test_a_statement_that_needs_no_transaction_is_a_finding_inside_one(
    shop: Project, sql: str, codes: list[str]
) -> None:
    assert shop.checked(sql).codes == codes


def test_golang_migrate_runs_a_single_statement_by_itself(shop: Project) -> None:
    shop.write({"migrations/0002_b.up.sql": "CREATE INDEX CONCURRENTLY x ON person (age);\n"})
    assert shop.check().codes == []


def test_queries_that_fail_after_the_migration_are_named(shop: Project) -> None:
    done = shop.checked("ALTER TABLE person RENAME COLUMN age TO years;\n")
    assert done.codes == ["M008"]
    assert done.finding("M008")["notes"] == ["queries/all.sql:AddPerson"]


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("ALTER TABLE team ADD COLUMN a int;\nALTER TABLE person ALTER rank DROP DEFAULT;\n", 2),
        ("ALTER TABLE person ADD COLUMN level int NOT NULL;\n", 1),
        ("ALTER TABLE person ADD COLUMN level int NOT NULL DEFAULT 1;\n", None),
        ("ALTER TABLE person ALTER rank DROP DEFAULT, ALTER rank DROP NOT NULL;\n", None),
    ],
)
def test_an_insert_without_a_value_for_a_required_column_fails_after_the_migration(
    shop: Project, sql: str, line: int | None
) -> None:
    rank = "ALTER TABLE person ADD COLUMN rank int NOT NULL DEFAULT 1;\n"
    shop.write({"migrations/0001_a.sql": FIRST + rank})
    found = [item for item in json.loads(shop.checked(sql).out) if item["code"] == "M008"]
    assert [(item["labels"][0]["line"], item["notes"]) for item in found] == (
        [(line, ["queries/all.sql:AddPerson"])] if line else []
    )


def test_a_failing_query_and_lost_data_are_reported_at_the_statement_that_is_the_cause(
    shop: Project,
) -> None:
    done = shop.checked(
        "ALTER TABLE team ADD COLUMN a int;\n"
        "ALTER TABLE person RENAME COLUMN age TO years;\n"
        "-- nobody reads it\n"
        "ALTER TABLE person DROP COLUMN email;\n"
        "ALTER TABLE team RENAME COLUMN name TO title;\n"
        "ALTER TABLE person ADD COLUMN b int;\n"
    )
    found = [
        (item["code"], item["labels"][0]["line"], item["notes"]) for item in json.loads(done.out)
    ]
    assert found == [
        ("M008", 2, ["queries/all.sql:AddPerson"]),
        ("M008", 5, ["queries/all.sql:ListTeams"]),
        ("M009", 4, []),
    ]


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        (
            (
                "DROP VIEW elder;\nALTER TABLE person RENAME name TO called;\n"
                "CREATE VIEW elder AS SELECT id, called FROM person WHERE age > 60;\n"
            ),
            [3],
        ),
        (
            (
                "ALTER TABLE team ADD COLUMN a int;\nDROP VIEW elder;\n"
                "CREATE VIEW elder AS SELECT id, name FROM person;\nDROP VIEW elder;\n"
            ),
            [4],
        ),
        (
            "DROP VIEW elder;\nCREATE VIEW elder AS SELECT id, name FROM person;\n",
            [],
        ),
    ],
)
def test_a_query_that_fails_twice_is_reported_where_it_fails_for_good(
    shop: Project, sql: str, lines: list[int]
) -> None:
    view = "CREATE VIEW elder AS SELECT id, name FROM person WHERE age > 60;\n"
    query = "-- name: ListElders :many\nSELECT id, name FROM elder ORDER BY id;\n"
    shop.write({"migrations/0001_a.sql": FIRST + view, "queries/all.sql": QUERIES + query})
    found = [
        (item["code"], item["labels"][0]["line"]) for item in json.loads(shop.checked(sql).out)
    ]
    assert found == [("M008", line) for line in lines]


def test_a_migration_that_fails_on_rows_says_so(shop: Project) -> None:
    done = shop.checked("ALTER TABLE person ALTER COLUMN name SET NOT NULL;\n")
    assert done.codes == ["M002", "M008", "M011"]
    assert "contains null values" in done.finding("M011")["message"]


ON_ROWS = {
    "ALTER TABLE person ADD FOREIGN KEY (team_id) REFERENCES team": "violates foreign key",
    "ALTER TABLE person ADD CHECK (score >= 0)": "is violated by some row",
    "ALTER TABLE person ADD CHECK (score > 1000)": "is violated by some row",
    "ALTER TABLE person ALTER score TYPE smallint": "smallint out of range",
    "ALTER TABLE person ALTER name TYPE varchar(200)": "too long",
    "ALTER TABLE person ALTER code TYPE varchar(5)": "too long",
    "ALTER TABLE person ALTER price TYPE numeric(5,2)": "numeric field overflow",
    "CREATE UNIQUE INDEX ON person (email)": "could not create unique index",
    "CREATE UNIQUE INDEX ON person (born)": "could not create unique index",
    "ALTER TABLE person ALTER price SET NOT NULL": "contains null values",
    "ALTER TABLE person ALTER team_id TYPE bigint": "",
    "ALTER TABLE person ALTER code TYPE text": "",
    "UPDATE person SET score = score + 1": "",
}
WIDE = """\
ALTER TABLE person ADD score int, ADD code varchar(50), ADD price numeric(6,2), ADD born timestamp;
"""


@pytest.mark.parametrize("sql", ON_ROWS)
def test_a_migration_is_tried_on_extreme_values(shop: Project, sql: str) -> None:
    shop.write({"migrations/0001_a.sql": FIRST + WIDE})
    found = [item for item in json.loads(shop.checked(f"{sql};\n").out) if item["code"] == "M011"]
    assert len(found) == bool(ON_ROWS[sql])
    assert all(ON_ROWS[sql] in item["message"] for item in found)


LOST = {
    "ALTER TABLE person ALTER code TYPE int USING NULL": "person.code",
    "ALTER TABLE person ALTER code TYPE varchar(5) USING left(code, 5)": "person.code",
    "ALTER TABLE person ALTER born TYPE date": "person.born",
    "ALTER TABLE person ALTER price TYPE numeric(6,0)": "person.price",
    "UPDATE person SET name = NULL": "person.name",
    "UPDATE person SET score = 0": "person.score",
    "UPDATE person SET score = score + 1": "",
    "UPDATE person SET code = 'none' WHERE code IS NULL": "",
    "ALTER TABLE person ALTER born TYPE timestamptz USING born AT TIME ZONE 'UTC'": "",
    "ALTER TABLE person ALTER score TYPE text": "",
    "ALTER TABLE person ALTER code TYPE varchar(60)": "",
}


@pytest.mark.parametrize("sql", LOST)
def test_values_that_the_migration_overwrites_are_removed_data(shop: Project, sql: str) -> None:
    shop.write({"migrations/0001_a.sql": FIRST + WIDE})
    done = shop.checked(f"ALTER TABLE team ADD COLUMN a int;\n{sql};\n")
    found = [item for item in json.loads(done.out) if item["code"] == "M009"]
    assert [(item["message"], item["labels"][0]["line"]) for item in found] == (
        [(f"this migration removes values of {LOST[sql]}", 2)] if LOST[sql] else []
    )


# --- the way back ---------------------------------------------------------------------------------


def test_a_rollback_that_loses_values_is_a_finding(shop: Project) -> None:
    done = shop.checked(
        "ALTER TABLE person DROP COLUMN email;\n",
        rollback="ALTER TABLE person ADD COLUMN email text NOT NULL DEFAULT '';\n",
    )
    assert done.codes == ["M008", "M009", "M010"]
    assert done.finding("M009")["message"] == "this migration removes the column person.email"
    assert done.finding("M010")["message"] == (
        "the rollback does not restore the values of person.email"
    )


def test_a_rollback_that_brings_everything_back_is_none(shop: Project) -> None:
    done = shop.checked(
        "ALTER TABLE person ADD COLUMN level int;\n",
        rollback="ALTER TABLE person DROP COLUMN level;\n",
    )
    assert done.codes == []


def test_a_rollback_must_work_on_rows_that_are_written_after_the_migration(shop: Project) -> None:
    done = shop.checked(
        "ALTER TABLE team ALTER COLUMN name DROP NOT NULL;\n",
        rollback="ALTER TABLE team ALTER COLUMN name SET NOT NULL;\n",
    )
    assert done.codes == ["M010"]
    message = done.finding("M010")["message"]
    assert message.startswith("the rollback fails on rows that are written after the migration: ")
    assert "contains null values" in message


def test_a_rollback_that_changes_rows_written_after_the_migration_is_a_finding(
    shop: Project,
) -> None:
    shop.write({"migrations/0001_a.sql": FIRST + "ALTER TABLE team ADD CHECK (name < 'm');\n"})
    done = shop.checked(
        "ALTER TABLE team DROP CONSTRAINT team_name_check;\n",
        rollback=(
            "UPDATE team SET name = 'a' WHERE name >= 'm';\n"
            "ALTER TABLE team ADD CHECK (name < 'm');\n"
        ),
    )
    assert done.codes == ["M010"]
    assert done.finding("M010")["message"] == (
        "the rollback changes data that is written after the migration: the values of team.name"
    )


BACK = [
    ("ALTER code TYPE varchar(100)", "ALTER code TYPE varchar(50)", "too long"),
    (
        "ALTER code TYPE varchar(100)",
        "ALTER code TYPE varchar(50) USING left(code, 50)",
        "the values of person.code",
    ),
    ("ALTER score TYPE bigint", "ALTER score TYPE int", "integer out of range"),
    ("DROP CONSTRAINT person_pkey", "ADD PRIMARY KEY (id)", "could not create unique index"),
    ("ALTER code TYPE text", "ALTER code TYPE varchar(50)", "too long"),
    (
        "ALTER born TYPE timestamptz USING born AT TIME ZONE 'UTC'",
        "ALTER born TYPE timestamp USING born AT TIME ZONE 'UTC'",
        "",
    ),
]


@pytest.mark.parametrize(("sql", "rollback", "message"), BACK)
def test_a_rollback_is_tried_on_extreme_values(
    shop: Project, sql: str, rollback: str, message: str
) -> None:
    shop.write({"migrations/0001_a.sql": FIRST + WIDE})
    done = shop.checked(
        f"ALTER TABLE person {sql};\n", rollback=f"ALTER TABLE person {rollback};\n"
    )
    found = [item for item in json.loads(done.out) if item["code"] == "M010"]
    assert len(found) == bool(message)
    assert all(message in item["message"] for item in found)


def test_a_rename_and_a_new_column_go_back_without_loss(shop: Project) -> None:
    done = shop.checked(
        "ALTER TABLE person RENAME COLUMN team_id TO team;\n"
        "ALTER TABLE person ADD COLUMN level int NOT NULL DEFAULT 1;\n",
        rollback="ALTER TABLE person DROP COLUMN level;\n"
        "ALTER TABLE person RENAME COLUMN team TO team_id;\n",
    )
    assert "M010" not in done.codes


def test_a_rollback_that_fails_is_named_with_its_place(shop: Project) -> None:
    done = shop.checked(
        "ALTER TABLE person ADD COLUMN level int;\n",
        rollback="\nALTER TABLE person DROP COLUMN levle;\n",
    )
    label = done.finding("M010")["labels"][0]
    assert label["file"].endswith("0002_b.rollback.sql")
    assert label["line"] == 2


def test_a_down_section_is_a_rollback_too(shop: Project) -> None:
    done = shop.checked(
        "-- migrate:up\nDROP TABLE team;\n\n-- migrate:down\n"
        "CREATE TABLE team (id int PRIMARY KEY, name text NOT NULL);\n"
    )
    assert done.codes == ["M008", "M009", "M010"]
    assert "rows of team" in done.finding("M010")["message"]


# --- sizes ----------------------------------------------------------------------------------------


def test_statistics_of_production_report_how_long_a_statement_works(
    shop: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    production = """\
    production:
      statistics: production.statistics
      tables: {person: 90000000, team: 40}
"""
    shop.write({"sqlc.yaml": CONFIG + production})
    assert main(["stats", "synth", "-f", str(shop.root)]) == 0
    capsys.readouterr()
    sql = "CREATE INDEX person_age ON person (age);\nCREATE INDEX team_name ON team (name);\n"
    items = json.loads(shop.checked(sql).out)
    sizes = [[n for n in item["notes"] if n.startswith("in production")] for item in items]
    assert [len(notes) for notes in sizes] == [1, 1]
    assert sizes[0][0].startswith("in production, person has about 90,000,000 rows in ")
    assert " GB: reading them at 100 MB/s takes about " in sizes[0][0]
    assert sizes[1][0].endswith(" takes less than a second")
    shop.write({"production.statistics": "-- half"})
    done = shop.check()
    assert (done.code, done.err.count("\n")) == (2, 1)


# --- what is better -------------------------------------------------------------------------------

HEAVY = {
    "index": "CREATE INDEX person_age ON person (age)",
    "foreign key": "ALTER TABLE person ADD FOREIGN KEY (team_id) REFERENCES team",
    "check": "ALTER TABLE person ADD CONSTRAINT grown CHECK (age >= 0)",
    "unnamed check": "ALTER TABLE person ADD CHECK (age >= 0)",
    "not null": "ALTER TABLE person ALTER COLUMN name SET NOT NULL",
    "unique": "ALTER TABLE person ADD UNIQUE (id, email)",
    "primary key": "ALTER TABLE log ADD PRIMARY KEY (id)",
    "default": "ALTER TABLE person ADD COLUMN at timestamptz NOT NULL DEFAULT clock_timestamp()",
    "unique column": "ALTER TABLE person ADD COLUMN slug text UNIQUE",
    "referring column": "ALTER TABLE person ADD COLUMN lead int DEFAULT 1 REFERENCES team",
    "checked column": "ALTER TABLE person ADD COLUMN mark int CHECK (length(mark::text) = (1 + 1))",
    "column checked for NULL": (
        "ALTER TABLE person ADD COLUMN at timestamptz DEFAULT clock_timestamp()"
        " CHECK (at IS NOT NULL)"
    ),
    "column checked for a time": (
        "ALTER TABLE person ADD COLUMN at timestamptz DEFAULT clock_timestamp()"
        " CHECK (at > '2020-01-01')"
    ),
    "reindex": "REINDEX TABLE person",
    "refresh": "REFRESH MATERIALIZED VIEW ages",
    "several": "ALTER TABLE person ADD COLUMN x int, ADD CHECK (age > 0), ALTER name SET NOT NULL",
}
MORE = """\
CREATE TABLE log (id int, line text);
CREATE MATERIALIZED VIEW ages AS SELECT age, count(*) AS n FROM person GROUP BY 1;
CREATE UNIQUE INDEX ages_age ON ages (age);
"""


@pytest.mark.parametrize("name", HEAVY)
def test_a_proposal_was_run_and_is_lighter(shop: Project, name: str) -> None:
    shop.write({"migrations/0001_a.sql": FIRST + MORE})
    done = shop.checked(f"{HEAVY[name]};\n")
    (found,) = [item for item in json.loads(done.out) if item["code"] < "M006"]
    assert found["hint"].startswith("write instead (`--fix` does):\n-- migration 1")
    assert any(note.startswith("tested: same resulting schema") for note in found["notes"])


FORMATS = {
    "yoyo": ("0002_b.sql", "-- depends: 0001_a\n{sql}", ["0002_b.sql", "0003_b_2.sql"]),
    "dbmate": (
        "0002_b.sql",
        "-- migrate:up\n{sql}\n-- migrate:down\nSELECT 1;\n",
        ["0002_b.sql", "0003_b_2.sql"],
    ),
    "goose": (
        "0002_b.sql",
        "-- +goose Up\n{sql}\n-- +goose Down\nSELECT 1;\n",
        ["0002_b.sql", "0003_b_2.sql"],
    ),
    "golang-migrate": ("0002_b.up.sql", "{sql}", ["0002_b.up.sql", "0003_b_2.up.sql"]),
    "plain": ("0002_b.sql", "{sql}", ["0002_b.sql", "0003_b_2.sql"]),
}


@pytest.mark.parametrize("tool", FORMATS)
def test_fix_writes_migrations_that_have_no_finding(shop: Project, tool: str) -> None:
    name, text, names = FORMATS[tool]
    sql = "SET LOCAL lock_timeout = '2s';\nALTER TABLE person ADD COLUMN a int;\n"
    sql += "CREATE INDEX person_a ON person (a);\n"
    shop.write({f"migrations/{name}": text.format(sql=sql)})
    assert shop.check("--after", "0001_a", "--fix").code == 1
    assert sorted(path.name for path in (shop.root / "migrations").iterdir())[1:] == names
    again = shop.check("--after", "0001_a", "--format", "json")
    assert (again.code, again.codes) == (0, [])
    assert "CONCURRENTLY" in (shop.root / "migrations" / names[1]).read_text()
    if "migrate:down" in text or "Down" in text:
        assert (shop.root / "migrations" / name).read_text().endswith("SELECT 1;\n")


def test_fix_writes_nothing_where_a_number_is_taken(shop: Project) -> None:
    shop.write({"migrations/0003_c.sql": "SELECT 1;\n"})
    sql = "ALTER TABLE person ADD COLUMN a int;\nCREATE INDEX person_a ON person (a);\n"
    done = shop.checked(sql, "--after", "0001_a", "--fix")
    assert done.code == 2
    assert "0003 already exists; renumber the later migrations first" in done.err
    assert (shop.root / "migrations/0002_b.sql").read_text() == sql


def test_a_rewrite_without_a_lighter_way_says_how_to_expand_and_contract(shop: Project) -> None:
    found = shop.checked("ALTER TABLE person ALTER COLUMN id TYPE bigint;\n").finding("M001")
    assert found["hint"].startswith("change the column in several releases: ")


# --- accepted -------------------------------------------------------------------------------------


def test_a_migration_may_be_accepted_with_a_reason(shop: Project) -> None:
    sql = "CREATE INDEX person_age ON person (age);\n"
    done = shop.checked(f"-- lock: accepted forty rows\n{sql}", "--after", "0001_a")
    assert done.code == 0
    assert done.out == "0002_b.sql: 1 statement run, accepted: forty rows\n"
    assert shop.checked(f"-- lock: accepted\n{sql}").codes == ["M003", "M012"]


# --- bad input ------------------------------------------------------------------------------------


def test_a_syntax_error_is_named_with_its_place(shop: Project) -> None:
    done = shop.checked("ALTER TABLE person ADD COLUMN a int;\nALTER TABEL person;\n")
    assert done.code == 1
    label = done.finding("E200")["labels"][0]
    assert (label["line"], label["column"]) == (2, 7)


def test_an_accepted_migration_must_still_run(shop: Project) -> None:
    done = shop.checked("-- lock: accepted small\nDROP TABLE nowhere;\n")
    assert (done.code, done.codes) == (1, ["E202"])


def test_errors_before_the_pending_migrations_end_the_check(shop: Project) -> None:
    shop.write({"migrations/0001_a.sql": "CREATE TABEL person ();\n"})
    done = shop.checked("SELECT 1;\n")
    assert done.code == 2
    assert "0001_a.sql:1:8" in done.err
    assert "the schema before these migrations has errors: fix them first" in done.err


def test_half_a_file_is_named(shop: Project) -> None:
    done = shop.checked("CREATE INDEX person_age ON person (ag")
    assert done.code == 1
    assert done.codes == ["E200"]


def test_an_unknown_migration_gets_a_suggestion(shop: Project) -> None:
    done = shop.check("--after", "0001_b")
    assert (done.code, done.err) == (
        2,
        "unknown migration 0001_b; did you mean `0001_a`?\n",
    )


def test_entries_of_both_engines_are_checked(shop: Project) -> None:
    shop.write({"sqlc.yaml": CONFIG + CONFIG.partition("sql:\n")[2].replace("postgresql", "mysql")})
    done = shop.checked("CREATE INDEX person_age ON person (age);\n")
    assert (done.code, done.codes) == (1, ["M003"])


def test_no_server_is_said_in_one_sentence(shop: Project) -> None:
    shop.write({"sqlc.yaml": CONFIG + '    database: {uri: "postgresql://127.0.0.1:1/none"}\n'})
    done = shop.checked("SELECT 1;\n")
    assert done.code == 2
    assert done.err.startswith("no server to run migrations on: ")
    assert done.err.count("\n") <= 3


# --- since a git reference ------------------------------------------------------------------------


def _git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def test_base_checks_what_the_reference_lacks_against_its_queries(shop: Project) -> None:
    _git(shop.root, "init", "-q")
    _git(shop.root, "add", ".")
    _git(shop.root, "commit", "-qm", "first")
    options = ("--base", "HEAD", "--timeout-set", "--format", "json")
    assert shop.check(*options).codes == []
    shop.write({"queries/all.sql": QUERIES.replace("AddPerson", "NewPerson")})
    done = shop.checked("CREATE INDEX person_email ON person (email);\n", *options)
    assert "1 query would wait: queries/all.sql:AddPerson" in done.finding("M003")["notes"]
    unknown = shop.check("--base", "nowhere")
    assert unknown.code == 2
    assert unknown.err == (
        "cannot read nowhere: git knows no commit nowhere: name a branch, a tag or a commit\n"
    )


def test_base_without_a_repository_is_one_sentence(shop: Project) -> None:
    done = shop.check("--base", "main")
    assert done.code == 2
    assert done.err == "cannot read main: the configuration is not in a git repository\n"


@pytest.mark.parametrize("options", [("--each",), ("--base", "HEAD"), ("--after", "0001_a")])
def test_an_error_in_a_query_fails_the_command(shop: Project, options: tuple[str, ...]) -> None:
    _git(shop.root, "init", "-q")
    _git(shop.root, "add", ".")
    _git(shop.root, "commit", "-qm", "first")
    shop.write({"queries/more.sql": "-- name: 1st :one\nSELECT 1;\n"})
    done = shop.check(*options, "--timeout-set")
    assert done.code == 1
    assert "error[E1" in done.err
    assert shop.check(*options, "--timeout-set", "--format", "json").codes[0].startswith("E1")


@pytest.mark.parametrize("how", ["github", "sarif"])
def test_annotations_have_paths_from_the_top_of_the_repository(
    shop: Project, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _git(shop.root, "init", "-q")
    monkeypatch.chdir(shop.root / "queries")
    sql = "CREATE INDEX person_email ON person (email);\n"
    done = shop.checked(sql, "--after", "0001_a", "--timeout-set", "--format", how)
    assert "migrations/0002_b.sql" in done.out
    assert "../" not in done.out


def test_sarif_and_annotations_carry_the_same_findings(shop: Project) -> None:
    sql = "CREATE INDEX person_email ON person (email);\n"
    options = ("--after", "0001_a", "--timeout-set", "--format")
    (result,) = json.loads(shop.checked(sql, *options, "sarif").out)["runs"][0]["results"]
    assert result["ruleId"] == "M003"
    line = shop.checked(sql, *options, "github").out
    assert line.startswith("::warning file=")
    assert "0002_b.sql,line=1,col=1,title=M003::" in line
