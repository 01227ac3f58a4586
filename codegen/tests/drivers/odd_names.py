"""Projects with random names for everything, built and called like a user's project."""

from __future__ import annotations

import ast
import importlib
import inspect
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, get_args

from aiosqlc.config.project import ModelKind
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.lock.reading import read_lock
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.build import build

from tests.drivers.running import CONFIG, Engine, Subject
from tests.projects import loaded, write_project

WORDS = (
    "Mixed Case", "a.b", 'quo"te', "back`tick", "it's", "%s", "%(x)s", "{x}", "$1", "?", "@a", ":b",
    "back\\slash", "line\nbreak", "é", "ß", "1st", "class", "select", "self", "db", "None", "--",
    "/*", "#", "a b", "A B", "_", "__x__", " lead", "日本", "x" * 60, "[]", "a;b", "sqlc.arg(x)",
    "batch", "list", "import", "query", "rows", "id", "int", "'''", '"""', "value", "row", "item",
    "str", "starmap", "bool", "len", "map", "Any", "Final", "1", "11", "111", "__", "results",
    "status", "arguments", "sql", "cursor", "chunk", "violation", "date", "Decimal", "StrEnum",
    "BaseModel", "model_config", "copy", "schema_", "msgspec", "attrs", "True", "type",
    "ValueError", "KeyError", "models", "executor", "Executor", "UNSET", "object", "name", "mro",
)  # fmt: skip
"""Words of SQL, of Python and of the generated code, and texts that end the quotes of either."""


@dataclass(frozen=True)
class Names:
    """The names of the objects of one schema, and of the queries on them."""

    things: tuple[str, ...]
    labels: tuple[str, ...]
    queries: tuple[str, ...]


QUERIES = 14
THINGS = 20


