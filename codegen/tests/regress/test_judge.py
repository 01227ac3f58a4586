"""The check by PostgreSQL's regression tests, on our own script: it detects false claims."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.servers.postgres.embedded import embedded_server

from tests.regress.run import Verdicts, judge
from tests.regress.script import Statement, statements
from tests.regress.suite import in_order

SCRIPT = """\
\\set name value
create table t (id int primary key, note text);
copy t from stdin;
1\t\\N
2\tthree; not 'four
\\.
select * from t order by id \\g
begin;
insert into t values (1, 'twice');
rollback;
select id, note from t where id = 1;
\\c
create function f() returns text language sql begin atomic select 'x'; end;
select f(), id from t;
"""


def test_a_psql_script_is_cut_into_statements_and_the_data_of_its_copies() -> None:
    found = list(statements(SCRIPT))
    assert [item.line for item in found] == [2, 3, 7, 8, 9, 10, 11, 12, 13, 14]
    assert found[1].data == b"1\t\\N\n2\tthree; not 'four\n"
    assert found[2].sql == "select * from t order by id"
    assert found[7] == Statement("", 12)


def test_scripts_run_in_the_suites_order_and_unknown_ones_last() -> None:
    names = ["zzz", "boolean", "lock", "test_setup"]
    assert [p.stem for p in in_order(map(Path, names))] == ["test_setup", "boolean", "zzz"]


def _judged(folder: Path, text: str = SCRIPT) -> Verdicts:
    script = folder / "script.sql"
    script.write_text(text)
    with embedded_server() as server:
        return judge(server, [script])


def test_claims_are_compared_with_the_rows_of_each_statement(tmp_path: Path) -> None:
    verdicts = _judged(tmp_path)
    assert (verdicts.false, verdicts.unlike, verdicts.internal) == ([], [], [])
    assert (verdicts.laid_out_unlike, verdicts.laid_out) == ([], 8)
    assert verdicts.judged == 3
    assert verdicts.columns == 6


def test_a_false_claim_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiosqlc.postgres.catalog.facts.Facts.not_null", lambda *_, **__: True)
    assert any(":7: NULL in note" in item for item in _judged(tmp_path).false)


def test_a_layout_that_the_server_reads_otherwise_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tests.regress.run.lay_out", lambda sql, *_: sql.replace("id = 1", "id = 2")
    )
    assert _judged(tmp_path).laid_out_unlike == ["script:11 as house", "script:11 as sqlc"]


def test_a_statement_that_reads_the_time_is_not_compared_with_its_layout(tmp_path: Path) -> None:
    verdicts = _judged(tmp_path, "select  timestamp 'now' as at;\nselect  'now' as word;\n")
    assert (verdicts.laid_out_unlike, verdicts.laid_out, verdicts.judged) == ([], 2, 2)
