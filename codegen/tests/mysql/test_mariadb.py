"""MariaDB in place of MySQL: syntax of MySQL alone is typed from the text and reported."""

from __future__ import annotations

import pytest
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.mysql.mariadb import as_mariadb_has_it, only_in_mysql
from aiosqlc.mysql.schema import forget, load
from aiosqlc.servers.mysql.session import open_session

from tests.mysql.conftest import SCHEMA, analysed, files, without_mysql_server_url

pytestmark = without_mysql_server_url

VECTORS = "\nCREATE TABLE v (id int PRIMARY KEY, e VECTOR(4) NOT NULL, `vector` vector(3));"


@pytest.fixture
def ask(mysql_cache):
    """Analyse one query for a server of the given kind."""

    def run(sql: str, server: str = "", *, strict: bool = False):
        tables = SCHEMA if server == "mariadb" else SCHEMA + VECTORS
        options = AnalyzeOptions(cache_dir=mysql_cache, strict=strict, server=server)
        analysis, problems = analysed(tables, f"-- name: Q :many\n{sql};", options)
        shown = [
            (column.name, column.type.name, column.not_null)
            for query in analysis.queries
            for column in query.columns
        ]
        return shown, [(problem.code, str(problem.severity)) for problem in problems]

    return run


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT id, js->>'$.a' AS x FROM a", [("id", "bigint", True), ("x", "varchar", False)]),
        ("SELECT name FROM a WHERE js->'$.a' = ?", [("name", "varchar", True)]),
        ("SELECT id FROM a WHERE id = ? FOR SHARE", [("id", "bigint", True)]),
        (
            "SELECT grp, ANY_VALUE(bio) AS some FROM a GROUP BY grp",
            [("grp", "int", True), ("some", "text", False)],
        ),
        (
            "SELECT a.id, x.title FROM a, LATERAL (SELECT b.title FROM b WHERE b.aid = a.id) x",
            [("id", "bigint", True), ("title", "text", True)],
        ),
        (
            "SELECT id FROM v ORDER BY DISTANCE(STRING_TO_VECTOR(?), e, 'DOT') LIMIT 1",
            [("id", "int", True)],
        ),
        (
            "VALUES ROW(1, 'a', NULL), ROW(2, 'b', 3) ORDER BY column_0",
            [("column_0", "int", True), ("column_1", "varchar", True), ("column_2", "int", False)],
        ),
    ],
)
def test_what_only_mysql_takes_is_typed_from_the_text_with_a_warning(ask, sql, columns) -> None:
    found, problems = ask(sql, "mysql")
    assert problems == [("E213", "warning")]
    assert [(name, kind) for name, kind, _ in found] == [(name, kind) for name, kind, _ in columns]
    for (_, _, claimed), (_, _, true) in zip(found, columns, strict=True):
        assert not claimed or true


@pytest.mark.parametrize(
    "sql",
    [
        "WITH x AS (SELECT id FROM b) DELETE FROM b WHERE id IN (SELECT id FROM x)",
        "WITH x AS (SELECT id FROM b) UPDATE b SET note = ? WHERE id IN (SELECT id FROM x)",
        "DELETE FROM b x WHERE x.id = ?",
        "DELETE FROM b AS x WHERE x.id = ?",
        "INSERT INTO b (id, aid, title) VALUES (?, ?, ?) AS n ON DUPLICATE KEY UPDATE id = n.id",
        "INSERT INTO v (id, e) VALUES (?, STRING_TO_VECTOR(?))",
        "SELECT id FROM a WHERE CAST(? AS CHAR) MEMBER OF (js->'$.tags')",
        "SELECT BIN_TO_UUID(UUID_TO_BIN(?)) AS x",
        "SELECT lag(id, 1, 0) OVER (ORDER BY id) AS x FROM a",
        "SELECT LEAD(coalesce(grp, 1), 2, 0) OVER (ORDER BY id) AS x FROM a",
        "SELECT id FROM a ORDER BY name COLLATE utf8mb4_0900_as_ci",
        "SELECT CAST(? AS JSON) AS j",
        "INSERT INTO c (k, k2) VALUES ROW(?, ?), ROW('x', 'y')",
    ],
)  # fmt: skip
def test_each_construct_that_mariadb_lacks_is_known(ask, sql) -> None:
    assert only_in_mysql(sql)
    assert [code for code, _ in ask(sql, "mysql")[1] if code != "E321"] == ["E213"]


