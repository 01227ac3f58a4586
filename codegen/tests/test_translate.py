"""Projects of other tools become projects of sqlc: their SQL stays, annotations change."""

from __future__ import annotations

import pytest

from tools.realworld.translate import translate

AIOSQL = """\
-- name: get-user^
-- One of them.
SELECT * FROM u WHERE id = :id AND at::date = ':x';
-- name: add(a, b)!
INSERT INTO u VALUES (:a, :b);
"""
PUGSQL = """\
-- :name ids :many
SELECT id FROM u;
-- :name put :affected
UPDATE u SET n = :n;
"""
HUGSQL = """\
-- :name find-them! :? :*
-- :doc Of some kinds
SELECT * FROM u WHERE id IN (:v*:the-ids) AND at::date = :at
/*~ (when (:n params) */ AND n = :n /*~ ) ~*/;
-- :name add :<!
INSERT INTO u (n) VALUES (:n) RETURNING id;
"""
PGTYPED = """\
/* @name find
  @param ids -> (...)
*/
SELECT * FROM u WHERE id IN :ids AND n = :n;
/* @name put
  @param rows -> ((id!,
  n)...) */
INSERT INTO u VALUES :rows;
/* @name end */
WITH x AS (DELETE FROM v RETURNING 1) UPDATE u SET n = :n!;
"""
SQLDELIGHT = """\
CREATE TABLE u (id uuid);
all:
SELECT * FROM u WHERE id = ? OR id = ?;

add:
INSERT INTO u(id, n) VALUES ?;
"""
CASES = {
    "aiosql": (
        AIOSQL,
        """\
-- name: get_user :one
-- One of them.
SELECT * FROM u WHERE id = @id AND at::date = ':x';

-- name: add :exec
INSERT INTO u VALUES (@a, @b);
""",
    ),
    "hugsql": (
        HUGSQL,
        """\
-- name: find_them :many
-- :doc Of some kinds
SELECT * FROM u WHERE id IN (sqlc.slice('the_ids')) AND at::date = @at
 AND n = @n;

-- name: add :one
INSERT INTO u (n) VALUES (@n) RETURNING id;
""",
    ),
    "pugsql": (
        PUGSQL,
        """\
-- name: ids :many
SELECT id FROM u;

-- name: put :execrows
UPDATE u SET n = @n;
""",
    ),
    "pgtyped": (
        PGTYPED,
        """\
-- name: find :many
SELECT * FROM u WHERE id IN (sqlc.slice('ids')) AND n = sqlc.narg('n');

-- name: put :exec
INSERT INTO u VALUES (@id, @n);

-- name: end :exec
WITH x AS (DELETE FROM v RETURNING 1) UPDATE u SET n = @n;
""",
    ),
    "squirrel": ("SELECT $1::int AS one", "-- name: file :many\nSELECT $1::int AS one;\n"),
    "sqldelight": (
        SQLDELIGHT,
        """\
-- name: all :many
SELECT * FROM u WHERE id = $1 OR id = $2;

-- name: add :exec
INSERT INTO u(id, n) VALUES (@id, @n);
""",
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_only_annotations_and_parameters_change(kind: str) -> None:
    text, queries = CASES[kind]
    assert translate(kind, "file", text)[0] == queries


def test_tables_of_a_file_with_queries_are_its_schema() -> None:
    assert translate("sqldelight", "file", SQLDELIGHT)[1] == "CREATE TABLE u (id uuid);\n"
