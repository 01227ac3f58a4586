"""The check by MariaDB's own tests, on our own script: it detects false claims."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.mysql.scope import DECLARED
from aiosqlc.servers.mysql.session import open_session

from tests.regress_mysql.run import Verdicts, judge
from tests.regress_mysql.script import Step, steps
from tests.servers.programs import program

SCRIPT = """\
# a comment; not a statement
--source include/have_innodb.inc
let $n= 3;
create table t (id int primary key, note text, f tinyint(1));
insert into t values (1, null, 2), (2, 'three; not ''four', 0);
--error ER_DUP_ENTRY
insert into t values (1, 'twice', 1);
eval insert into t values ($n, 'n', 1);
eval insert into t values ($unknown, 'n', 1);
if (`select 1`)
{
  select id, note, f from t where id = 1;
}
delimiter |;
create procedure p() begin select 1; select 2; end|
delimiter ;|
connect (other,localhost,root,,);
select count(*) from t;
connection default;
disconnect other;
set sql_mode = 'ansi_quotes';
select "id" from t;
perl;
  print "select 1;";
EOF
--disable_parsing
select nonsense;
--enable_parsing
set sql_mode = '';
select * from t union select 1, 2, 3;
exit;
select 1;
"""


def test_a_script_is_cut_into_statements_and_connections() -> None:
    found = list(steps(SCRIPT))
    assert [step.line if step else 0 for step in found] == [
        4, 5, 7, 8, 0, 12, 15, 17, 18, 19, 0, 21, 22, 29, 30,
    ]  # fmt: skip
    assert found[3] == Step(8, "insert into t values (3, 'n', 1)")
    assert found[6] == Step(15, "create procedure p() begin select 1; select 2; end")
    assert found[7] == Step(17, connection="other", opens=("root", "test"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program("mariadbd", "mysqld")
    return tmp_path_factory.mktemp("judge")


def _judged(cache: Path, folder: Path) -> Verdicts:
    script = folder / "script.test"
    script.write_text(SCRIPT)
    return judge(cache, [script])


def test_claims_are_compared_with_the_rows_of_each_statement(cache: Path, tmp_path: Path) -> None:
    verdicts = _judged(cache, tmp_path)
    assert (verdicts.false, verdicts.internal, verdicts.refusals) == ([], [], [])
    assert (verdicts.judged, verdicts.columns, verdicts.other_numbers) == (3, 7, 1)
    assert sum(verdicts.unjudged.values()) == 1


def test_a_false_claim_is_told_with_its_place(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiosqlc.mysql.scope.Level.column", lambda *_: DECLARED)
    assert any("script:12: server: column 1" in item for item in _judged(cache, tmp_path).false)


# The last one leaves a lock that stays when its connection has gone.
_HARM = (
    "drop table mysql.proc;",
    "drop user root@localhost; flush privileges;",
    (
        "create table t (id int) engine = innodb; xa start 'x'; insert into t values (1);"
        " xa end 'x'; xa prepare 'x';"
    ),
)


@pytest.mark.usefixtures("cache")
def test_a_script_that_breaks_its_server_harms_no_other(tmp_path: Path) -> None:
    scripts = []
    for number, harm in enumerate(_HARM):
        scripts += [tmp_path / f"harm{number}.test", tmp_path / f"script{number}.test"]
        scripts[-2].write_text(harm)
        scripts[-1].write_text(SCRIPT)
    told: list[str] = []
    assert judge(tmp_path / "servers", scripts, told.append).judged == 3 * len(_HARM), told


def test_the_settings_of_a_script_do_not_outlive_it(cache: Path, tmp_path: Path) -> None:
    _judged(cache, tmp_path)
    session = open_session(None, tmp_path / "later", "mariadb")
    with session.connection:
        ((engine, seconds),) = session.rows("SELECT @@default_storage_engine, @@max_statement_time")
    assert (engine, float(seconds)) == ("InnoDB", 0.0)
