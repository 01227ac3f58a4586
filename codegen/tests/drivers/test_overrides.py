# ruff: noqa: E501 - a table, one case a line
"""Overrides apply to every value in and out: each row is read and written on a real server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from aiosqlc.cli.main import main
from aiosqlc.contract.conforms import unlike

from tests.drivers.connecting import PLAIN
from tests.drivers.running import Engine, Subject
from tests.projects import write_project

CLASSES = '''\
"""Classes as a project has them."""

from dataclasses import dataclass
from enum import Enum
from typing import NewType, TypedDict

Number = NewType("Number", int)


@dataclass(frozen=True)
class Tag:
    name: str


def to_tag(text: str) -> Tag:
    assert type(text) is str, text
    return Tag(text)


def from_tag(tag: Tag) -> str:
    return tag.name


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


def from_size(size: Size) -> str:
    return size.value


@dataclass(frozen=True)
class Flag:
    on: int


def from_flag(flag: Flag) -> int:
    return flag.on


@dataclass(frozen=True)
class Code:
    number: int


def from_code(code: Code) -> int:
    return code.number


class Prefs(TypedDict):
    dark: bool


@dataclass(frozen=True)
class Email:
    text: str


def from_email(email: Email) -> str:
    return email.text
'''
_TAG = "type: app_of_tests.Tag, decode: app_of_tests.to_tag, encode: app_of_tests.from_tag"
POSTGRES_SCHEMA = """
CREATE DOMAIN email AS text CHECK (value LIKE '%@%');
CREATE DOMAIN settings AS jsonb;
CREATE DOMAIN number AS integer;
CREATE TYPE size AS ENUM ('small', 'large');
CREATE TYPE parcel AS (size size, weight integer, prefs jsonb, email email);
CREATE TABLE item (
    id integer PRIMARY KEY,
    tag text NOT NULL,
    maybe text,
    tags text[] NOT NULL,
    size size,
    sizes size[],
    email email NOT NULL,
    emails email[],
    prefs jsonb NOT NULL,
    all_prefs jsonb[] NOT NULL,
    own settings,
    number number,
    parcel parcel,
    parcels parcel[]
);
"""
OVERRIDES = f"""\
overrides: [
  {{column: item.tag, {_TAG}}}, {{column: item.maybe, {_TAG}}}, {{column: item.tags, {_TAG}}},
  {{db_type: size, type: app_of_tests.Size, encode: app_of_tests.from_size, decode: app_of_tests.Size}},
  {{db_type: email, type: app_of_tests.Email, encode: app_of_tests.from_email, decode: app_of_tests.Email}},
  {{db_type: jsonb, type: app_of_tests.Prefs}},
  {{db_type: number, type: app_of_tests.Number}}],
models: msgspec"""


@dataclass(frozen=True)
class Case:
    """A query, its call, and the expected result: expressions on the project's classes."""

    name: str
    sql: str
    given: str
    returned: str
    command: str = "many"


def case(name: str, sql: str, given: str, returned: str, command: str = "many") -> Any:
    return pytest.param(Case(name, sql, given, returned, command), id=name)


