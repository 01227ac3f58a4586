"""Extraction of statements from other projects' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.foreign.__main__ import sample, schema_of
from tests.foreign.extract import scripts, statements
from tests.foreign.rows import inserts

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


def test_questions_are_a_script_for_each_database(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text(
        "question,query,db_name\n"
        '"Which, and how many?","SELECT {a.id, a.name} FROM a GROUP BY {};SELECT 2;",shop\n'
        "How many?,SELECT 1,other\nAnd?,SELECT 3,shop\n"
    )
    assert list(scripts(tmp_path)) == [
        ("q-shop", ["SELECT a.id, a.name FROM a GROUP BY 1", "SELECT 2", "SELECT 3"]),
        ("q-other", ["SELECT 1"]),
    ]


def test_the_schema_of_a_script_is_found_by_the_end_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "shop.sql").write_text("create table a (id int);")
    assert schema_of(tmp_path, "q-shop") == "create table a (id int);"
    assert schema_of(tmp_path / "shop.sql", "any") == "create table a (id int);"
    assert schema_of(tmp_path, "q-other") == ""


def test_a_sample_has_as_many_statements_as_wanted_and_its_seed_decides_which() -> None:
    found = [(str(n), ["select 1;\nselect 2;\n", "select 3"]) for n in range(20)]
    chosen = sample(found, 10, 1)
    assert len(chosen) == 4
    assert chosen == sample(found, 10, 1) != sample(found, 10, 2)


@pytest.mark.parametrize(
    ("engine", "start", "end"),
    [
        ("postgresql", "insert into t (id, name, n, at) values", " on conflict do nothing"),
        ("mysql", "insert ignore into t (id, name, n, at) values", ")"),
    ],
)
def test_rows_are_made_of_the_literals_of_the_queries(engine: str, start: str, end: str) -> None:
    schema = (
        "create table t (id int primary key, name varchar(3) not null, n decimal(9, 2), at date);"
    )
    queries = ["select * from t where name like '%abcd%' and at > '2001-02-03' and n < 2.5"]
    [sql] = inserts(schema, queries, engine, 50)
    assert sql.startswith(start)
    assert sql.endswith(end)
    assert "'abc'" in sql
    assert "'2001-02-03'" in sql
    assert "2.5" in sql
    assert "NULL" in sql
    assert "(NULL" not in sql
