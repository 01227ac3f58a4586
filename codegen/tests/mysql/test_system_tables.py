"""Queries about the server's own tables: typed by the server's catalog, not by the schema."""

from __future__ import annotations

import pytest
from aiosqlc.ir import AnalyzeOptions

from tests.mysql.conftest import analysed, without_mysql_server_url
from tests.mysql.generated import Generate, generate, judged
from tests.servers.mysql import TestMysql

__all__ = ["generate"]
# What projects tell sqlc, which knows of no table that no schema declares.
SCHEMA = """
CREATE SCHEMA information_schema;
CREATE TABLE information_schema.columns (table_name int NOT NULL);
CREATE TABLE t (id int PRIMARY KEY, note text);
"""
QUERY = """
-- name: Columns :many
SELECT column_name, ordinal_position, is_nullable = 'YES' AS nullable, t.table_type
FROM INFORMATION_SCHEMA.COLUMNS c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE table_schema = ? AND table_name IN (sqlc.slice(tables)) AND ordinal_position >= sqlc.arg(at)
ORDER BY ordinal_position;
"""


async def test_a_query_about_the_servers_own_tables_is_typed_by_the_server(
    generate: Generate,
) -> None:
    store = generate(SCHEMA.partition(";\n")[2].partition(";\n")[2], QUERY)
    q = store.module()
    async with store.connected() as db:
        database = store.url.rpartition("/")[2].partition("?")[0]
        rows = await q.columns(db, table_schema=database, tables=["t"], at=1)
    assert [(row.column_name, row.ordinal_position, row.nullable) for row in rows] == [
        ("id", 1, False),
        ("note", 2, True),
    ]
    assert not judged(q.columns, rows)


@pytest.mark.parametrize("own", [True, False], ids=["private", "somebody's"])
def test_a_schema_that_declares_them_is_told_so_and_costs_nothing(
    mysql_cache, mysql_server: TestMysql, own: bool
) -> None:
    url = None if own else mysql_server.create_empty()
    analysis, problems = analysed(SCHEMA, QUERY, AnalyzeOptions(url, mysql_cache))
    assert [(item.code, str(item.severity)) for item in problems] == [("E217", "warning")] * 2
    assert [table.name for table in analysis.catalog.tables] == ["t"]
    assert [column.type.name for column in analysis.queries[0].columns][:1] == ["varchar"]
    if url:
        mysql_server.drop(url)


@without_mysql_server_url
@pytest.mark.parametrize(("server", "claimed"), [("mariadb", True), ("mysql", False)])
def test_what_is_never_null_in_mariadbs_own_tables_may_be_in_mysqls(
    mysql_cache, server, claimed
) -> None:
    options = AnalyzeOptions(cache_dir=mysql_cache, server=server)
    analysis, _ = analysed(SCHEMA, QUERY, options)
    assert analysis.queries[0].columns[0].not_null is claimed