def test_a_column_of_vectors_is_bytes_and_the_server_still_asked(ask) -> None:
    assert ask("SELECT e, `vector` FROM v", "mysql") == (
        [("e", "blob", True), ("vector", "blob", False)],
        [],
    )


@pytest.mark.parametrize(
    ("server", "strict", "problem"),
    [
        ("mysql", True, ("E213", "warning")),
        ("", False, ("E213", "warning")),
        ("", True, ("E213", "error")),
        ("mariadb", False, ("E300", "error")),
        ("mariadb", True, ("E300", "error")),
    ],
)
def test_who_asked_for_mysql_or_is_not_strict_is_only_warned(ask, server, strict, problem) -> None:
    assert ask("SELECT js->>'$.a' AS x FROM a", server, strict=strict)[1] == [problem]


@pytest.mark.parametrize("server", ["", "mariadb"])
@pytest.mark.parametrize("operator", ["->", "->>"])
def test_the_hint_for_an_arrow_on_mariadb_names_the_function(
    mysql_cache, server: str, operator: str
) -> None:
    sql = f"-- name: Q :many\nSELECT id FROM a WHERE js{operator}'$.a' = 'x';"
    options = AnalyzeOptions(cache_dir=mysql_cache, server=server)
    _, (problem,) = analysed(SCHEMA, sql, options)
    assert "json_value(a, '$.key')" in problem.hint
    assert "json_unquote(json_extract(a, '$.key'))" in problem.hint


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT id, js->>'$.a' FROM nowhere", "E310"),
        ("SELECT a.nothing, js->>'$.a' AS x FROM a", "E311"),
        ("SELECT nothing, js->>'$.a' AS x FROM a", "E311"),
        ("SELECT id FROM a WHERE js->>'$.a' = b.title", "E311"),
        ("SELEC id, js->>'$.a' FROM a", "E300"),
        ("DELETE FROM b x WHERE b.id = ?", "E311"),
    ],
)
def test_what_mysql_would_refuse_too_is_refused(ask, sql, code) -> None:
    _, problems = ask(sql, "mysql")
    assert (code, "error") in problems or ("E218", "error") in problems


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM b WHERE id = 1",
        "DELETE FROM b ORDER BY id LIMIT 1",
        "DELETE FROM s.b WHERE id = 1",
        "DELETE b FROM b JOIN a ON a.id = b.aid",
        "WITH x AS (SELECT 1 AS n) SELECT n FROM x FOR UPDATE",
        "INSERT INTO b (id) VALUES (1) ON DUPLICATE KEY UPDATE id = 1",
        "SELECT 'LATERAL (', 1-2 > 3 -- FOR SHARE",
        "SELECT `row`, CAST(json AS CHAR) AS j FROM json WHERE (id, json) = ROW(1, 2)",
        "SELECT lag(coalesce(a, b, c), 1) OVER (ORDER BY d, e), 'x_0900_y' FROM lag",
    ],
)
def test_what_both_take_is_no_excuse(sql) -> None:
    assert only_in_mysql(sql) == ""


def test_a_schema_that_mysql_8_shows_is_taken(mysql_cache) -> None:
    """Every `SHOW CREATE TABLE` of MySQL 8 has a collation that MariaDB does not have."""
    schema = (
        "CREATE TABLE `t` (`id` int NOT NULL, `s` varchar(9) COLLATE utf8mb4_0900_as_cs NOT NULL,"
        " `b` varchar(9) CHARACTER SET utf8mb4 COLLATE 'utf8mb4_0900_bin', PRIMARY KEY (`id`))"
        " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;"
    )
    sql = (
        "-- name: Q :one\nSELECT s, b FROM t WHERE id = ?;\n"
        "-- name: R :many\nSELECT s FROM t WHERE b COLLATE utf8mb4_0900_ai_ci = ?;\n"
    )
    analysis, problems = analysed(schema, sql, AnalyzeOptions(cache_dir=mysql_cache))
    assert [(problem.code, str(problem.severity)) for problem in problems] == [("E213", "warning")]
    first, second = analysis.queries
    assert [column.not_null for column in (*first.columns, *second.columns)] == [True, False, True]
    options = AnalyzeOptions(cache_dir=mysql_cache, server="mariadb")
    assert analysed(schema, sql, options)[1][0].code == "E200"


def test_a_vector_is_replaced_where_it_is_a_type_alone() -> None:
    before = "CREATE TABLE vector (id int, e VECTOR(4), s varchar(9) DEFAULT 'vector', f VECTOR)"
    after = "CREATE TABLE vector (id int, e blob     , s varchar(9) DEFAULT 'vector', f blob  )"
    assert as_mariadb_has_it(before) == after


