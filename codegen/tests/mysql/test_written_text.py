"""Generated texts mean the same as the source: stars, names, values, and parameter types."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import get_type_hints

import pytest
from aiosqlc.mysql.syntax import parse
from aiosqlc.mysql.words import quoted
from sqlglot.dialects.mysql import MySQL

from tests.mysql.conftest import SERVER_URL, is_mysql, only
from tests.mysql.generated import Generate, Store, generate, judged

__all__ = ["generate"]
SCHEMA = """
CREATE TABLE a (id int PRIMARY KEY, b_id int, name varchar(20) NOT NULL);
CREATE TABLE b (id int PRIMARY KEY, aid int, x int NOT NULL);
CREATE TABLE c (cid int PRIMARY KEY, cx int);
CREATE TABLE k (
    id int PRIMARY KEY, bl blob, od date, oa datetime, ts timestamp NULL, t time,
    st enum('p', 'q'), empty enum('', 'x')
);
"""
ROWS = """
INSERT INTO a VALUES (1, 1, 'n'), (2, NULL, 'm');
INSERT INTO b VALUES (1, 1, 5), (2, 2, 6);
INSERT INTO c VALUES (1, 5), (2, NULL);
"""
# Each is called without arguments; the row class says how many columns there must be.
STARS = [
    "SELECT*FROM a",
    "SELECT DISTINCT*FROM a",
    "SELECT 1 AS one, a.*FROM a",
    "SELECT a.*,c.*FROM a JOIN c ON c.cid = a.id",
    "SELECT*FROM(SELECT*FROM a)t",
    "SELECT`a`.*FROM`a`",
    "SELECT a.*/**/FROM a",
    "(SELECT*FROM a)UNION(SELECT*FROM a)",
    "WITH t AS(SELECT*FROM a)SELECT*FROM t",
    "SELECT*FROM a WHERE EXISTS(SELECT*FROM b)",
    "SELECT (SELECT count(*)FROM b) AS n,a.*FROM a",
    "SELECT*FROM a NATURAL JOIN b",
    "SELECT*FROM a JOIN b USING(id)",
    "SELECT*FROM c,a",
    "SELECT a.*FROM b,a",
    "SELECT 1 IN (SELECT * FROM(SELECT 2 AS y)t), id FROM a",
    "SELECT * FROM (SELECT max(id), 1 + 1, (SELECT 2), 'x' FROM a) t",
    "SELECT * FROM (SELECT count(*) FROM a UNION SELECT 5) t",
    "SELECT * FROM (SELECT * FROM (SELECT count(*) FROM a) t) s",
    "SELECT * FROM a JOIN ((SELECT 1 AS id)) t ON 1",
    "SELECT * FROM a NATURAL RIGHT JOIN c",
    "TABLE a",
    "TABLE a UNION ALL (TABLE a ORDER BY id LIMIT 1)",
    "WITH t AS (TABLE a) TABLE t ORDER BY id",
    "SELECT * FROM (TABLE `a`) t WHERE id IN (SELECT id FROM (TABLE a) s)",
]
RETURNING = [
    "DELETE FROM a RETURNING*",
    "INSERT INTO a VALUES (9, NULL, 'x')RETURNING*",
    "DELETE FROM a RETURNING 1 AS one,a.*",
    "DELETE FROM a ORDER BY id LIMIT 1 RETURNING name, a.*",
    "INSERT INTO a VALUES (8, NULL, 'x') RETURNING id + 1 AS next, sqlc.embed(a)",
]
QUERIES = """
-- name: AddBytes :exec
INSERT INTO k (id, bl) VALUES (?, ?);
-- name: BytesOf :one
SELECT bl FROM k WHERE id = ?;
-- name: WithBytes :many
SELECT id FROM k WHERE bl IN (sqlc.slice(bls)) ORDER BY id;
-- name: CopyBytes :copyfrom
INSERT INTO k (id, bl) VALUES (?, ?);
-- name: AddTimes :exec
INSERT INTO k (id, oa, ts) VALUES (?, ?, ?);
-- name: TimesOf :one
SELECT oa, ts FROM k WHERE id = ?;
-- name: EnumOf :one
SELECT st FROM k WHERE id = ?;
-- name: EmptyOf :one
SELECT empty FROM k WHERE id = ?;
-- name: DateOf :one
SELECT od FROM k WHERE id = ?;
-- name: MomentOf :one
SELECT oa FROM k WHERE id = ?;
-- name: Since :many
SELECT id FROM k WHERE od >= sqlc.arg(d) AND od < DATE_ADD(sqlc.arg(d), INTERVAL 7 DAY);
-- name: SinceMonth :many
SELECT id FROM k WHERE od > LAST_DAY(sqlc.arg(d)) OR YEAR(sqlc.arg(d)) = 1 OR od = sqlc.arg(d);
-- name: Recent :many
SELECT id FROM k WHERE oa > DATE_SUB(NOW(), INTERVAL ? SECOND);
-- name: Younger :many
SELECT id FROM k WHERE oa > NOW() - INTERVAL ? DAY;
-- name: Shifted :many
SELECT id FROM k WHERE oa > DATE_SUB(?, INTERVAL 1 HOUR) AND oa < TIMESTAMPADD(HOUR, ?, oa);
-- name: Parted :many
SELECT id FROM k WHERE oa > NOW() - INTERVAL ? DAY_HOUR;
-- name: Embedded :many
SELECT sqlc.embed(a), JSON_OBJECT('x', b.x = sqlc.arg(x), 'y', b.x IS NULL AND a.id > 0) AS j
FROM a JOIN b ON b.id = a.id ORDER BY a.id;
-- name: InParts :many
SELECT sqlc.embed(a), 1 AS n FROM a
UNION ALL -- :if more
SELECT sqlc.embed(o), 2 FROM a AS o WHERE o.id = 2 -- :if more
ORDER BY n, id;
-- name: BehindMerged :many
SELECT *, sqlc.embed(a) FROM b JOIN a USING (id) WHERE id = 1;
-- name: BehindUnread :many
SELECT j.*, sqlc.embed(a)
FROM a, JSON_TABLE('[7]', '$[*]' COLUMNS (q int PATH '$', r int PATH '$')) AS j WHERE a.id = 1;
"""
# What is embedded is a WITH query or a sub-select, and the rows that come.
SELECTED = {
    "WITH t AS (SELECT a.* FROM a) SELECT sqlc.embed(t) FROM t ORDER BY t.id": (
        "[Row(t=A(id=1, b_id=1, name='n')), Row(t=A(id=2, b_id=None, name='m'))]"
    ),
    "SELECT a.id, sqlc.embed(t) FROM a JOIN (SELECT aid, count(*) AS n FROM b GROUP BY aid) t"
    " ON t.aid = a.id ORDER BY a.id": ("[Row(id=1, t=T(aid=1, n=1)), Row(id=2, t=T(aid=2, n=1))]"),
    "WITH t (k, n) AS (SELECT id, x FROM b WHERE id = 1) SELECT sqlc.embed(a), sqlc.embed(t) FROM a"
    " LEFT JOIN t ON t.k = a.id ORDER BY a.id": (
        "[Row(a=A(id=1, b_id=1, name='n'), t=T(k=1, n=5)),"
        " Row(a=A(id=2, b_id=None, name='m'), t=None)]"
    ),
    "SELECT sqlc.embed(t) FROM c LEFT JOIN (SELECT cx AS n FROM c WHERE cid = 2) t ON true": (
        "[Row(t=T(n=None)), Row(t=T(n=None))]"
    ),
    "SELECT sqlc.embed(t), count(*) AS n FROM (SELECT id, x + 1 AS y FROM b WHERE id > 5) t": (
        "[Row(t=None, n=0)]"
    ),
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 2)"
    " SELECT sqlc.embed(t) FROM t ORDER BY n": "[Row(t=T(n=1)), Row(t=T(n=2))]",
    "WITH a AS (SELECT id, 1 + 1 AS two FROM b) SELECT sqlc.embed(a), c.cx FROM a"
    " JOIN c ON c.cid = a.id ORDER BY a.id": (
        "[Row(a=A(id=1, two=2), cx=5), Row(a=A(id=2, two=2), cx=None)]"
    ),
    "SELECT sqlc.embed(a) FROM a WHERE id = 1 UNION ALL (SELECT sqlc.embed(o) FROM a AS o)"
    " ORDER BY id": (
        "[Row(a=A(id=1, b_id=1, name='n')), Row(a=A(id=1, b_id=1, name='n')),"
        " Row(a=A(id=2, b_id=None, name='m'))]"
    ),
    "(SELECT a.id, sqlc.embed(a) FROM a) EXCEPT SELECT id, sqlc.embed(a) FROM a WHERE id = 2": (
        "[Row(id=1, a=A(id=1, b_id=1, name='n'))]"
    ),
}
_NAMED = "-- name: {}{} :many\n{};\n"


def named(prefix: str, queries: list[str]) -> str:
    """Name queries by their position."""
    return "".join(_NAMED.format(prefix, number, sql) for number, sql in enumerate(queries))


@pytest.fixture(scope="module")
def store(generate: Generate) -> Store:
    returning = [] if is_mysql() else RETURNING
    queries = QUERIES + named("Star", STARS) + named("Back", returning)
    return generate(SCHEMA, queries + named("Selected", list(SELECTED)), rows=ROWS)


@pytest.mark.parametrize("number", range(len(STARS)), ids=STARS)
async def test_a_star_in_any_form_becomes_its_columns(store, number) -> None:
    function = getattr(store.module(), f"star{number}")
    async with store.connected() as db:
        rows = await function(db)
    assert rows
    assert not judged(function, rows)


@pytest.mark.skipif(is_mysql(), reason="MySQL has no RETURNING; unset TEST_MYSQL_URL")
@pytest.mark.parametrize("number", range(len(RETURNING)), ids=RETURNING)
async def test_a_star_after_returning_becomes_its_columns(store, number) -> None:
    function = getattr(store.module(), f"back{number}")
    async with store.connected() as db:
        rows = await function(db)
    assert rows
    assert not judged(function, rows)


@pytest.fixture(scope="module")
def words(mysql_server) -> list[str]:
    """Return every word with a meaning for the server."""
    import pymysql

    from tests.servers.mysql import connect_arguments

    url = mysql_server.create_empty()
    arguments = connect_arguments(url, seconds=5)
    with pymysql.connect(**arguments) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT word FROM information_schema.keywords")
        found = {str(row[0]).lower() for row in cursor.fetchall()}
    mysql_server.drop(url)
    plain = {word for word in found if re.fullmatch(r"[a-z]\w*", word)}
    return sorted(plain | {"_latin1", "_utf8mb4"})


async def test_a_column_may_have_the_name_of_any_keyword(generate, words) -> None:
    chunks = [words[at : at + 100] for at in range(0, len(words), 100)]
    tables = [", ".join(f"`{word}` int NOT NULL" for word in chunk) for chunk in chunks]
    schema = "".join(f"CREATE TABLE w{n} ({columns});" for n, columns in enumerate(tables))
    values = [", ".join(map(str, range(len(chunk)))) for chunk in chunks]
    rows = "".join(f"INSERT INTO w{n} VALUES ({row});" for n, row in enumerate(values))
    # `SELECT` may be followed by words of its own, so that each has to be the first once.
    first = [f"SELECT * FROM (SELECT 7 AS `{word}`) t" for word in words]
    queries = named("All", [f"SELECT * FROM w{n}" for n in range(len(chunks))])
    store = generate(schema, queries + named("First", first), rows=rows)
    async with store.connected() as db:
        for number, chunk in enumerate(chunks):
            (row,) = await getattr(store.module(), f"all{number}")(db)
            found = [getattr(row, name) for name in row.__dataclass_fields__]
            assert found == list(range(len(chunk)))
        for number, word in enumerate(words):
            assert await getattr(store.module(), f"first{number}")(db) == [7], word


BARE = (
    "SELECT v FROM {}",
    "SELECT {0}.v FROM {0} WHERE {0}.v > 1",
    "UPDATE {} SET v = 1",
    "DELETE FROM {}",
    "INSERT INTO {} (v) VALUES (1)",
    "SELECT x.v FROM t AS x JOIN t AS {0} ON {0}.v = x.v",
    "SELECT {0} FROM (SELECT 1 AS `{0}`) x ORDER BY {0}",
    "SELECT v AS {} FROM t",
)


def test_each_bare_name_that_the_server_accepts_is_parsed(mysql_server, words) -> None:
    import pymysql

    from tests.servers.mysql import connect_arguments

    known = {word.lower() for word in MySQL.Tokenizer.KEYWORDS if re.fullmatch(r"[A-Z]\w*", word)}
    # `any` and the words that one of the two servers reserves need backticks.
    bare = {word for word in (*known, *words) if quoted(word) == word} - {"any"}
    url = mysql_server.create_empty()
    wrong = []
    with pymysql.connect(**connect_arguments(url, seconds=5)) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (v int)")
        for word in sorted(bare):
            if word != "t":
                cursor.execute(f"CREATE TABLE `{word}` (v int)")
            for sql in (form.format(word) for form in BARE):
                try:
                    cursor.execute(f"EXPLAIN {sql}")
                except pymysql.MySQLError:
                    continue
                wrong += [sql] if parse(sql) is None else []
    mysql_server.drop(url)
    assert wrong == []


async def test_bytes_go_through_the_adapter_as_they_are(store) -> None:
    q = store.module()
    async with store.connected() as db:
        for number, value in enumerate((b"", b"\x00'\\\xff%s", b"a")):
            await q.add_bytes(db, id=number, bl=value)
            assert await q.bytes_of(db, id=number) == value
        assert await q.with_bytes(db, bls=[b"a", b""]) == [0, 2]
        assert await q.copy_bytes(db, [q.CopyBytesParams(id=7, bl=b"\xfe")]) == 1
        assert await q.bytes_of(db, id=7) == b"\xfe"


async def test_a_time_with_another_offset_is_stored_in_utc(store) -> None:
    q = store.module()
    there = datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=5)))
    async with store.connected() as db:
        await q.add_times(db, id=1, oa=there, ts=there)
        row = await q.times_of(db, id=1)
    assert row.oa == datetime.fromisoformat("2023-12-31T21:00:00")
    assert row.ts == datetime(2023, 12, 31, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def loose(generate: Generate) -> Store:
    """Values that a strict session cannot write."""
    rows = """
    INSERT INTO k (id, st, od, oa) VALUES (1, 'none of them', '0000-00-00', '0000-00-00'),
    (2, 'p', '2024-01-02', '2024-01-02 03:04:05'), (3, 'q', '2024-00-10', NULL);
    UPDATE k SET empty = '';
    """
    return generate(SCHEMA, QUERIES, rows=rows, mode="NO_ENGINE_SUBSTITUTION")


async def test_what_an_enum_does_not_have_is_said(loose) -> None:
    q = loose.module()
    async with loose.connected() as db:
        with pytest.raises(ValueError, match="'' is not a valid KSt"):
            await q.enum_of(db, id=1)
        assert await q.enum_of(db, id=2) == "p"
        empty = await q.empty_of(db, id=1)
        assert not judged(q.empty_of, empty)
        assert empty == ""


async def test_a_date_that_is_none_is_an_error_and_no_text(loose) -> None:
    q = loose.module()
    async with loose.connected() as db:
        for function, row in ((q.date_of, 1), (q.date_of, 3), (q.moment_of, 1)):
            with pytest.raises(ValueError, match="is not a valid date"):
                await function(db, id=row)
        assert await q.date_of(db, id=2) == date(2024, 1, 2)


@pytest.mark.parametrize(
    ("name", "parameter", "kind"),
    [
        ("since", "d", date),
        ("since_month", "d", date),
        ("recent", "p1", int),
        ("younger", "p1", int),
        ("parted", "p1", str),
    ],
)
def test_a_parameter_of_a_moment_has_the_type_of_its_place(store, name, parameter, kind) -> None:
    hints = get_type_hints(getattr(store.module(), name))
    del hints["db"], hints["return"]
    assert list(hints.values()) == [kind], parameter


async def test_an_embedded_row_beside_an_expression_in_json_stays_a_row(store) -> None:
    q = store.module()
    async with store.connected() as db:
        rows = await q.embedded(db, x=5)
    assert not judged(q.embedded, rows)
    assert [(row.a.name, row.j) for row in rows] == [
        ("n", '{"x": true, "y": false}'),
        ("m", '{"x": false, "y": false}'),
    ]


# Nothing of it is in the grammar of the library that reads queries.
_ODD = (
    "SELECT sqlc.embed(a), b.x FROM a JOIN b ON b.id = a.id WHERE a.name = ? LIMIT ROWS EXAMINED 9"
)


@pytest.mark.parametrize("number", range(len(SELECTED)), ids=SELECTED)
async def test_an_embedded_row_may_be_of_a_with_query_or_sub_select(store, number) -> None:
    function = getattr(store.module(), f"selected{number}")
    async with store.connected() as db:
        rows = await function(db)
    assert not judged(function, rows)
    shown = re.sub(rf"Selected{number}(\w+)", r"\1", repr(rows))
    assert shown == list(SELECTED.values())[number]


@pytest.mark.parametrize("number", range(len(SELECTED)), ids=SELECTED)
def test_what_is_known_of_such_a_row_holds_without_a_server(compile_text, compile_, number) -> None:
    sql = f"-- name: Q :many\n{list(SELECTED)[number]};"
    embeds = []
    for compiled in (compile_text, compile_):
        queries, _ = compiled(SCHEMA, sql)
        embeds.append([query.embeds for query in queries])
    assert embeds[0] == embeds[1] != []


@pytest.mark.skipif(bool(SERVER_URL), reason="MySQL has no such LIMIT; unset TEST_MYSQL_URL")
def test_what_cannot_be_read_is_said_and_the_row_keeps_its_shape(compile_) -> None:
    (query,), problems = compile_(SCHEMA, f"-- name: Q :many\n{_ODD};")
    (problem,) = problems
    assert problem.code == "E215"
    assert "EXAMINED" in problem.message
    (embed,) = query.embeds
    assert (embed.first, embed.count, embed.nullable) == (0, 3, True)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH t AS (SELECT * FROM a) SELECT sqlc.embed(t) FROM t UNION SELECT * FROM a",
        "SELECT sqlc.embed(t), count(*) FROM (SELECT id FROM a) t GROUP BY id WITH ROLLUP",
        "SELECT sqlc.embed(a) FROM a UNION SELECT * FROM a",
        "SELECT sqlc.embed(a), count(*) FROM a GROUP BY id, name WITH ROLLUP",
        "SELECT s.* FROM (SELECT sqlc.embed(a) FROM a) s",
    ],
)
def test_what_is_no_row_of_a_table_cannot_be_embedded(either, sql) -> None:
    queries, problems = either(SCHEMA, f"-- name: Q :many\n{sql};")
    assert not queries
    assert [problem.code for problem in problems] == ["E342"]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT sqlc.embed(a) FROM a UNION SELECT a.* FROM a", "another SELECT"),
        (
            "SELECT sqlc.embed(a) FROM a UNION SELECT sqlc.embed(a) FROM b LEFT JOIN a USING (id)",
            "an outer join or a grouping set may omit the embedded row",
        ),
        (
            "SELECT sqlc.embed(a), 1 FROM a UNION SELECT sqlc.embed(a), count(*) FROM a",
            "an outer join or a grouping set may omit the embedded row",
        ),
        ("SELECT sqlc.embed(a) FROM a UNION SELECT sqlc.embed(o) FROM o", "different tables"),
        (
            "SELECT sqlc.embed(t) FROM (SELECT 1 n) t UNION SELECT sqlc.embed(t) FROM (SELECT 2) t",
            "not a table or view",
        ),
    ],
)
def test_a_row_is_embedded_in_a_union_where_every_part_has_it(either, sql, reason) -> None:
    schema = SCHEMA + "CREATE TABLE o (id int PRIMARY KEY, b_id int, name text);"
    _, problems = either(schema, f"-- name: Q :many\n{sql};")
    assert [problem.code for problem in problems] == ["E342"] * sql.count("sqlc.embed")
    assert all(reason in problem.labels[0].text for problem in problems)


@pytest.mark.parametrize("more", [False, True])
async def test_a_part_of_a_union_with_a_row_may_be_optional(store, more) -> None:
    async with store.connected() as db:
        rows = await store.module().in_parts(db, more=more)
    assert [(row.a.id, row.n) for row in rows] == [(1, 1), (2, 1), (2, 2)][: 2 + more]


async def test_the_server_counts_the_columns_before_an_embedded_row(store) -> None:
    q = store.module()
    async with store.connected() as db:
        (merged,) = await q.behind_merged(db)
        (unread,) = await q.behind_unread(db)
    assert not judged(q.behind_merged, [merged])
    assert not judged(q.behind_unread, [unread])
    assert (merged.x, merged.name, merged.a.id, merged.a.name) == (5, "n", 1, "n")
    assert (unread.q, unread.r, unread.a.id, unread.a.name) == (7, 7, 1, "n")


def test_the_columns_of_an_optional_row_are_those_of_a_row_that_is_there(either) -> None:
    sql = "-- name: Q :many\nSELECT c.cid, sqlc.embed(a) FROM c LEFT JOIN a ON a.id = c.cid;"
    query = only(either(SCHEMA, sql))
    (embed,) = query.embeds
    assert (embed.nullable, embed.presence) == (True, 1)
    assert [column.not_null for column in query.columns] == [True, True, False, True]


def test_a_row_of_a_union_has_the_class_of_its_table_if_no_type_changes(compile_) -> None:
    schema = SCHEMA + "CREATE TABLE g (id int PRIMARY KEY, at point);"

    def table_of(name: str) -> str:
        sql = f"SELECT sqlc.embed({name}) FROM {name} UNION SELECT sqlc.embed({name}) FROM {name}"
        return only(compile_(schema, f"-- name: Q :many\n{sql};")).embeds[0].table.schema

    assert (table_of("a"), table_of("g")) == ("public", "")  # a union makes a GEOMETRY of a POINT


def test_an_embedded_row_beside_an_aggregate_may_be_missing(either) -> None:
    sql = "-- name: Q :one\nSELECT sqlc.embed(a), count(*) FROM a WHERE id > 50;"
    (embed,) = only(either(SCHEMA, sql)).embeds
    assert embed.nullable