ADDED = (
    "INSERT INTO item VALUES (1, 'a', NULL, '{a,b}', 'small', '{small,NULL}', 'a@b', '{a@b,NULL}',"
    """ '{"dark": true}', ARRAY['{"dark": true}', NULL]::jsonb[], '{"dark": false}', 7,"""
    """ ROW('large', 3, '{"dark": true}', 'c@d'), ARRAY[ROW('small', NULL, NULL, NULL)]::parcel[])"""
)
DARK, LIGHT = "{'dark': True}", "{'dark': False}"
CASES = [
    case("column", "SELECT tag FROM item", "", "Tag('a')"),
    case("nullable", "SELECT maybe FROM item", "", "None"),
    case("equal", "SELECT id FROM item WHERE tag = @tag", "tag=Tag('a')", "1"),
    case("any", "SELECT id FROM item WHERE tag = ANY(@tags)", "tags=[Tag('a')]", "1"),
    case("any_cast", "SELECT id FROM item WHERE tag = ANY(@tags::text[])", "tags=(Tag('a'),)", "1"),
    case("all", "SELECT id FROM item WHERE tag <> ALL(@tags)", "tags=[Tag('b')]", "1"),
    case("slice", "SELECT id FROM item WHERE tag IN (sqlc.slice(tags))", "tags=[Tag('a')]", "1"),
    case("listed", "SELECT id FROM item WHERE tag IN (@a, @b)", "a=Tag('a'), b=Tag('b')", "1"),
    case("like", "SELECT id FROM item WHERE tag LIKE @pattern", "pattern='a%'", "1"),
    case("ilike", "SELECT id FROM item WHERE tag ILIKE @pattern", "pattern='A%'", "1"),
    case("like_any", "SELECT id FROM item WHERE tag LIKE ANY(@patterns)", "patterns=['a%']", "1"),
    case("similar", "SELECT id FROM item WHERE tag SIMILAR TO @pattern", "pattern='a|b'", "1"),
    case("regex", "SELECT id FROM item WHERE tag ~ @pattern", "pattern='^a'", "1"),
    case("regex_any_case", "SELECT id FROM item WHERE tag !~* @pattern", "pattern='^b'", "1"),
    case("prefix", "SELECT id FROM item WHERE tag ^@ @prefix", "prefix='a'", "1"),
    case("joined", "SELECT tag || @suffix AS v FROM item", "suffix='x'", "'ax'"),
    case("between", "SELECT id FROM item WHERE tag BETWEEN @low AND @high", "low=Tag('a'), high=Tag('b')", "1"),
    case("distinct", "SELECT id FROM item WHERE maybe IS NOT DISTINCT FROM @tag", "tag=None", "1"),
    case("narg", "SELECT id FROM item WHERE tag = coalesce(sqlc.narg(tag), tag)", "tag=None", "1"),
    case("array", "SELECT tags FROM item", "", "[Tag('a'), Tag('b')]"),
    case("array_equal", "SELECT id FROM item WHERE tags = @tags", "tags=[Tag('a'), Tag('b')]", "1"),
    case("array_overlaps", "SELECT id FROM item WHERE tags && @tags", "tags=[Tag('a')]", "1"),
    case("array_contains", "SELECT id FROM item WHERE tags @> @tags", "tags=(Tag('b'),)", "1"),
    case("element", "SELECT id FROM item WHERE @tag = ANY(tags)", "tag=Tag('a')", "1"),
    case("subscript", "SELECT id FROM item WHERE tags[1] = @tag", "tag=Tag('a')", "1"),
    case("unnest_read", "SELECT unnest(tags) AS v FROM item", "", "Tag('a'), Tag('b')"),
    case("unnest_from", "SELECT t.v FROM item, unnest(tags) WITH ORDINALITY AS t(v, n) WHERE t.n = 2", "", "Tag('b')"),
    case("unnest_with", "WITH c AS (SELECT unnest(tags) AS t FROM item) SELECT t FROM c WHERE t = @t", "t=Tag('b')", "Tag('b')"),
    case("subscript_read", "SELECT tags[2] AS v FROM item", "", "Tag('b')"),
    case("sliced", "SELECT tags[2:] AS v FROM item", "", "[Tag('b')]"),
    case("appended", "SELECT array_append(tags, @tag) AS v FROM item", "tag=Tag('c')", "[Tag('a'), Tag('b'), Tag('c')]"),
    case("prepended", "SELECT @tag::text || tags AS v FROM item", "tag=Tag('c')", "[Tag('c'), Tag('a'), Tag('b')]"),
    case("removed", "SELECT array_remove(tags, @tag) AS v FROM item", "tag=Tag('a')", "[Tag('b')]"),
    case("replaced", "SELECT array_replace(tags, @old, @new) AS v FROM item", "old=Tag('a'), new=Tag('c')", "[Tag('c'), Tag('b')]"),
    case("position", "SELECT array_position(tags, @tag) AS v FROM item", "tag=Tag('b')", "2"),
    case("joined_arrays", "SELECT array_cat(tags, @more) AS v FROM item", "more=[Tag('c'), None]", "[Tag('a'), Tag('b'), Tag('c'), None]"),
    case("gathered", "SELECT array_agg(tag) AS v FROM item", "", "[Tag('a')]"),
    case("gathered_select", "SELECT ARRAY(SELECT maybe FROM item) AS v", "", "[None]"),
    case("replaced_null", "SELECT coalesce(tags, '{}') AS v FROM item", "", "[Tag('a'), Tag('b')]"),
    case("with_a_literal", "SELECT tags || '{c}' AS v FROM item", "", "['a', 'b', 'c']"),
    case("cast", "SELECT unnest(tags)::varchar(9) AS v FROM item WHERE id = 1 LIMIT 1", "", "'a'"),
    case("write_appended", "UPDATE item SET tags = array_append(tags, @tag) RETURNING tags", "tag=None", "[Tag('a'), Tag('b'), None]"),
    case("write_array", "UPDATE item SET tags = ARRAY[@a, @b] RETURNING tags", "a=Tag('x'), b=Tag('y')", "[Tag('x'), Tag('y')]"),
    case("write_chosen", "UPDATE item SET tag = CASE WHEN @c::bool THEN @tag ELSE tag END RETURNING tag", "c=True, tag=Tag('z')", "Tag('z')"),
    case("array_contains_one", "SELECT id FROM item WHERE tags @> ARRAY[@tag]", "tag=Tag('b')", "1"),
    case("write", "UPDATE item SET tag = @tag, tags = @tags RETURNING tag, tags", "tag=Tag('z'), tags=[Tag('y')]", "R(tag=Tag('z'), tags=[Tag('y')])"),
    case("write_element", "UPDATE item SET tags[1] = @tag RETURNING tags", "tag=Tag('z')", "[Tag('z'), Tag('b')]"),
    case("union", "SELECT tag FROM item UNION SELECT tag FROM item", "", "Tag('a')"),
    case("cte", "WITH c AS (SELECT tag, tags FROM item) SELECT tags FROM c WHERE tag = @tag", "tag=Tag('a')", "[Tag('a'), Tag('b')]"),
    case("enum", "SELECT size FROM item", "", "Size.SMALL"),
    case("enum_array", "SELECT sizes FROM item", "", "[Size.SMALL, None]"),
    case("enum_literal", "SELECT 'large'::size AS v", "", "Size.LARGE"),
    case("enum_equal", "SELECT id FROM item WHERE size = @size", "size=Size.SMALL", "1"),
    case("enum_any", "SELECT id FROM item WHERE size = ANY(@sizes)", "sizes=[Size.SMALL]", "1"),
    case("enum_array_write", "UPDATE item SET sizes = @sizes RETURNING sizes", "sizes=(Size.LARGE, None)", "[Size.LARGE, None]"),
    case("enum_nested", "SELECT ARRAY[sizes, sizes] AS v FROM item", "", "[[Size.SMALL, None], [Size.SMALL, None]]"),
    case("enum_max", "SELECT max(size) AS v FROM item", "", "Size.SMALL"),
    case("domain", "SELECT email FROM item", "", "Email('a@b')"),
    case("domain_one", "SELECT email FROM item WHERE id = 1", "", "Email('a@b')"),
    case("domain_beside", "SELECT id, email FROM item", "", "R(id=1, email=Email('a@b'))"),
    case("domain_cast", "SELECT @email::email AS v", "email=Email('q@r')", "Email('q@r')"),
    case("domain_equal", "SELECT id FROM item WHERE email = @email", "email=Email('a@b')", "1"),
    case("domain_any", "SELECT id FROM item WHERE email = ANY(@emails)", "emails=[Email('a@b')]", "1"),
    case("domain_any_cast", "SELECT id FROM item WHERE email = ANY(@emails::email[])", "emails=[Email('a@b')]", "1"),
    case("domain_like", "SELECT id FROM item WHERE email LIKE @pattern", "pattern='%@b'", "1"),
    case("domain_array", "SELECT emails FROM item", "", "[Email('a@b'), None]"),
    case("domain_array_write", "UPDATE item SET emails = @emails RETURNING emails", "emails=[None, Email('x@y')]", "[None, Email('x@y')]"),
    case("domain_write", "UPDATE item SET email = @email RETURNING email", "email=Email('x@y')", "Email('x@y')"),
    case("domain_subselect", "SELECT (SELECT email FROM item LIMIT 1) AS v", "", "Email('a@b')"),
    case("domain_gathered", "SELECT array_agg(email) AS v FROM item", "", "[Email('a@b')]"),
    case("domain_array_select", "SELECT ARRAY(SELECT email FROM item) AS v", "", "[Email('a@b')]"),
    case("domain_coalesce", "SELECT coalesce(email, 'n@n'::text) AS v FROM item", "", "'a@b'"),
    case("domain_of_int", "SELECT number FROM item", "", "7"),
    case("jsonb", "SELECT prefs FROM item", "", DARK),
    case("jsonb_write", "UPDATE item SET prefs = @prefs RETURNING prefs", f"prefs={LIGHT}", LIGHT),
    case("jsonb_array", "SELECT all_prefs FROM item", "", f"[{DARK}, None]"),
    case("jsonb_array_write", "UPDATE item SET all_prefs = @prefs RETURNING all_prefs", f"prefs=[{LIGHT}, None]", f"[{LIGHT}, None]"),
    case("jsonb_array_gathered", "SELECT array_agg(prefs) AS v FROM item", "", f"[{DARK}]"),
    case("jsonb_any", "SELECT id FROM item WHERE prefs = ANY(@prefs)", f"prefs=[{DARK}]", "1"),
    case("jsonb_of_domain", "SELECT own FROM item", "", LIGHT),
    case("jsonb_of_domain_write", "UPDATE item SET own = @own RETURNING own", f"own={DARK}", DARK),
    case("jsonb_key", "SELECT id FROM item WHERE prefs ? @key", "key='dark'", "1"),
    case("jsonb_text", "SELECT prefs ->> @key::text AS v FROM item", "key='dark'", "'true'"),
    case("composite", "SELECT parcel FROM item", "", f"Parcel(Size.LARGE, 3, {DARK}, Email('c@d'))"),
    case("composite_array", "SELECT parcels FROM item", "", "[Parcel(Size.SMALL, None, None, None)]"),
    case("composite_write", "UPDATE item SET parcel = @parcel RETURNING parcel", f"parcel=Parcel(Size.SMALL, 1, {LIGHT}, Email('e@f'))", f"Parcel(Size.SMALL, 1, {LIGHT}, Email('e@f'))"),
    case("whole_row", "SELECT * FROM item", "", "ROW"),
    case("unnest", "INSERT INTO item (id, tag, tags, email, prefs, all_prefs) SELECT unnest(@ids::int[]), unnest(@tags::text[]), '{}', 'a@b', '{\"dark\": true}', '{}' RETURNING tag", "ids=[2], tags=['p']", "Tag('p')"),
    case("batch", "INSERT INTO item (id, tag, tags, email, prefs, all_prefs) VALUES (@id, @tag, @tags, @email, @prefs, @all_prefs)", f"[BatchParams(id=5, tag=Tag('n'), tags=[Tag('m')], email=Email('o@p'), prefs={DARK}, all_prefs=[{DARK}])]", "None", "batchexec"),
    case("copy", "INSERT INTO item (id, tag, tags, email, prefs, all_prefs) VALUES (@id, @tag, @tags, @email, @prefs, @all_prefs)", f"[CopyParams(id=6, tag=Tag('n'), tags=[Tag('m')], email=Email('o@p'), prefs={DARK}, all_prefs=[{DARK}])]", "1", "copyfrom"),
    case("bulk", "INSERT INTO item (id, tag, tags, email, prefs, all_prefs) VALUES (@id, @tag, '{}', @email, @prefs, '{}') RETURNING tag", f"[BulkParams(id=7, tag=Tag('n'), email=Email('o@p'), prefs={DARK})]", "Tag('n')", "many :bulk"),
]  # fmt: skip
MYSQL_SCHEMA = """
CREATE TABLE item (
    id int PRIMARY KEY,
    tag varchar(50) NOT NULL,
    maybe varchar(50),
    size enum('small', 'large') NOT NULL,
    code int unsigned NOT NULL,
    plain int NOT NULL,
    flag tinyint(1) NOT NULL,
    mail char(20) NOT NULL,
    prefs json NOT NULL,
    made year
);
"""
MYSQL_OVERRIDES = f"""\
overrides: [
  {{column: item.tag, {_TAG}}}, {{column: item.maybe, {_TAG}}},
  {{db_type: enum, type: app_of_tests.Size, encode: app_of_tests.from_size, decode: app_of_tests.Size}},
  {{db_type: char(20), type: app_of_tests.Email, encode: app_of_tests.from_email, decode: app_of_tests.Email}},
  {{db_type: json, type: app_of_tests.Prefs}},
  {{db_type: boolean, type: app_of_tests.Flag, encode: app_of_tests.from_flag, decode: app_of_tests.Flag}},
  {{db_type: integer unsigned, type: app_of_tests.Code, encode: app_of_tests.from_code, decode: app_of_tests.Code}}],
models: msgspec"""
MYSQL_ADDED = (
    """INSERT INTO item VALUES (1, 'a', NULL, 'small', 4, 5, 1, 'a@b', '{"dark": true}', 2020)"""
)
MYSQL_CASES = [
    case("column", "SELECT tag FROM item", "", "Tag('a')"),
    case("nullable", "SELECT maybe FROM item", "", "None"),
    case("equal", "SELECT id FROM item WHERE tag = sqlc.arg(tag)", "tag=Tag('a')", "1"),
    case("slice", "SELECT id FROM item WHERE tag IN (sqlc.slice(tags))", "tags=[Tag('a')]", "1"),
    case("listed", "SELECT id FROM item WHERE tag IN (sqlc.arg(a), sqlc.arg(b))", "a=Tag('a'), b=Tag('b')", "1"),
    case("like", "SELECT id FROM item WHERE tag LIKE sqlc.arg(pattern)", "pattern='a%'", "1"),
    case("not_like", "SELECT id FROM item WHERE tag NOT LIKE sqlc.arg(pattern)", "pattern='b%'", "1"),
    case("regexp", "SELECT id FROM item WHERE tag REGEXP sqlc.arg(pattern)", "pattern='^a'", "1"),
    case("between", "SELECT id FROM item WHERE tag BETWEEN sqlc.arg(low) AND sqlc.arg(high)", "low=Tag('a'), high=Tag('b')", "1"),
    case("null_safe", "SELECT id FROM item WHERE maybe <=> sqlc.arg(tag)", "tag=None", "1"),
    case("write", "UPDATE item SET tag = sqlc.arg(tag)", "tag=Tag('z')", "None", "exec"),
    case("enum", "SELECT size FROM item", "", "Size.SMALL"),
    case("enum_equal", "SELECT id FROM item WHERE size = sqlc.arg(size)", "size=Size.SMALL", "1"),
    case("enum_slice", "SELECT id FROM item WHERE size IN (sqlc.slice(sizes))", "sizes=[Size.SMALL]", "1"),
    case("enum_write", "UPDATE item SET size = sqlc.arg(size)", "size=Size.LARGE", "None", "exec"),
    case("unsigned", "SELECT code FROM item", "", "Code(4)"),
    case("unsigned_equal", "SELECT id FROM item WHERE code = sqlc.arg(code)", "code=Code(4)", "1"),
    case("signed", "SELECT plain FROM item", "", "5"),
    case("flag", "SELECT flag FROM item", "", "Flag(1)"),
    case("flag_equal", "SELECT id FROM item WHERE flag = sqlc.arg(flag)", "flag=Flag(1)", "1"),
    case("sized", "SELECT mail FROM item", "", "Email('a@b')"),
    case("sized_like", "SELECT id FROM item WHERE mail LIKE sqlc.arg(pattern)", "pattern='%@b'", "1"),
    case("json", "SELECT prefs FROM item", "", DARK),
    case("json_write", "UPDATE item SET prefs = sqlc.arg(prefs)", f"prefs={LIGHT}", "None", "exec"),
    case("whole_row", "SELECT * FROM item", "", "ROW"),
    case("union", "SELECT tag FROM item UNION SELECT tag FROM item", "", "Tag('a')"),
    case("batch", "INSERT INTO item (id, tag, size, code, plain, flag, mail, prefs) VALUES (sqlc.arg(id), sqlc.arg(tag), sqlc.arg(size), sqlc.arg(code), 1, sqlc.arg(flag), sqlc.arg(mail), sqlc.arg(prefs))", f"[BatchParams(id=5, tag=Tag('n'), size=Size.LARGE, code=Code(3), flag=Flag(0), mail=Email('o@p'), prefs={DARK})]", "None", "batchexec"),
]  # fmt: skip


