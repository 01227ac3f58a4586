"""A type that the server changes when it executes a statement is not claimed."""

from __future__ import annotations

import pytest

from devstack.testing.components import program
from tests.codegen.fuzz_mysql.hunt import Hunt
from tests.codegen.fuzz_mysql.refuted import mistyped

QUERY = """\
SELECT {}(q.c) AS c
FROM (SELECT (SELECT COALESCE(MAX(TIME '01:02:03'), 'bad') FROM b) AS c FROM b) AS q"""


@pytest.mark.parametrize("function", ["TIME_TO_SEC", "UNIX_TIMESTAMP"])
def test_a_number_made_of_a_time_or_a_text_is_typed_as_it_comes(function: str) -> None:
    program("mariadbd", "mysqld")
    hunt = Hunt(None, 1, worlds=2)
    try:
        sql = QUERY.format(function)
        hunt.use(hunt.database)
        typed = hunt.typed(sql, hunt.by_server)
        assert typed is not None
        hunt.use(hunt.worlds[1])
        rows = hunt.rows(sql, [], typed)
        assert rows
        assert not mistyped(sql, typed, rows)
    finally:
        hunt.close()
