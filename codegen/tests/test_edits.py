"""After any edits of a project, the written files equal those of a new process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aiosqlc.analysis.port import Analyze
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.parse import statements
from aiosqlc.pipeline.build import build
from aiosqlc.store.memo import forget_all

from tests.golden import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries
    gen:
      python: {out: store, package: store, emit_exceptions: true}
      json: {out: store, filename: gen.json}
"""
SCHEMA = """\
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE TABLE task (
    id integer PRIMARY KEY, title text NOT NULL UNIQUE, mood mood, note text, tags text[] NOT NULL
);
CREATE TABLE step (
    id integer PRIMARY KEY, task_id integer NOT NULL REFERENCES task, done boolean NOT NULL
);
"""
BROKEN = "-- name: Nothing :one\nSELECT nothing FROM task;\n"
UNSEARCHED = "SELECT pg_catalog.set_config('search_path', '', false);\n"
TASKS = """\
-- What there is to do.

-- name: GetTask :one
SELECT * FROM task WHERE id = @id;

-- name: ListTasks :many
-- All of them, by any of the filters.
SELECT id, title, mood FROM task
WHERE true
    AND mood = @mood -- :if mood
    AND title ILIKE @pattern -- :if pattern
ORDER BY title, -- :sort title asc|desc
    id;

-- name: AddTask :exec
-- param: note ?
INSERT INTO task (id, title, note, tags) VALUES (@id, @title, @note, @tags);
"""
STEPS = """\
-- name: ListSteps :many
-- row: StepLine
SELECT step.id, sqlc.embed(task) FROM step JOIN task ON task.id = step.task_id;

-- name: FindSteps :many
-- row: StepLine
SELECT step.id, sqlc.embed(task) FROM step JOIN task ON task.id = step.task_id
WHERE step.id IN (sqlc.slice(ids));

-- name: AddStep :exec
INSERT INTO step (id, task_id, done) VALUES ($1, $2, $3);
"""

Edit = tuple[str, Callable[[str], str]]
EDITS: list[Edit] = [
    ("queries/tasks.sql", lambda text: text.replace("GetTask", "FindTask")),
    ("queries/tasks.sql", lambda text: text.replace("All of them", "Everything")),
    (
        "queries/tasks.sql",
        lambda text: "-- name: CountTasks :one\nSELECT count(*) FROM task;\n" + text,
    ),
    ("queries/steps.sql", lambda text: text.replace("step.id, sqlc", "step.id, step.done, sqlc")),
    ("queries/tasks.sql", lambda text: text.replace("id, title, mood", "id, title, mood, note")),
    ("queries/steps.sql", lambda text: text[text.index("-- name: FindSteps") :]),
    ("queries/tasks.sql", lambda text: text.replace("SELECT *", "SELECT nothing")),
    ("queries/tasks.sql", lambda text: text.replace("SELECT nothing", "SELECT *")),
    ("queries/tasks.sql", lambda text: BROKEN + text),
    ("schema.sql", lambda text: UNSEARCHED + text),  # of which there is a warning, once it is gone
    ("queries/tasks.sql", lambda text: text.removeprefix(BROKEN)),
    ("schema.sql", lambda text: text.replace("note text", "note text NOT NULL DEFAULT ''")),
    ("sqlc.yaml", lambda text: text.replace("package: store,", "package: store, models: attrs,")),
    ("queries/steps.sql", lambda text: text.replace(":many", ":one", 1)),
    ("queries/tasks.sql", lambda text: text.replace("title ILIKE @pattern", "note ILIKE @pattern")),
    ("queries/steps.sql", lambda text: text + TASKS.replace("Task", "Job")),
]


def test_edits_leave_what_a_new_process_would_write(
    tmp_path: Path, postgres_server: TestPostgres
) -> None:
    analyze = analyzer_on(postgres_server.create_empty())
    folder = tmp_path / "edited"
    queries = {"queries/tasks.sql": TASKS, "queries/steps.sql": STEPS}
    write_project(folder, {"sqlc.yaml": CONFIG, "schema.sql": SCHEMA, **queries})
    forget()
    steps = [generated(folder, analyze)]
    sources = [source_of(folder)]
    for name, change in EDITS:
        before = (folder / name).read_text()
        (folder / name).write_text(change(before))
        assert change(before) != before
        steps.append(generated(folder, analyze))
        sources.append(source_of(folder))
    assert len({str(step) for step in steps}) > len(EDITS) / 2
    for number, (warm, source) in enumerate(zip(steps, sources, strict=True)):
        if warm[0] == 0:
            new = write_project(tmp_path / str(number), source)
            forget()
            cold = generated(new, analyze)
            assert cold[:2] == warm[:2], number
            for name, text in cold[2].items():
                assert warm[2][name] == text, (number, name)
            assert cold[2].keys() == warm[2].keys()


def source_of(folder: Path) -> dict[str, str]:
    names = [*folder.glob("*.yaml"), *folder.glob("*.sql"), *folder.glob("queries/*.sql")]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in names}


def generated(folder: Path, analyze: Analyze) -> tuple[int, list[str], dict[str, str]]:
    said: list[Diagnostic] = []
    code = build(loaded(folder), said.extend, analyze)
    files = [*folder.glob("store/*"), *folder.glob("*.lock.json")]
    return (
        code,
        [item.message for item in said],
        {path.relative_to(folder).as_posix(): path.read_text() for path in files},
    )


def forget() -> None:
    """Clear the caches, as in a new process."""
    forget_all()
    statements._last_seen.cache_clear()