# MariaDB refuses each for a reason that no list of ours names.
REFUSED = [
    ("SELECT CAST(? AS JSON) AS j, name FROM a", [("j", "json"), ("name", "varchar")]),
    ("SELECT id FROM a WHERE js = CAST(? AS JSON)", [("id", "bigint")]),
    ("SELECT x.n FROM (SELECT COUNT(*) AS n FROM b) AS x (n)", [("n", "bigint")]),
    (
        "SELECT a.id, (SELECT t FROM (SELECT MAX(id) AS t FROM b WHERE aid = a.id) x) AS m FROM a",
        [("id", "bigint"), ("m", "int")],
    ),
    ("SELECT id FROM a WHERE JSON_SCHEMA_VALIDATION_REPORT(js, js) = '{}'", [("id", "bigint")]),
]


@pytest.mark.parametrize(("sql", "columns"), REFUSED, ids=[sql for sql, _ in REFUSED])
def test_no_refusal_of_mariadb_for_mysql_blames_the_user(ask, sql, columns) -> None:
    found, problems = ask(sql, "mysql")
    assert [(name, kind) for name, kind, _ in found] == columns
    assert problems in ([("E213", "warning")], [])
    refused = [[(code, "error")] for code in ("E300", "E301", "E311", "E312")]
    assert ask(sql, "mariadb")[1] in (*refused, [])


OF_MYSQL = """
CREATE TABLE pages (id int PRIMARY KEY, offset int NOT NULL, note text);
CREATE TABLE places (
    id binary(16) PRIMARY KEY DEFAULT (uuid_to_bin(uuid())), at point NOT NULL SRID 4326,
    name varchar(9) NOT NULL, KEY by_name ((lower(name)))
);
CREATE TABLE plain (id int PRIMARY KEY, page_id int NOT NULL);
ALTER TABLE plain ADD COLUMN late json NOT NULL DEFAULT (CAST('[]' AS JSON));
CREATE VIEW shown AS SELECT id, offset FROM pages;
"""


def test_a_schema_of_mysqls_alone_loses_nothing_but_the_servers_word(mysql_cache) -> None:
    sql = """
-- name: Pages :one
SELECT id, offset, note FROM pages WHERE id = ?;
-- name: Joined :many
SELECT plain.id, pages.offset, plain.late FROM plain LEFT JOIN pages ON pages.id = page_id;
-- name: Add :exec
INSERT INTO pages (id, offset) VALUES (?, ?);
-- name: Places :many
SELECT name FROM places WHERE id = ?;
"""
    options = AnalyzeOptions(cache_dir=mysql_cache, server="mysql")
    analysis, problems = analysed(OF_MYSQL, sql, options)
    assert {(problem.code, str(problem.severity)) for problem in problems} == {("E213", "warning")}
    shown = {
        query.parsed.name: [(c.name, c.type.name, c.not_null) for c in query.columns]
        for query in analysis.queries
    }
    assert shown == {
        "Pages": [("id", "int", True), ("offset", "int", True), ("note", "text", False)],
        "Joined": [("id", "int", True), ("offset", "int", False), ("late", "json", True)],
        "Add": [],
        "Places": [("name", "varchar", True)],
    }
    assert [param.type.name for param in analysis.queries[2].params] == ["int", "int"]
    problem = analysed(OF_MYSQL, sql, AnalyzeOptions(cache_dir=mysql_cache))[1][0]
    assert (problem.code, str(problem.severity)) == ("E200", "error")


# A generated column's NULL or NOT NULL, a CHECK in the middle, an arrow: each MySQL's alone.
COMPUTED = """
CREATE TABLE a (
    id int PRIMARY KEY, doc json NOT NULL CHECK (json_valid(doc)) COMMENT 'x', n int,
    `as` varchar(9) AS (doc->>'$.a') STORED NOT NULL COMMENT 'NOT NULL', c int AS (n + 1) NULL,
    sure int GENERATED ALWAYS AS (coalesce(n, 0)) VIRTUAL NOT NULL UNIQUE, CHECK (n IS NOT NULL)
);
ALTER TABLE a ADD COLUMN d decimal(9, 2) AS (id * 2) NOT NULL AFTER n, ADD COLUMN e int NOT NULL;
"""