def key_of(name: str) -> str:
    """Return a key that is equal for names that an engine may treat as equal."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return plain.casefold()


def drawn(random: Random, banned: str, sets: int) -> tuple[Names, ...]:
    """Return names for a number of schemas: unique in each schema, and unique for all queries.

    With `banned` characters, as on MySQL, there is one schema, in which all names are unique.
    """
    every: set[str] = set()
    queries: set[str] = set()
    schemas: set[str] = set()
    found = []
    for _ in range(sets):
        things = _unlike(random, THINGS, banned, every if banned else set())
        while things[0] in schemas:
            things = _unlike(random, THINGS, banned, set())
        schemas.add(things[0])
        labels = _unlike(random, 3, banned, set())
        found.append(Names(things, labels, tuple(_query(random, queries) for _ in range(QUERIES))))
    return tuple(found)


def _unlike(random: Random, count: int, banned: str, taken: set[str]) -> tuple[str, ...]:
    """Return a number of names that no engine treats as equal to each other or to a used name.

    A line that starts with a backslash is a command of psql, so names with such a line do not work
    in a schema.
    """
    found: list[str] = []
    while len(found) < count:
        name = _name(random)
        fits = name == name.rstrip() and "\n\\" not in name and not set(name) & set(banned)
        if fits and key_of(name) not in taken:
            taken.add(key_of(name))
            found.append(name)
    return tuple(found)


def _query(random: Random, taken: set[str]) -> str:
    while (name := _name(random)) in taken or not (name.isidentifier() and name.isascii()):
        pass
    taken.add(name)
    return name


def _name(random: Random) -> str:
    if random.random() < 0.5:
        return random.choice(WORDS)
    return "".join(random.choices(_SIGNS, k=random.randint(1, 8)))


_SIGNS = "aB._ -'\"`%{}$?@:\\é1#/*[];\n"


def _postgres(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _mysql(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def texts_of(engine: Engine, sets: Sequence[Names]) -> tuple[str, str]:
    """Return the schema and the queries of some schemas in order."""
    texts_of_one = _postgres_texts if engine.name == "postgresql" else _mysql_texts
    pairs = [texts_of_one(chosen) for chosen in sets]
    return "\n".join(schema for schema, _ in pairs), "\n".join(queries for _, queries in pairs)


def _postgres_texts(chosen: Names) -> tuple[str, str]:
    (schema, table, one, two, three, enum, domain, function, argument, key, alias, kind, left,
     right, other, given, more, many, still, last) = map(_postgres, chosen.things)  # fmt: skip
    labels = ", ".join("'" + label.replace("'", "''") + "'" for label in chosen.labels)
    where = f"{schema}.{table}"
    queries = (  # a query on two lines
        f":many\nSELECT * FROM {where} ORDER BY {one};",
        f":exec\nINSERT INTO {where} ({one}, {two}, {three}) VALUES ($1, $2, $3);",
        f":one\nSELECT {one} AS {alias}, {three} FROM {where} AS {alias} WHERE {one} = $1;",
        f":many\nSELECT sqlc.embed({alias}) FROM {where} AS {alias} ORDER BY {one};",
        f":one\nSELECT {schema}.{function}($1) AS {alias};",
        (
            f":many\nSELECT {two} FROM {where} WHERE {one} = sqlc.arg({given}) OR"
            f" {one} = sqlc.arg({more});"
        ),
        (
            f":execrows\nUPDATE {where} SET {three} = sqlc.narg({given}), {two} = sqlc.arg({more})"
            f" WHERE {one} = sqlc.arg({many});"
        ),
        (
            f":batchexec\nINSERT INTO {where} ({one}, {two}, {three})"
            f" VALUES (sqlc.arg({given}), sqlc.arg({more}), sqlc.arg({many}));"
        ),
        (
            f":batchmany\nSELECT {one}, {two}, {three} AS {still} FROM {where}"
            f" WHERE {one} = sqlc.arg({last});"
        ),
        f":stream\nSELECT {two} AS {other}, {one} FROM {where} WHERE {one} > sqlc.arg({given});",
        (
            f":copyfrom\nINSERT INTO {where} ({one}, {two}, {three})"
            f" VALUES (sqlc.arg({given}), sqlc.arg({more}), sqlc.arg({many}));"
        ),
        (
            f":one\nSELECT ({_literal(chosen.labels)}::{schema}.{enum}) AS {other},"
            f" ROW(1, {_literal(chosen.labels)})::{schema}.{kind} AS {still};"
        ),
        (
            f":many\nSELECT {one}, {two}, 1 AS {still}, 2 AS {last} FROM {where}\nWHERE true\n"
            f"  AND {one} = @first -- :if first\nORDER BY {one};"
        ),
        (
            f":many\nSELECT array_agg({two}) AS {other}, {one} FROM {where}"
            f" WHERE {one} = ANY(sqlc.arg({given})::int[]) GROUP BY {one} ORDER BY {one};"
        ),
    )
    return (
        f"""CREATE SCHEMA {schema};
