"""Work divided among processes has the same result as in one process.

`test_processes.py` runs these in a process without threads, because a process with threads is not
forked.
"""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.parse import statements
from aiosqlc.parse.queries import parse_files
from aiosqlc.postgres import Analyzer
from aiosqlc.source import Dialect, SourceFile
from aiosqlc.store import divided, processes
from aiosqlc.store.divided import answers
from aiosqlc.store.memo import memo_by
from aiosqlc.store.processes import shares, spread
from msgspec.structs import replace

from tests.postgres.asking import TABLES, query, schema_file

# Of each kind of answer one: rows, stars, parameters, embeds, variants, hints that a row refutes,
# and what is refused while a query is read, typed, written and planned.
QUERIES = """
-- name: Stars :many
select * from a join b on b.aid = a.id;
-- name: Embedded :many
select sqlc.embed(a), b.note from a join b on b.aid = a.id;
-- name: Named :one
select id, bio from a where name = @name and grp = sqlc.narg('group');
-- name: Misspelt :one
select * from pionts;
-- name: Searched :many
select id from a
where true
  and name = @name -- :if name
;
-- name: Refuted :many
-- column: bio !
select bio from a;
-- name: Unplanned :many
select a.id from a full join b on a.id < b.id;
-- name: Written :execrows
insert into b (id, title) values (@id, @title);
-- name: Whole :many
select * from c;
"""


@pytest.fixture
def three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_cores", lambda: 3)


def test_queries_divided_among_processes_are_answered_as_by_one(
    monkeypatch: pytest.MonkeyPatch, three_cores: None
) -> None:
    queries, mistakes = parse_files([SourceFile(query("").file.path, QUERIES)], Dialect.POSTGRESQL)
    assert not mistakes
    schema, options = [schema_file(TABLES)], AnalyzeOptions()
    # the package calls its function by the module's name
    analysing = importlib.import_module("aiosqlc.postgres.analyze")
    with Analyzer() as analyzer:
        alone = analyzer.analyze(schema, queries, options)
        here: list[int] = []  # what a child appends, only the child sees
        share = analysing._analyze_share
        monkeypatch.setattr(
            analysing, "_analyze_share", lambda *asked: here.append(len(asked[1])) or share(*asked)
        )
        monkeypatch.setattr(analysing, "_FEWEST", 3)
        divided = analyzer.analyze(schema, queries, options)
    assert here == [3]
    assert divided == alone, "the order of the warnings is that of the lock, too"
    assert {item.code for item in divided[1]} >= {"E310", "E371"}
    assert [typed.parsed for typed in divided[0].queries] == [
        parsed for parsed in queries if parsed.name != "Misspelt"
    ]
    assert all(any(typed.parsed is parsed for parsed in queries) for typed in divided[0].queries)


def test_files_parsed_on_several_cores_are_parsed_as_on_one(
    monkeypatch: pytest.MonkeyPatch, three_cores: None
) -> None:
    broken = "-- name: Broken :many\nselect 'open"
    texts = [QUERIES, broken, QUERIES.replace("name: ", "name: New"), ""]
    files = [SourceFile(Path(f"{at}.sql"), text) for at, text in enumerate(texts)]
    alone = parse_files(files, Dialect.POSTGRESQL)
    elsewhere = [replace(file, path=Path("other") / file.path) for file in files]
    here: list[Path] = []  # what a child appends, only the child sees
    queries = importlib.import_module("aiosqlc.parse.queries")
    read = queries.read_annotations
    monkeypatch.setattr(
        queries,
        "read_annotations",
        lambda file, *found: here.append(file.path) or read(file, *found),
    )
    monkeypatch.setattr(statements, "_LONG", 1)
    divided, problems = parse_files(elsewhere, Dialect.POSTGRESQL)
    assert set(here) == {file.path for file in elsewhere[:2]}, "the first part is parsed here"
    assert len(problems) == len(alone[1]) == 2
    assert all(any(query.file is file for file in elsewhere) for query in divided)
    assert [replace(query, file=files[0]) for query in divided] == [
        replace(query, file=files[0]) for query in alone[0]
    ]


def test_answers_of_a_child_are_in_order_and_known_to_its_parent(
    monkeypatch: pytest.MonkeyPatch, three_cores: None
) -> None:
    asked: list[int] = []  # what a child appends, only the child sees

    @memo_by(lambda number: (str(number),))
    def half(number: int) -> float:
        asked.append(number)
        return number / 2

    monkeypatch.setattr(divided, "_FEWEST", 2)
    half(0)
    about = [(number,) for number in range(7)]
    assert answers([(half, args) for args in about]) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert asked == [0, 1, 2]
    assert answers([(half, args) for args in about]) == [number / 2 for number in range(7)]
    assert asked == [0, 1, 2]


