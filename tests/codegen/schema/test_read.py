"""Schema folders of every tool are read as the tool applies them."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.parse.scanner import Dialect
from aiosqlc.schema import read_schema
from aiosqlc.source import SourceFile, Span

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