CREATE TYPE {schema}.{enum} AS ENUM ({labels});
CREATE DOMAIN {schema}.{domain} AS text CONSTRAINT {key} CHECK (VALUE <> '');
CREATE TYPE {schema}.{kind} AS ({left} int, {right} {schema}.{enum});
CREATE TABLE {schema}.{table} (
    {one} int CONSTRAINT {key} PRIMARY KEY,
    {two} {schema}.{enum} NOT NULL,
    {three} {schema}.{domain}
);
CREATE FUNCTION {schema}.{function}({argument} int) RETURNS int LANGUAGE sql AS 'SELECT $1';
""",
        _named(chosen, queries),
    )


def _literal(labels: Sequence[str]) -> str:
    return "'" + labels[0].replace("'", "''") + "'"


def _named(chosen: Names, queries: Sequence[str]) -> str:
    pairs = zip(chosen.queries, queries, strict=True)
    return "\n".join(f"-- name: {name} {text}" for name, text in pairs)


def _mysql_texts(chosen: Names) -> tuple[str, str]:
    (_, table, one, two, three, check, _, function, argument, key, alias, _, _, _, other, given,
     more, many, still, last) = map(_mysql, chosen.things)  # fmt: skip
    labels = ", ".join(
        "'" + label.replace("\\", "\\\\").replace("'", "''") + "'" for label in chosen.labels
    )
    queries = (  # a query on two lines
        f":many\nSELECT * FROM {table} ORDER BY {one};",
        f":exec\nINSERT INTO {table} ({one}, {two}, {three}) VALUES (?, ?, ?);",
        f":one\nSELECT {one} AS {alias}, {three} FROM {table} AS {alias} WHERE {one} = ?;",
        f":many\nSELECT sqlc.embed({alias}) FROM {table} AS {alias} ORDER BY {one};",
        f":one\nSELECT {function}(CAST(? AS SIGNED)) AS {alias};",
        (
            f":many\nSELECT {two} FROM {table} WHERE {one} = sqlc.arg({given}) OR"
            f" {one} = sqlc.arg({more});"
        ),
        (
            f":execrows\nUPDATE {table} SET {three} = sqlc.narg({given}), {two} = sqlc.arg({more})"
            f" WHERE {one} = sqlc.arg({many});"
        ),
        (
            f":batchexec\nINSERT INTO {table} ({one}, {two}, {three})"
            f" VALUES (sqlc.arg({given}), sqlc.arg({more}), sqlc.arg({many}));"
        ),
        (
            f":batchmany\nSELECT {one}, {two}, {three} AS {still} FROM {table}"
            f" WHERE {one} = sqlc.arg({last});"
        ),
        f":stream\nSELECT {two} AS {other}, {one} FROM {table} WHERE {one} > sqlc.arg({given});",
        (
            f":execrows :bulk\nINSERT INTO {table} ({one}, {two}, {three})"
            f" VALUES (sqlc.arg({given}), sqlc.arg({more}), sqlc.arg({many}));"
        ),
        f":one\nSELECT 1 AS {other}, 'x' AS {still};",
        (
            f":many\nSELECT {one}, {two}, 1 AS {still}, 2 AS {last} FROM {table}\nWHERE true\n"
            f"  AND {one} = sqlc.arg(first) -- :if first\nORDER BY {one};"
        ),
        (
            f":many\nSELECT {two} AS {other}, {one} FROM {table}"
            f" WHERE {one} IN (sqlc.slice({given})) ORDER BY {one};"
        ),
    )
    return (
        f"""CREATE TABLE {table} (
    {one} int PRIMARY KEY,
    {two} enum({labels}) NOT NULL,
    {three} varchar(20),
    CONSTRAINT {key} UNIQUE ({three}),
    CONSTRAINT {check} CHECK ({one} > 0)
);
CREATE FUNCTION {function}({argument} int) RETURNS int DETERMINISTIC RETURN {argument};
""",
        _named(chosen, queries),
    )


@contextmanager
def built(
    engine: Engine, driver: str, models: ModelKind, texts: tuple[str, str], folder: Path
) -> Iterator[Subject]:
    """Build a project as `generate` does, twice: the second time only from its lock."""
    config = CONFIG.format(
        engine=engine.name, package="odd_names", imported="odd_names", driver=driver,
        options=f"emit_exceptions: true, models: {models}",
    )  # fmt: skip
    files = {"schema.sql": texts[0], "queries.sql": texts[1], "sqlc.yaml": config}
    shutil.rmtree(folder, ignore_errors=True)
    project = loaded(write_project(folder, files))
    said: list[Diagnostic] = []
    with engine.database("") as url:
        code = build(project, said.extend, engine.analyzer(url))
        queries = texts[1]
        while renamed := _renamed(queries, said):  # the remedy of E404
            queries = renamed
            (folder / "queries.sql").write_text(queries)
            project = loaded(folder)
            said.clear()
            code = build(project, said.extend, engine.analyzer(url))
    errors = [item for item in said if item.severity is Severity.ERROR]
    if code or errors:
        raise AssertionError(f"exit {code}\n{render_all(errors)}")
    assert read_lock(project)

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


def _renamed(queries: str, said: Sequence[Diagnostic]) -> str:
    """Rename queries whose names clash with a class or an import, as E404 requires."""
    clashing = {
        label.file.text[label.span.start : label.span.end]
        for item in said
        if item.code == "E404" and item.severity is Severity.ERROR
        for label in item.labels
    }
    first = queries.count("-- name: Renamed")
    for number, name in enumerate(sorted(clashing), first):
        queries = queries.replace(f"-- name: {name} ", f"-- name: Renamed{number}Query ")
    return queries if clashing else ""


class Called:
    """The functions of the queries, called with arguments in the order of the parameters."""

    def __init__(self, subject: Subject, sets: int) -> None:
        self.first = 0
        self.subject = subject
        self.module = subject.module()
        written = ast.parse(inspect.getsource(self.module)).body
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        found = [item for item in written if isinstance(item, kinds)]
        self.names = [item.name for item in found if item.args.args[0].arg == "db"]
        assert len(self.names) == len(set(self.names)) == QUERIES * sets

    def function(self, at: int) -> Any:
        """Return the function of a query of the current schema."""
        return getattr(self.module, self.names[self.first + at])

    def __call__(self, at: int, *values: object) -> Any:
        """Call the function of a query, and return its result."""
        function, name = self.function(at), self.names[self.first + at]
        parameters = list(inspect.signature(function).parameters.values())[1:]
        if at == _STREAMED:
            parameters = parameters[:-1]
        if parameters and parameters[0].kind is parameters[0].POSITIONAL_OR_KEYWORD:
            return self.subject.call(name, *values)
        keywords = [item.name for item in parameters]
        return self.subject.call(name, **dict(zip(keywords, values, strict=True)))

    def batch(self, at: int, *rows: Sequence[object]) -> Any:
        """Call the function of a query with many rows of its parameter class."""
        batch = inspect.signature(self.function(at)).parameters["batch"]
        (made,) = get_args(batch.annotation)
        return self(at, [made(**dict(zip(fields(made), row, strict=True))) for row in rows])


_STREAMED = 9


def fields(cls: Any) -> list[str]:
    """Return the names of a row class's attributes, for each kind of class."""
    for place in ("__struct_fields__", "__dataclass_fields__", "model_fields"):
        if hasattr(cls, place):
            return list(getattr(cls, place))
    return [item.name for item in cls.__attrs_attrs__]