def test_what_a_child_fails_at_is_done_by_its_parent(three_cores: None) -> None:
    parent = os.getpid()

    def halves(run: Sequence[int]) -> list[float]:
        if os.getpid() != parent and 4 in run:
            raise ValueError
        return [number / 2 for number in run]

    runs = shares(range(6), 2)
    assert [list(run) for run in runs] == [[0, 1], [2, 3], [4, 5]]
    assert spread(halves, lambda: halves, runs) == [[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]


def test_a_parent_does_the_run_of_a_killed_child(three_cores: None) -> None:
    parent = os.getpid()

    def halves(run: Sequence[int]) -> list[float]:
        if os.getpid() != parent and 4 in run:
            os.kill(os.getpid(), signal.SIGKILL)
        return [number / 2 for number in run]

    assert spread(halves, lambda: halves, shares(range(6), 2)) == [
        [0.0, 0.5],
        [1.0, 1.5],
        [2.0, 2.5],
    ]
    assert len(shares(range(6), 2)) == 3, "no thread of the pool is left"


def test_a_parent_that_ignores_ended_children_gets_their_answers(three_cores: None) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert spread(_doubled, lambda: _doubled, shares(range(6), 2)) == [[0, 2], [4, 6], [8, 10]]
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_parent_without_a_free_file_does_all_runs(
    monkeypatch: pytest.MonkeyPatch, three_cores: None
) -> None:
    def refused() -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pipe", refused)
    assert spread(_doubled, lambda: _doubled, shares(range(6), 2)) == [[0, 2], [4, 6], [8, 10]]


def test_the_numbers_of_all_runs_fit_into_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_cores", lambda: 512)
    assert len(shares(range(1999), 1)) <= 1000


def _doubled(run: Sequence[int]) -> list[int]:
    return [number * 2 for number in run]


def test_an_answer_that_cannot_be_sent_is_made_again(three_cores: None) -> None:
    def unsendable(run: Sequence[int]) -> object:
        return lambda: sum(run)

    answers = spread(unsendable, lambda: unsendable, shares(range(6), 2))
    assert [answer() for answer in answers] == [1, 5, 9]  # type: ignore[operator]  # a function


def test_the_items_of_an_answer_are_those_that_were_asked_about(three_cores: None) -> None:
    asked = [query("select 1", name) for name in "abcdef"]

    def renamed(run: Sequence[object]) -> list[object]:
        return [*run, replace(asked[0], name="new")]

    def refused(run: Sequence[object]) -> list[object]:
        assert run == asked[:2], "a child has failed"
        return []

    *_, last = spread(refused, lambda: renamed, shares(asked, 2))
    assert last[0] is asked[4]
    assert last[1] is asked[5]
    assert last[2] == replace(asked[0], name="new")


def test_runs_become_shorter_and_contain_every_item_once(three_cores: None) -> None:
    runs = shares(range(1000), 10)
    sizes = [len(run) for run in runs]
    assert [item for run in runs for item in run] == list(range(1000))
    assert sizes[0] == 166
    assert all(one >= next_ for one, next_ in pairwise(sizes[:-1]))
    assert min(sizes) == 10
    assert max(sizes[-3:]) < 20


def test_a_process_takes_the_next_run_while_others_work(three_cores: None) -> None:
    parent = os.getpid()
    wait, go = os.pipe()
    here: list[int] = []

    def halves(run: Sequence[int]) -> list[float]:
        if os.getpid() != parent:
            os.read(wait, 1)  # each child keeps its first run until the parent has done the others
        else:
            here.extend(run)
            if 9 in run:
                os.write(go, b"..")
        return [number / 2 for number in run]

    answers = spread(halves, lambda: halves, [[number] for number in range(10)])
    assert answers == [[number / 2] for number in range(10)]
    assert here == [0, *range(3, 10)]


def test_children_work_while_their_parent_does_something_else(three_cores: None) -> None:
    parent = os.getpid()
    wait, go = os.pipe()
    order: list[object] = []

    def halves(run: Sequence[int]) -> list[float]:
        if os.getpid() != parent:
            os.write(go, b".")
        order.append(list(run))
        return [number / 2 for number in run]

    def meanwhile() -> None:
        order.extend(os.read(wait, 1) for _ in range(2))

    runs = shares(range(6), 2)
    assert spread(halves, lambda: halves, runs, meanwhile) == [[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]
    assert order[:2] == [b".", b"."]


def test_an_interrupted_parent_leaves_no_child(three_cores: None) -> None:
    wait, _ = os.pipe()

    def interrupted(run: Sequence[int]) -> None:
        raise KeyboardInterrupt

    def waiting(run: Sequence[int]) -> bytes:
        return os.read(wait, 1)

    with pytest.raises(KeyboardInterrupt):
        spread(interrupted, lambda: waiting, shares(range(6), 2))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, 0)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


def test_without_more_processes_the_work_is_done_here(
    three_cores: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fork() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", fork)
    assert spread(sum, lambda: sum, shares(range(6), 2)) == [1, 5, 9]
