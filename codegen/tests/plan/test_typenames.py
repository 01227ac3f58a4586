# ruff: noqa: E501 - tables, one case a line
"""Names of types in `db_type`: each means what the server reads in a column's declaration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from aiosqlc.analysis.typenames import built_in_types, named
from aiosqlc.analysis.typenames.mysql import ALIASES as OF_MYSQL
from aiosqlc.analysis.typenames.mysql import declared
from aiosqlc.analysis.typenames.postgres import ALIASES
from aiosqlc.ir import SqlType
from aiosqlc.pipeline.compile import compile_project
from aiosqlc.source import Dialect

from tests.drivers.connecting_mysql import arguments_of
from tests.golden import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.mysql import TestMysql
from tests.servers.postgres import TestPostgres

WRITTEN = (
    "varchar(10)", "character varying(3)", "numeric(10, 2)", "decimal(5)", "timestamp(3)",
    "timestamp(3) with time zone", "TIME WITHOUT TIME ZONE", "time (2) with time zone",
    "float(10)", "float(30)", "text[]", "integer[3]", "int array", "interval year to month",
    "interval(3)", "bit(3)", "bit varying(5)", '"char"', "pg_catalog.int4", "Double   Precision",
    "national character varying(5)", "nchar(3)", 'odd."Mixed Case"', 'odd."a.b"[]', "jsonb",
)  # fmt: skip
ODD = """
CREATE SCHEMA odd;
CREATE TYPE odd."Mixed Case" AS ENUM ('a');
CREATE DOMAIN odd."a.b" AS int;
"""


@pytest.fixture(scope="module")
def postgres(postgres_server: TestPostgres) -> Iterator[psycopg.Connection[Any]]:
    url = postgres_server.create_empty()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ODD)
        yield connection
    postgres_server.drop(url)


@pytest.mark.parametrize("text", [*ALIASES, *WRITTEN])
def test_postgres_names_mean_what_the_server_declares(
    postgres: psycopg.Connection[Any], text: str
) -> None:
    postgres.execute("DROP TABLE IF EXISTS t")
    postgres.execute(f"CREATE TABLE t (c {text})")
    row = postgres.execute(
        """SELECT e.typname, e.typnamespace::regnamespace::text, e.oid <> a.atttypid
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_type e ON e.oid = CASE t.typcategory WHEN 'A' THEN t.typelem ELSE t.oid END
        WHERE attrelid = 't'::regclass AND attname = 'c'"""
    ).fetchone()
    assert row is not None
    name, schema, is_array = row
    found = named(Dialect.POSTGRESQL, text)
    assert found.type is not None
    assert (found.type.name, bool(found.type.array_dims)) == (name, is_array)
    assert found.type.schema in {"", schema}


MYSQL_WRITTEN = (
    "bool", "boolean", "serial", "int unsigned", "tinyint(1)", "tinyint",
    "INT(10) UNSIGNED ZEROFILL",
    "bigint unsigned", "varchar(20)", "char(36)", "binary(16)", "decimal(10,2)", "dec(5)",
    "float(10)", "float(30)", "float unsigned", "datetime(6)", "timestamp", "bit(3)", "year",
    "varchar(3) character set latin1 collate latin1_bin", "enum('a', 'B')", "set('a','b')",
    "text", "longblob", "double  precision", "bigint signed", "geometry", "point", "uuid",
)  # fmt: skip


@pytest.fixture(scope="module")
def mysql(mysql_server: TestMysql) -> Iterator[Any]:
    url = mysql_server.create_empty()
    with pymysql.connect(**arguments_of(url)) as connection, connection.cursor() as cursor:
        yield cursor
    mysql_server.drop(url)


@pytest.mark.parametrize("text", [*OF_MYSQL, *MYSQL_WRITTEN])
def test_mysql_names_mean_what_the_server_declares(mysql: Any, text: str) -> None:
    sized = "varchar" in text or "varying" in text or text == "nvarchar"
    declaration = f"{text}(5)" if sized and "(" not in text and "long" not in text else text
    mysql.execute("DROP TABLE IF EXISTS t")
    mysql.execute(f"CREATE TABLE t (c {declaration})")
    mysql.execute(
        "SELECT column_type FROM information_schema.columns"
        " WHERE table_schema = database() AND table_name = 't'"
    )
    [(shown,)] = mysql.fetchall()
    real = declared(shown, enum_name="t_c")
    assert named(Dialect.MYSQL, text).fits(real), f"{text} is {shown}"
    others = {"int": "bigint", "varchar": "char"}
    assert not named(Dialect.MYSQL, text).fits(SqlType("", others.get(real.name, "int")))


@pytest.mark.parametrize(
    ("engine", "text", "fitting", "unfitting"),
    [
        (Dialect.POSTGRESQL, "varchar(3)", SqlType("pg_catalog", "varchar", length=3), SqlType("pg_catalog", "varchar", length=4)),
        (Dialect.POSTGRESQL, "numeric(4,2)", SqlType("pg_catalog", "numeric", precision=4, scale=2), SqlType("pg_catalog", "numeric", precision=4, scale=0)),
        (Dialect.POSTGRESQL, "char", SqlType("pg_catalog", "bpchar", length=3), SqlType("pg_catalog", "char")),
        (Dialect.POSTGRESQL, '"char"', SqlType("pg_catalog", "char"), SqlType("pg_catalog", "bpchar")),
        (Dialect.POSTGRESQL, "a.mood", SqlType("a", "mood"), SqlType("b", "mood")),
        (Dialect.MYSQL, "boolean", declared("tinyint(1)"), declared("tinyint(4)")),
        (Dialect.MYSQL, "int unsigned", declared("int(10) unsigned"), declared("int(11)")),
        (Dialect.MYSQL, "binary(16)", declared("binary(16)"), declared("binary(4)")),
        (Dialect.MYSQL, "enum", declared("enum('a')", enum_name="t_c"), declared("varchar(3)")),
    ],
)  # fmt: skip
def test_length_sign_and_schema_restrict_a_name_where_written(
    engine: Dialect, text: str, fitting: SqlType, unfitting: SqlType
) -> None:
    assert named(engine, text).fits(fitting)
    assert not named(engine, text).fits(unfitting)


def test_every_built_in_type_is_named_by_its_own_name() -> None:
    for engine in Dialect:
        for sql in built_in_types(engine):
            text = f'"{sql.name}"' if engine is Dialect.POSTGRESQL else sql.name
            assert named(engine, text).fits(sql), sql.name


PROJECT = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen: {{python: {{out: out, overrides: [{{db_type: '{name}', type: builtins.int}}]}}}}
"""


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("integre", "did you mean `integer`?"),
        ("charcter varying", "did you mean `character varying`?"),
        ("jsonbb", "did you mean `jsonb`?"),
        ("modo", "did you mean `mood`?"),
        ("nowhere.int4", "write the type as"),
        ("int unsigned", "write the type as"),
        ("mood", ""),
        ("public.mood", ""),
        ("Mixed Case", ""),
        ("text[]", ""),
    ],
)
def test_unknown_type_is_an_error_with_a_suggestion(
    tmp_path: Path, postgres_server: TestPostgres, name: str, hint: str
) -> None:
    schema = "CREATE TYPE mood AS ENUM ('a'); CREATE TYPE \"Mixed Case\" AS ENUM ('b');"
    files = {"sqlc.yaml": PROJECT.format(name=name), "schema.sql": schema}
    files["queries.sql"] = "-- name: One :one\nSELECT 1 AS one;\n"
    url = postgres_server.create_empty()
    done = compile_project(loaded(write_project(tmp_path, files)), analyzer_on(url))
    postgres_server.drop(url)
    assert [item.code for item in done.diagnostics] == (["E340"] if hint else [])
    assert all(hint in item.hint for item in done.diagnostics)