def values(row: Any) -> list[Any]:
    """Return a row's values in the order of its columns."""
    return [getattr(row, name) for name in fields(type(row))]


def judged(subject: Subject, sets: Sequence[Names]) -> None:
    """Call every function, and compare its result with the written values."""
    call = Called(subject, len(sets))
    for number, chosen in enumerate(sets):
        call.first = number * QUERIES
        _judged(subject, call, chosen)


def _judged(subject: Subject, call: Called, chosen: Names) -> None:
    enum = list(inspect.signature(call.function(1)).parameters.values())[2].annotation
    members = list(enum)
    assert [member.value for member in members] == list(chosen.labels)
    first, second, third = members
    call(1, 1, second, "x")
    [row] = call(0)
    assert values(row) == [1, second, "x"]
    assert values(call(2, 1)) == [1, "x"]
    [nested] = call(3)
    assert values(nested) == [row]
    assert call(4, 5) == 5
    assert call(5, 1, 1) == [second]
    assert call(6, "y", third, 1) == 1
    call.batch(7, (2, first, None), (3, third, "z"))
    assert [[values(r) for r in rows] for rows in call(8, [2, 3])] == [
        [[2, first, None]],
        [[3, third, "z"]],
    ]
    with subject.streaming():
        assert [values(item) for item in call(9, 1)] == [[first, 2], [third, 3]]
    assert call.batch(10, (4, first, "w")) == 1
    last = values(call(11))
    assert last[0] == (1 if subject.on_mysql else first)
    assert last[1] == "x" if subject.on_mysql else values(last[1]) == [1, first]
    assert [values(item) for item in call(12, 4)] == [[4, first, 1, 2]]
    assert len(call(12, None)) == 4
    found = [values(item) for item in call(13, [1, 4])]
    wrapped = (lambda item: item) if subject.on_mysql else (lambda item: [item])
    assert found == [[wrapped(third), 1], [wrapped(first), 4]]
    try:
        call(1, 1, first, "x")
    except Exception as raised:
        assert type(raised).__module__ == "odd_names.errors", raised  # noqa: PT017 - of any class
    else:
        raise AssertionError("the key is not violated")
