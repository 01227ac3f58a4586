# ruff: noqa: E501 - tables, one case a line
"""Schema folders of every tool are read as the tool applies them."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.schema import read_schema, schema_file
from aiosqlc.schema.forward import forward_sql
from aiosqlc.schema.order import forward_files
from aiosqlc.source import Dialect, SourceFile, Span

CONFIG = SourceFile(Path("sqlc.yaml"), "schema: here\n")
FOLDERS = {
    "yoyo": (
        {
            "0001_a.sql": "CREATE TABLE a ();",
            "0001_a.rollback.sql": "DROP TABLE a;",
            "0002_c.sql": "-- depends: 0003_b\nCREATE TABLE c ();",
            "0003_b.sql": "-- depends: 0001_a\nCREATE TABLE b ();",
        },
        ["CREATE TABLE a ()", "CREATE TABLE b ()", "CREATE TABLE c ()"],
    ),
    "goose": (
        {"1_a.sql": "-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\nDROP TABLE a;\n"},
        ["CREATE TABLE a ()"],
    ),
    "dbmate": (
        {"1_a.sql": "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\n"},
        ["CREATE TABLE a ()"],
    ),
    "cigogne": (
        {"1_a.sql": "--- migration:up\nCREATE TABLE a ();\n--- migration:down\nDROP TABLE a;\n"},
        ["CREATE TABLE a ()"],
    ),
    "golang-migrate": (
        {
            "10_b.up.sql": "CREATE TABLE b ();",
            "10_b.down.sql": "DROP TABLE b;",
            "9_a.up.sql": "CREATE TABLE a ();",
        },
        ["CREATE TABLE a ()", "CREATE TABLE b ()"],
    ),
    "flyway": (
        {
            "R__view.sql": "CREATE VIEW v AS SELECT;",
            "V1__a.sql": "CREATE TABLE a ();",
            "V1.1__b.sql": "CREATE TABLE b ();",
            "V10__d.sql": "CREATE TABLE d ();",
            "V2__c.sql": "CREATE TABLE c ();",
            "U2__c.sql": "DROP TABLE c;",
        },
        [*(f"CREATE TABLE {name} ()" for name in "abcd"), "CREATE VIEW v AS SELECT"],
    ),
    "psql": (
        {"dump.sql": "\\set x 1\nCREATE TABLE a ();\nCOPY a FROM stdin;\n1;2\n\\.\nSELECT 1;\n"},
        ["CREATE TABLE a ()", "SELECT 1"],
    ),
    "tern": (
        {"001_a.sql": "CREATE TABLE a ();\n---- create above / drop below ----\nDROP TABLE a;\n"},
        ["CREATE TABLE a ()"],
    ),
    "goose, a routine": (
        {
            "1_a.sql": """-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END $$ LANGUAGE plpgsql;
-- +goose StatementEnd
-- +goose Down
-- +goose StatementBegin
DROP FUNCTION f;
-- +goose StatementEnd
"""
        },
        ["CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END $$ LANGUAGE plpgsql"],
    ),
    "Prisma": (
        {
            "20240101_a/migration.sql": "CREATE TABLE a ();",
            "20240201_b/migration.sql": "CREATE TABLE b ();",
            "migration_lock.toml": "provider",
        },
        ["CREATE TABLE a ()", "CREATE TABLE b ()"],
    ),
    "Diesel": (
        {"1_a/up.sql": "CREATE TABLE a ();", "1_a/down.sql": "DROP TABLE a;"},
        ["CREATE TABLE a ()"],
    ),
    "up and down beside each other": (
        {
            "1_a_up.sql": "CREATE TABLE a ();",
            "1_a_down.sql": "DROP TABLE a;",
            "2_shut_down.sql": "CREATE TABLE b ();",
        },
        ["CREATE TABLE a ()", "CREATE TABLE b ()"],
    ),
    "Atlas, with a checkpoint": (
        {
            "1.sql": "CREATE TABLE a ();",
            "2.sql": "-- atlas:checkpoint\n\nCREATE TABLE all_of_a ();",
            "3.sql": "CREATE TABLE b ();",
            "atlas.sum": "h1:",
        },
        ["CREATE TABLE all_of_a ()", "CREATE TABLE b ()"],
    ),
    "pg_dump's own commands": (
        {"s.sql": "\\restrict x\nSET a = 1;\n\\connect b\nCREATE TABLE a ();\n\\unrestrict x\n"},
        ["SET a = 1", "CREATE TABLE a ()"],
    ),
    "schema and queries in one file": (
        {
            "a.sql": """CREATE TABLE a ();
