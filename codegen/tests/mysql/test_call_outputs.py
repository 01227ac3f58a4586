"""Arguments of OUT and INOUT parameters: the compiler reports what the server refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest
from aiosqlc.servers.mysql.session import open_session

from tests.mysql.conftest import SERVER_URL, Compile

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY);
CREATE PROCEDURE p(IN x int, OUT y int) SET y = x + 1;
CREATE PROCEDURE q(INOUT `y,y` int, z decimal(5, 2)) SET `y,y` = z;
CREATE PROCEDURE r(x int) DO x;
CREATE FUNCTION f(x int) RETURNS int DETERMINISTIC RETURN x;
"""
# Each call, and the parameter that it cannot assign.
CALLS = (
    ("p(1, @v)", ""),
    ("p((1 + 2) * 3, @v)", ""),
    ("p(1, 2)", "`y` of `p` is an OUT parameter"),
    ("p(coalesce(1, 2), NULL)", "`y` of `p` is an OUT parameter"),
    ("P(1, f(2))", "`y` of `P` is an OUT parameter"),
    ("`p`(1 /* , */, 'a,b')", "`y` of `p` is an OUT parameter"),
    ("q(@v, 1.5)", ""),
    ("q(3, 1.5)", "`y,y` of `q` is an INOUT parameter"),
    ("r(1)", ""),
)


@contextmanager
def opened(cache: Path) -> Iterator[Any]:
    """Yield a connection to a database with the schema; another session may have emptied it."""
    session = open_session(SERVER_URL, cache)
    session.run("DROP DATABASE IF EXISTS called_outputs")
    session.run("CREATE DATABASE called_outputs")
    session.connection.select_db("called_outputs")
    for statement in filter(str.strip, SCHEMA.split(";\n")):
        session.run(statement)
    try:
        yield session.connection
    finally:
        session.run("DROP DATABASE called_outputs")
        session.connection.close()


def test_an_output_argument_must_be_a_session_variable(
    compile_: Compile, mysql_cache: Path
) -> None:
    text = "".join(f"-- name: Q{n} :exec\nCALL {call};\n" for n, (call, _) in enumerate(CALLS))
    _, problems = compile_(SCHEMA, text)
    said = [problem.message for problem in problems if problem.code == "E371"]
    for number, (_, parameter) in enumerate(CALLS):
        about = [message for message in said if message.startswith(f"`Q{number}` ")]
        assert [parameter in message for message in about] == [True] * bool(parameter)
    with opened(mysql_cache) as connection:
        cursor = connection.cursor()
        for call, parameter in CALLS:
            if not parameter:
                cursor.execute(f"CALL {call}")
                continue
            with pytest.raises(pymysql.OperationalError, match="OUT or INOUT argument"):
                cursor.execute(f"CALL {call}")


def test_a_parameter_is_not_an_output_argument(compile_: Compile) -> None:
    _, (problem,) = compile_(SCHEMA, "-- name: Q :exec\nCALL p(?, sqlc.arg(out));")
    (label,) = problem.labels
    assert (problem.code, label.file.text[label.span.start :][:8]) == ("E371", "sqlc.arg")
    assert "`SELECT @y` on the same connection" in problem.hint