def test_a_generated_column_is_not_null_where_mysql_has_it_so(mysql_cache) -> None:
    project = (COMPUTED, "-- name: Q :many\nSELECT * FROM a WHERE sure = ?;\n")
    analysis, problems = analysed(*project, AnalyzeOptions(cache_dir=mysql_cache))
    assert not problems
    (query,) = analysis.queries
    assert {column.name for column in query.columns if not column.not_null} == {"n", "c"}
    assert query.cardinality.at_most_one
    options = AnalyzeOptions(cache_dir=mysql_cache, server="mariadb")
    assert analysed(*project, options)[1][0].code == "E200"


OF_CHARS = """
CREATE TABLE a (id int PRIMARY KEY, st varchar(9) NOT NULL, ch char(26) NOT NULL);
ALTER TABLE a ADD COLUMN n int NOT NULL,
    ADD COLUMN held CHAR(26) GENERATED ALWAYS AS (CASE WHEN st = 'x' THEN ch ELSE NULL END) STORED,
    ADD UNIQUE INDEX by_held (held);
"""


def test_a_generated_column_over_chars_has_its_type_though_mariadb_takes_none(mysql_cache) -> None:
    text = (
        "-- name: Q :many\nSELECT held, n FROM a;\n-- name: P :one\nSELECT n FROM a WHERE held = ?;"
    )
    analysis, problems = analysed(OF_CHARS, text, AnalyzeOptions(cache_dir=mysql_cache))
    assert not problems
    all_of_them, one = analysis.queries
    shown = [(column.name, column.type.name, column.not_null) for column in all_of_them.columns]
    assert shown == [("held", "char", False), ("n", "int", True)]
    assert one.cardinality.at_most_one
    options = AnalyzeOptions(cache_dir=mysql_cache, server="mariadb")
    assert analysed(OF_CHARS, text, options)[1][0].code == "E200"


DUMP = """
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40103 SET TIME_ZONE='+05:00' */;
DROP TABLE IF EXISTS `child`;
/*!40101 SET character_set_client = latin1 */;
CREATE TABLE `child` (
  `id` int(11) NOT NULL, `parent` int(11) NOT NULL, PRIMARY KEY (`id`),
  CONSTRAINT `c` FOREIGN KEY (`parent`) REFERENCES `parent` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE `parent` (`id` int(11) NOT NULL, PRIMARY KEY (`id`)) ENGINE=InnoDB;
LOCK TABLES `parent` WRITE;
/*!40000 ALTER TABLE `parent` DISABLE KEYS */;
INSERT INTO `parent` VALUES (1);
UNLOCK TABLES;
/*!50003 CREATE TRIGGER g BEFORE INSERT ON parent FOR EACH ROW SET @x = 1 */;
/*!50001 CREATE VIEW `v` AS SELECT id, NOW() AS n FROM child */;
LOCK TABLES `child` READ;
"""


@pytest.mark.parametrize("server", ["", "mariadb"])
def test_a_dump_is_a_schema_and_leaves_the_session_as_it_was(mysql_cache, server) -> None:
    options = AnalyzeOptions(cache_dir=mysql_cache, server=server)
    sql = "-- name: Q :many\nSELECT id FROM v WHERE n = 'é';\n"
    analysis, problems = analysed(DUMP, sql, options)
    assert not problems
    assert {table.name for table in analysis.catalog.tables} == {"child", "parent", "v"}


def test_what_a_dump_sets_is_undone(mysql_cache) -> None:
    session = open_session(None, mysql_cache)
    loaded, problem = load(session, [files(DUMP + "-- again", "")[0]])
    assert loaded, problem
    asked = "SELECT @@time_zone, @@autocommit, @@character_set_client, @@sql_mode"
    ((zone, commits, charset, mode),) = session.rows(asked)
    assert (zone, commits, charset) == ("+00:00", 1, "utf8mb4")
    assert "STRICT_TRANS_TABLES" in mode
    session.run(f"INSERT INTO `{loaded.database}`.child VALUES (1, 1)")  # no lock is left
    forget(session, loaded)
    session.connection.close()


@pytest.mark.parametrize(
    "index",
    ["CREATE INDEX late ON t ((due IS NULL))", "ALTER TABLE t ADD INDEX late (id, (due + 1))"],
)
def test_an_index_that_only_mysql_builds_is_left_out(mysql_cache, index) -> None:
    schema = f"CREATE TABLE t (id int PRIMARY KEY, due datetime); {index};"
    sql, options = "-- name: Q :many\nSELECT id FROM t;\n", AnalyzeOptions(cache_dir=mysql_cache)
    analysis, (problem,) = analysed(schema, sql, options)
    assert (problem.code, str(problem.severity), len(analysis.queries)) == ("E217", "warning", 1)