-- name: GetA :one
SELECT 1;
-- name: Temp :exec
CREATE TEMP TABLE b ();
-- name: Gone :exec
DROP TABLE a;
CREATE TABLE c ();
INSERT INTO c DEFAULT VALUES;
"""
        },
        ["CREATE TABLE a ()", "CREATE TEMP TABLE b ()", "CREATE TABLE c ()"],
    ),
    "plain": (
        {"b.sql": "SELECT 2;", "a.sql": "SELECT 1;", ".hidden.sql": "SELECT 3;", "c.txt": "x"},
        ["SELECT 1", "SELECT 2"],
    ),
}


@pytest.mark.parametrize("tool", FOLDERS)
def test_only_what_goes_forward_is_read_and_in_order(tool: str, tmp_path: Path) -> None:
    files, expected = FOLDERS[tool]
    (tmp_path / "schema").mkdir()
    for name, text in files.items():
        (tmp_path / "schema" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "schema" / name).write_text(text)
    found, problems = read_schema(tmp_path, ["schema"], Dialect.POSTGRESQL, CONFIG, Span(0, 1))
    assert problems == []
    statements = [file.sql[span.start : span.end] for file in found for span in file.statements]
    assert statements == expected
    for file in found:
        assert len(file.sql) == len(file.file.text)


def test_a_migration_may_ask_to_run_outside_a_transaction(tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_text("-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n")
    [file], _ = read_schema(tmp_path, ["1.sql"], Dialect.POSTGRESQL, CONFIG, Span(0, 1))
    assert not file.transactional


def test_sqitch_deploys_in_the_order_of_its_plan(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    for name in "ab":
        text = f"BEGIN;\nCREATE TABLE {name} ();\nCOMMIT;\n"
        (tmp_path / "deploy" / f"{name}.sql").write_text(text)
    plan = "%syntax-version=1.0.0\n%project=x\n\nb 2024-01-01T00:00:00Z X <x@x> # first\n"
    (tmp_path / "sqitch.plan").write_text(f"{plan}@v1 2024 X # tag\na [b] 2024 X <x@x> # second\n")
    found, _ = read_schema(tmp_path, ["deploy"], Dialect.POSTGRESQL, CONFIG, Span(0, 1))
    assert [file.file.path.name for file in found] == ["b.sql", "a.sql"]


def test_a_delimiter_of_mysqls_client_ends_statements_and_is_none_itself() -> None:
    text = """DELIMITER $$
CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END $$
 delimiter //
CREATE TRIGGER g BEFORE INSERT ON a FOR EACH ROW SET NEW.x = 1//
DELIMITER ;
CREATE TABLE a (x int);
"""
    file = schema_file(SourceFile(Path("s.sql"), text), Dialect.MYSQL)
    assert len(file.sql) == len(text)
    assert [file.sql[span.start : span.end] for span in file.statements] == [
        "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
        "CREATE TRIGGER g BEFORE INSERT ON a FOR EACH ROW SET NEW.x = 1",
        "CREATE TABLE a (x int)",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "afterMigrate.sql", "beforeMigrate.sql", "afterMigrate__grants.sql", "createSchema.sql",
        "beforeEachMigrate.sql", "afterEachMigrateStatementError.sql", "afterMigrateApplied.sql",
        "afterMigrateOperationFinish.sql", "beforeRepeatables.sql", "afterVersioned.sql",
        "beforeValidate.sql", "afterCleanError.sql", "beforeConnect__x.sql",
    ],
)  # fmt: skip
def test_flyway_callback_is_no_migration(name: str) -> None:
    paths = [Path(file) for file in (name, "R__views.sql", "V10__b.sql", "V2__a.sql")]
    assert [path.name for path in forward_files(paths)] == [
        "V2__a.sql",
        "V10__b.sql",
        "R__views.sql",
    ]
    alone = [Path(file) for file in (name, "schema.sql")]
    assert len(forward_files(alone)) == 2


@pytest.mark.parametrize(
    "account",
    [
        "`a`@`%`",
        "'a'@'h'",
        "a@localhost",
        "a",
        "CURRENT_USER",
        "current_user()",
        '"a"@"b.c"',
        "`a``b` @ `%`",
    ],
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CREATE ", " VIEW v AS SELECT 1"),
        ("create or replace algorithm = merge ", " SQL SECURITY DEFINER VIEW v AS SELECT 1"),
        ("/*!50001 CREATE ALGORITHM=UNDEFINED */ /*!50013 ", " SQL SECURITY DEFINER */ /*!50001 VIEW v */"),
        ("/*!50003 CREATE*/ /*!50017 ", "*/ /*!50003 TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET @a = 1 */"),
        ("CREATE ", " PROCEDURE p() SELECT 1"),
        ("ALTER ", " EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1"),
        ("CREATE AGGREGATE ", " FUNCTION f() RETURNS int RETURN 1"),
    ],
)  # fmt: skip
def test_definer_is_blanked_out(before: str, account: str, after: str) -> None:
    text = f"{before}DEFINER = {account}{after};"
    sql, _ = forward_sql(text, Dialect.MYSQL)
    assert sql == f"{before}{' ' * len(f'DEFINER = {account}')}{after};"
    assert forward_sql(text, Dialect.POSTGRESQL)[0] == text


MARKS = [
    "-- migrate:down", "-- +goose Down", "-- +goose NO TRANSACTION", "\\d x", "\\. ",
    "COPY x FROM stdin;", "---- create above / drop below ----",
]  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(("opening", "closing"), [('"', '"'), ("'", "'"), ("$a$", "$a$")])
def test_a_mark_inside_a_quoted_name_or_text_is_part_of_it(
    mark: str, opening: str, closing: str
) -> None:
    text = f"SELECT {opening}a\n{mark}\nb{closing}; -- it's\nSELECT 2;"
    assert forward_sql(text) == (text, True)


@pytest.mark.parametrize("mark", MARKS[:2] + MARKS[6:])
def test_a_mark_behind_quoted_names_is_still_one(mark: str) -> None:
    text = f'SELECT "a\n{mark}\nb"; -- it\'s\n{mark}\nSELECT 2;'
    before, _, _ = text.rpartition(mark)
    assert forward_sql(text)[0].rstrip() == before.rstrip()


def test_rows_of_a_dump_may_hold_any_quote() -> None:
    dump = "COPY t FROM stdin;\n1\tit's \"\n\\.\nSELECT 1;\nCOPY u FROM stdin;\n2\n\\.\nSELECT 2;"
    assert forward_sql(dump)[0].split() == ["SELECT", "1;", "SELECT", "2;"]
