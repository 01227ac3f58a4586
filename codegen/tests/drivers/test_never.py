"""E371 is an error exactly if the server refuses a statement in every tried state."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from aiosqlc import mysql as mysql_engine
from aiosqlc.diagnostics import Severity
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.parse.queries import parse_files
from aiosqlc.postgres import Analyzer
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile

from tests.drivers.connecting_mysql import arguments_of
from tests.drivers.running import Engine

POSTGRES_SCHEMA = """
CREATE TABLE log (id int);
CREATE TABLE u (id int PRIMARY KEY, n int NOT NULL);
CREATE TABLE ruled (id int, n int NOT NULL);
CREATE RULE some_of_them AS ON INSERT TO ruled WHERE NEW.n IS NULL
    DO INSTEAD INSERT INTO log VALUES (1);
CREATE TABLE dropped (id int, n int NOT NULL);
CREATE RULE all_of_them AS ON INSERT TO dropped DO INSTEAD NOTHING;
CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY, n int NOT NULL DEFAULT 1);
CREATE TABLE filled (id int, n int NOT NULL);
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.n := 1; RETURN NEW; END $$;
CREATE TRIGGER fills BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fill();
"""
POSTGRES = [
    "INSERT INTO u (id) VALUES (1)",
    "INSERT INTO u (id, n) VALUES (1, NULL)",
    "INSERT INTO u (id) VALUES (1), (2)",
    "INSERT INTO u DEFAULT VALUES",
    "INSERT INTO u (id) VALUES (1) ON CONFLICT DO NOTHING",
    "INSERT INTO u (id) SELECT id FROM log",
    "INSERT INTO u (id) SELECT id FROM log WHERE false",
    "INSERT INTO u (id) SELECT 1",
    "INSERT INTO u (id) SELECT 1 WHERE false",
    "INSERT INTO u (id) SELECT 1 LIMIT 0",
    "INSERT INTO u (id) SELECT generate_series(1, 0)",
    "WITH x AS (INSERT INTO u (id) SELECT id FROM log RETURNING id) SELECT id FROM x",
    "WITH x AS (INSERT INTO u (id) VALUES (1) RETURNING id) SELECT id FROM x",
    "MERGE INTO u USING log ON u.id = log.id WHEN NOT MATCHED THEN INSERT (id) VALUES (log.id)",
    "INSERT INTO ruled (id) VALUES (1)",
    "INSERT INTO ruled (id) SELECT id FROM log",
    "INSERT INTO dropped (id) VALUES (1)",
    "INSERT INTO made DEFAULT VALUES",
    "INSERT INTO filled (id) VALUES (1)",
    "INSERT INTO log (id) VALUES (NULL)",
    "UPDATE u SET n = NULL",
]
MYSQL_SCHEMA = """
CREATE TABLE log (id int);
CREATE TABLE u (id int PRIMARY KEY, n int NOT NULL);
CREATE TABLE d (id int AUTO_INCREMENT PRIMARY KEY, n int NOT NULL DEFAULT 1);
CREATE TABLE m (id int, n int NOT NULL) ENGINE=MyISAM;
CREATE TABLE a (id int, n int NOT NULL) ENGINE=Aria;
CREATE TABLE e (id int, n int NOT NULL) ENGINE=MEMORY;
CREATE TABLE filled (id int, n int NOT NULL);
CREATE TRIGGER fills BEFORE INSERT ON filled FOR EACH ROW SET NEW.n = 1;
"""
MYSQL = [
    "INSERT INTO u (id) VALUES (1)",
    "INSERT INTO u () VALUES ()",
    "INSERT INTO u VALUES ()",
    "INSERT INTO u () VALUES (1, 2)",
    "INSERT INTO d () VALUES ()",
    "INSERT INTO d VALUES ()",
    "INSERT INTO d SET n = 3",
    "INSERT INTO u (id, n) VALUES (1, NULL)",
    "INSERT INTO u (id, n) VALUES (1, 1), (2, NULL)",
    "INSERT INTO m (id) VALUES (1)",
    "INSERT INTO m (id, n) VALUES (1, 1), (2, NULL)",
    "INSERT INTO m (id, n) VALUES (1, NULL), (2, 1)",
    "INSERT INTO m (id, n) VALUES (1, NULL)",
    "INSERT INTO a (id, n) VALUES (1, 1), (2, NULL)",
    "INSERT INTO e (id, n) VALUES (1, 1), (2, NULL)",
    "INSERT INTO e (id, n) VALUES (1, NULL)",
    "INSERT INTO u (id) SELECT id FROM log",
    "INSERT INTO u (id, n) SELECT id, NULL FROM log",
    "INSERT INTO u (id) VALUES (9) ON DUPLICATE KEY UPDATE n = n + 1",
    "INSERT INTO u (id, n) VALUES (1, NULL) ON DUPLICATE KEY UPDATE n = n + 1",
    "INSERT IGNORE INTO u (id) VALUES (1)",
    "REPLACE INTO u (id) VALUES (1)",
    "INSERT INTO filled (id) VALUES (1)",
    "UPDATE u SET n = NULL",
]
STATES = ("", "INSERT INTO log VALUES (1)", "INSERT INTO u VALUES (9, 1)")


def refused(
    statements: list[str], schema: str, dialect: Dialect, url: str
) -> tuple[set[str], list[str]]:
    """Return the statements with the error E371, and the other errors."""
    queries = (f"-- name: Q{at} :exec\n{text};\n" for at, text in enumerate(statements))
    parsed, problems = parse_files([SourceFile(Path("q.sql"), "".join(queries))], dialect)
    files = [schema_file(SourceFile(Path("s.sql"), schema), dialect)]
    if dialect is Dialect.MYSQL:
        _, found = mysql_engine.analyze(files, parsed, AnalyzeOptions(url))
    else:
        with Analyzer() as analyzer:
            _, found = analyzer.analyze(files, parsed, AnalyzeOptions(url))
    errors = [item for item in (*problems, *found) if item.severity is Severity.ERROR]
    never = {item.message.split("`")[1] for item in errors if item.code == "E371"}
    others = [item.message for item in errors if item.code != "E371"]
    return {text for at, text in enumerate(statements) if f"Q{at}" in never}, others


def always_fails(db: Any, tables: str, statement: str) -> bool:
    """Return whether the server refuses a statement in each state."""
    for state in STATES:
        for table in tables.split():
            db.execute(f"DELETE FROM {table}")
        if state:
            db.execute(state)
        try:
            db.execute(statement)
        except (psycopg.Error, pymysql.MySQLError):
            continue
        return False
    return True


def wrong(engine: Engine, schema: str, statements: list[str], tables: str) -> list[str]:
    """Return the statements about which compiler and server disagree."""
    dialect = Dialect.MYSQL if engine.name == "mysql" else Dialect.POSTGRESQL
    with engine.database("") as url:
        found, others = refused(statements, schema, dialect, url)
    assert others == []
    with engine.database(schema) as url, contextlib.ExitStack() as stack:
        if engine.name == "mysql":
            db: Any = stack.enter_context(pymysql.connect(**arguments_of(url))).cursor()
        else:
            db = stack.enter_context(psycopg.connect(url, autocommit=True))
        return [text for text in statements if (text in found) != always_fails(db, tables, text)]


def test_postgres_statement_is_an_error_if_it_fails_in_every_state(postgres: Engine) -> None:
    assert wrong(postgres, POSTGRES_SCHEMA, POSTGRES, "log u ruled made filled") == []


def test_mysql_statement_is_an_error_if_it_fails_in_every_state(mysql: Engine) -> None:
    assert wrong(mysql, MYSQL_SCHEMA, MYSQL, "log u d m a e filled") == []