def queries(cases: list[Any]) -> str:
    """Return the queries of all cases."""
    return "\n".join(
        f"-- name: {item.name.title().replace('_', '')} :{item.command}\n{item.sql};"
        for item in (param.values[0] for param in cases)
    )


@contextmanager
def made(
    engine: Engine, driver: str, folder: Path, texts: tuple[str, str], options: str
) -> Iterator[Subject]:
    """Yield the compiled queries of a driver, and a database for them."""
    (folder / "app_of_tests.py").write_text(CLASSES)
    options = options.replace("\n", " ")
    with (
        engine.compiled(folder, driver, texts=texts, options=options, warned=True) as name,
        engine.database(texts[0]) as url,
        engine.connected(driver, name, url) as found,
    ):
        yield found
        sys.modules.pop("app_of_tests", None)


@pytest.fixture(scope="module", params=PLAIN)
def on_postgres(
    request: pytest.FixtureRequest, postgres: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    folder, texts = tmp_path_factory.mktemp("overrides"), (POSTGRES_SCHEMA, queries(CASES))
    with made(postgres, request.param, folder, texts, OVERRIDES) as found:
        yield found


@pytest.fixture(scope="module", params=("aiomysql", "pymysql"))
def on_mysql(
    request: pytest.FixtureRequest, mysql: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    folder, texts = tmp_path_factory.mktemp("overrides"), (MYSQL_SCHEMA, queries(MYSQL_CASES))
    with made(mysql, request.param, folder, texts, MYSQL_OVERRIDES) as found:
        yield found


ARRAYS = """\
overrides: [
  {db_type: "text[]", type: app_of_tests.Tag, decode: app_of_tests.to_tag, encode: app_of_tests.from_tag},
  {db_type: "jsonb[]", type: app_of_tests.Prefs}],
models: msgspec"""
ARRAY_CASES = [
    case("whole_row", "SELECT * FROM item", "", "ROW"),
    case("array", "SELECT tags FROM item", "", "[Tag('a'), Tag('b')]"),
    case("array_write", "UPDATE item SET tags = @tags RETURNING tags", "tags=[Tag('z'), None]", "[Tag('z'), None]"),
    case("array_any", "SELECT id FROM item WHERE tag = ANY(@tags)", "tags=[Tag('a')]", "1"),
    case("element", "SELECT id FROM item WHERE @tag = ANY(tags)", "tag='a'", "1"),
    case("jsonb_array", "SELECT all_prefs FROM item", "", f"[{DARK}, None]"),
    case("jsonb_array_write", "UPDATE item SET all_prefs = @prefs RETURNING all_prefs", f"prefs=[{LIGHT}, None]", f"[{LIGHT}, None]"),
    case("jsonb_array_gathered", "SELECT array_agg(prefs) AS v FROM item", "", f"[{DARK}]"),
]  # fmt: skip


@pytest.fixture(scope="module", params=PLAIN)
def with_arrays(
    request: pytest.FixtureRequest, postgres: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    folder, texts = tmp_path_factory.mktemp("arrays"), (POSTGRES_SCHEMA, queries(ARRAY_CASES))
    with made(postgres, request.param, folder, texts, ARRAYS) as found:
        yield found


class Row:
    """A row as its fields, independent of its class."""

    def __init__(self, **fields: object) -> None:
        self.fields = fields

    def __eq__(self, other: object) -> bool:
        return all(getattr(other, name) == value for name, value in self.fields.items())

    def __repr__(self) -> str:
        return f"Row({self.fields})"

    __hash__ = None  # type: ignore[assignment]  # compared, not kept


def judged(subject: Subject, case: Case, added: str) -> None:
    """Call a case's function on one row; compare the result with the value and the signature."""
    known = {**vars(__import__("app_of_tests")), **vars(subject.module("models")), "R": Row}
    known |= vars(subject.module())
    for statement in ("TRUNCATE TABLE item", added):
        subject.wait(subject.db.execute(statement))
    words = case.given if case.given.startswith("[") else f"**dict({case.given})"
    args, kwargs = eval(f"(lambda *a, **k: (a, k))({words})", known)
    found = subject.call(case.name, *args, **kwargs)
    if case.returned != "ROW":
        wanted = eval(case.returned, known)
        rows = list(wanted) if isinstance(wanted, tuple) else [wanted]
        assert found == (rows if case.command.startswith("many") else wanted)
    function = getattr(subject.module(), case.name)
    assert unlike(found, get_type_hints(function)["return"]) == ""


@pytest.mark.parametrize("case", CASES)
def test_override_applies_to_what_goes_in_and_comes_out(on_postgres: Subject, case: Case) -> None:
    judged(on_postgres, case, ADDED)


@pytest.mark.parametrize("case", ARRAY_CASES)
def test_override_of_an_array_type_applies_to_its_elements(
    with_arrays: Subject, case: Case
) -> None:
    judged(with_arrays, case, ADDED)


@pytest.mark.parametrize("case", MYSQL_CASES)
def test_override_on_mysql_applies_to_what_goes_in_and_comes_out(
    on_mysql: Subject, case: Case
) -> None:
    judged(on_mysql, case, MYSQL_ADDED)


SELFCHECK = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python:
        out: checked
        models: msgspec
        overrides: [{db_type: jsonb, type: app_of_tests.Prefs}]
"""


def test_selfcheck_makes_and_judges_documents_of_a_typed_dict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "sqlc.yaml": SELFCHECK,
        "schema.sql": "CREATE TABLE t (id int PRIMARY KEY, prefs jsonb NOT NULL);",
        "queries.sql": """
-- name: Put :one
INSERT INTO t VALUES (@id, @prefs) RETURNING prefs;
-- name: PutAll :exec :bulk
INSERT INTO t VALUES (@id, @prefs);
""",
        "app_of_tests.py": CLASSES,
    }
    config = str(write_project(tmp_path, files) / "sqlc.yaml")
    assert main(["generate", "-f", config]) == 0
    assert main(["selfcheck", "-f", config]) == 0
    said = capsys.readouterr()
    assert "never" not in said.out + said.err


@pytest.mark.parametrize("kind", ["app_of_tests.Nope", "no_such_module.Prefs"])
def test_selfcheck_reports_an_override_that_cannot_be_imported_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    files = {
        "sqlc.yaml": SELFCHECK.replace("app_of_tests.Prefs", kind),
        "schema.sql": "CREATE TABLE t (id int PRIMARY KEY, prefs jsonb NOT NULL);",
        "queries.sql": "-- name: A :many\nSELECT prefs FROM t;\n-- name: B :many\nTABLE t;\n",
        "app_of_tests.py": CLASSES,
    }
    config = str(write_project(tmp_path, files) / "sqlc.yaml")
    assert main(["selfcheck", "-f", config]) == 1
    said = capsys.readouterr().err
    assert said.count("error[") == 1
    assert f"error[E343]: `{kind}` cannot be imported" in said


def test_batch_without_a_parameter_is_an_error(tmp_path: Path, postgres: Engine) -> None:
    texts = "CREATE TABLE t (id int);", "-- name: Add :batchexec\nINSERT INTO t VALUES (1);\n"
    with pytest.raises(AssertionError, match="E330"):
        postgres.compiled(tmp_path, "asyncpg", texts=texts).__enter__()
