"""Extraction of statements from other projects' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.foreign.extract import scripts, statements

RECORDS = """\
# a remark
statement ok
create table t (a int);

query I rowsort
select a
from t where a > 1;
----
2
3

statement error
select nothing

onlyif mysql
query T
select ${name}
"""
GO = """
var queries = []Q{
    {Query: `SELECT i FROM mytable
WHERE i > 1;`, Expected: []sql.Row{{1}}},
    {Query: "select 'it\\'s' from t", Name: "select"},
    {Format: "insert into %s values (1)", Text: "no statement"},
}
"""


@pytest.mark.parametrize(
    ("suffix", "text", "expected"),
    [
        (".slt", RECORDS, ["create table t (a int)", "select a\nfrom t where a > 1"]),
        (".go", GO, ["SELECT i FROM mytable\nWHERE i > 1", "select 'it's' from t"]),
        (".sql", "select 1;\nselect 2;\n", ["select 1;\nselect 2;\n"]),
        (".test", "select 1;\n", ["select 1;\n"]),
    ],
)
def test_statements_are_extracted_by_suffix(suffix: str, text: str, expected: list[str]) -> None:
    assert list(statements(suffix, text)) == expected


def test_scripts_are_named_by_their_path_and_empty_files_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.slt").write_text("statement ok\nselect 1\n")
    (tmp_path / "c.go").write_text("package c\n")
    (tmp_path / "d.md").write_text("select 1;\n")
    assert list(scripts(tmp_path)) == [("a-b", ["select 1"])]
