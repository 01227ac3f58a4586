"""The schema from the server and the schema from the files are equal."""

from __future__ import annotations

import contextlib

import pytest
from aiosqlc.diagnostics import Severity
from aiosqlc.ir import TypeKind
from aiosqlc.mysql import types
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.mysql.schema import forget, load
from aiosqlc.mysql.static import schema_from_files
from aiosqlc.servers.mysql.session import open_session

from tests.mysql.conftest import SCHEMA, Compile, files, only, without_mysql_server_url

CHANGED = """
ALTER TABLE a ADD COLUMN extra smallint unsigned NOT NULL, DROP COLUMN born,
    MODIFY bio text NOT NULL;
ALTER TABLE c CHANGE COLUMN k2 key2 char(4);
CREATE TABLE e LIKE b;
CREATE UNIQUE INDEX e_note ON e (title(9));
DROP TABLE c;
"""


@pytest.fixture(scope="module")
def both(mysql_cache):
    schema, _ = files(SCHEMA.replace("CREATE VIEW", "CREATE OR REPLACE VIEW") + CHANGED, "")
    session = open_session(None, mysql_cache)
    loaded, problem = load(session, [schema])
    assert loaded, problem
    yield read_schema(session, loaded.database), schema_from_files([schema])[0]
    forget(session, loaded)
    session.connection.close()


def test_files_and_server_agree_on_tables_and_keys(both) -> None:
    def shown(schema):
        return {
            r.table.name: (
                [(c.name, c.type.name, c.not_null, c.type.unsigned) for c in r.table.columns],
                set(r.unique),
            )
            for r in schema.relations
            if not r.is_view
        }

    by_server, by_text = map(shown, both)
    assert by_server == by_text


def test_what_is_replayed_claims_no_more_than_the_server(both) -> None:
    server, text = both
    for relation in text.relations:
        known = server.relation(relation.table.name)
        for column in relation.table.columns:
            assert not column.not_null or known.column(column.name).not_null


def test_a_table_that_the_text_does_not_explain_is_not_called_missing(compile_text) -> None:
    schema = "CREATE TABLE f (id int PRIMARY KEY, n inet6 STRANGE, s float(7, 4) unsigned);"
    (query,), problems = compile_text(schema, "-- name: Q :many\nSELECT id FROM f;\n")
    assert [problem.code for problem in problems] == ["E203"]
    assert not query.columns[0].not_null


def test_unsigned_floats_and_checks_that_are_not_enforced_are_read(compile_text) -> None:
    schema = (
        "CREATE TABLE f (id int PRIMARY KEY, s float(7, 4) unsigned NOT NULL,"
        " r real unsigned NOT NULL, n float unsigned zerofill NOT NULL,"
        " CHECK (id > 0) NOT ENFORCED);"
    )
    query = only(compile_text(schema, "-- name: Q :many\nSELECT s, r, n FROM f;\n"))
    shown = [(column.type.name, column.not_null) for column in query.columns]
    assert shown == [("float", True)] * 3


def test_the_target_of_a_delete_may_be_an_alias_of_its_using(compile_text) -> None:
    sql = "-- name: Q :execrows\nDELETE FROM x USING b AS x JOIN a ON a.id = x.aid;\n"
    assert only(compile_text(SCHEMA, sql)).columns == ()


def test_a_key_on_a_prefix_proves_nothing(both) -> None:
    assert all("title" not in key for key in both[0].relation("e").unique)


def test_json_and_enums_are_told_apart_from_text(both) -> None:
    table = both[0].relation("a")
    assert table.column("js").type.name == "json"
    assert table.column("st").type.kind is TypeKind.ENUM
    assert table.column("st").type.labels == ("x", "y")


@pytest.mark.parametrize(
    ("text", "name", "unsigned", "length"),
    [
        ("int(10) unsigned", "int", True, None),
        ("tinyint(1)", "tinyint", False, 1),
        ("tinyint(4)", "tinyint", False, None),
        ("varchar(50)", "varchar", False, 50),
        ("bit(8)", "bit", False, 8),
        ("decimal(10,2) unsigned", "decimal", True, None),
        ("double precision", "double", False, None),
        ("datetime(6)", "datetime", False, None),
        ("boolean", "tinyint", False, 1),
        ("serial", "bigint", True, None),
    ],
)
def test_a_declaration_is_read(text, name, unsigned, length) -> None:
    found = types.declared(text)
    assert (found.name, found.unsigned, found.length) == (name, unsigned, length)


def test_labels_of_an_enum_may_hold_anything() -> None:
    assert types.declared("enum('a,b','it''s','(x)')").labels == ("a,b", "it's", "(x)")


_CHILD = "CREATE TABLE child (id int PRIMARY KEY, up {type}, {key}, note text NOT NULL);"
_KEY = (
    "CONSTRAINT named FOREIGN KEY (up) REFERENCES {parent} (id)"
    " ON DELETE SET NULL ON UPDATE CASCADE"
)


@pytest.mark.parametrize(
    "schema",
    [
        _CHILD.format(type="int", key=_KEY.format(parent="later"))
        + "CREATE TABLE later (id int PRIMARY KEY);",
        "CREATE TABLE parent (id varchar(9) CHARACTER SET latin1 PRIMARY KEY);"
        + _CHILD.format(type="varchar(9)", key=_KEY.format(parent="parent")),
        _CHILD.format(type="bigint", key="FOREIGN KEY (up) REFERENCES nowhere.else_ (id)"),
        "CREATE TABLE parent (id int PRIMARY KEY);"
        + _CHILD.format(type="bigint", key="KEY (up)")
        + f"ALTER TABLE child ADD {_KEY.format(parent='parent')};",
    ],
    ids=["declared later", "other collation", "other database", "added"],
)
def test_a_foreign_key_that_the_server_refuses_is_left_out_with_a_warning(schema, compile_) -> None:
    queries, problems = compile_(schema, "-- name: Q :many\nSELECT up, note FROM child;")
    assert [(item.code, item.severity) for item in problems] == [("E217", Severity.WARNING)]
    assert "errno: 150" in problems[0].message
    assert [column.not_null for column in queries[0].columns] == [False, True]


@without_mysql_server_url
def test_databases_whose_tables_refer_to_one_anothers_are_dropped_again(mysql_cache) -> None:
    schema, _ = files(
        """CREATE DATABASE app; CREATE DATABASE lake;
        CREATE TABLE app.people (id int PRIMARY KEY);
        CREATE TABLE lake.ranks (id int PRIMARY KEY REFERENCES app.people (id),
            FOREIGN KEY (id) REFERENCES app.people (id));""",
        "",
    )
    session = open_session(None, mysql_cache)
    with contextlib.closing(session.connection):
        for _ in range(2):
            loaded, problem = load(session, [schema])
            assert loaded, problem
            assert loaded.others == ("app", "lake")
            forget(session, loaded)
            assert not {("app",), ("lake",)} & set(session.rows("SHOW DATABASES"))


@without_mysql_server_url
def test_a_database_or_table_whose_name_differs_by_case_is_another(mysql_cache) -> None:
    session = open_session(None, mysql_cache)
    with contextlib.closing(session.connection):
        for name, column in (("case_of_a", "x"), ("CASE_OF_A", "y")):
            session.run(f"CREATE DATABASE IF NOT EXISTS {name}")
            session.run(f"CREATE TABLE IF NOT EXISTS {name}.t ({column} int PRIMARY KEY)")
        session.run(
            "CREATE TABLE IF NOT EXISTS case_of_a.T (z int NOT NULL, PRIMARY KEY (z, z2), z2 int)"
        )
        relations = {r.table.name: r for r in read_schema(session, "case_of_a").relations}
        for name in ("case_of_a", "CASE_OF_A"):
            session.run(f"DROP DATABASE {name}")
    columns = {name: [c.name for c in r.table.columns] for name, r in relations.items()}
    assert columns == {"t": ["x"], "T": ["z", "z2"]}
    assert [r.unique for r in relations.values()] == [(("z", "z2"),), (("x",),)]
    kinds = {name: [c.kind for c in r.table.constraints] for name, r in relations.items()}
    assert kinds["t"].count("primary") == kinds["T"].count("primary") == 1


@without_mysql_server_url
def test_tables_and_views_of_one_name_in_two_databases_are_two(compile_) -> None:
    schema = """CREATE TABLE users (id int PRIMARY KEY, age int);
        CREATE VIEW named AS SELECT id, age FROM users;
        CREATE DATABASE twins;
        CREATE TABLE twins.users (id int PRIMARY KEY, name text NOT NULL);
        CREATE TABLE twins.named (id int PRIMARY KEY, age int NOT NULL);"""
    queries, problems = compile_(
        schema,
        "-- name: Ours :many\nSELECT sqlc.embed(users) FROM users;\n"
        "-- name: Theirs :many\nSELECT * FROM twins.users;\n"
        "-- name: View :many\nSELECT * FROM named;\n"
        "-- name: Table :many\nSELECT * FROM twins.named;\n",
    )
    assert not problems
    found = {q.parsed.name: [(c.name, c.not_null) for c in q.columns] for q in queries}
    assert found == {
        "Ours": [("id", True), ("age", False)],
        "Theirs": [("id", True), ("name", True)],
        "View": [("id", True), ("age", False)],
        "Table": [("id", True), ("age", True)],
    }


@without_mysql_server_url
def test_what_only_the_server_reads_is_of_the_database_that_it_names(compile_) -> None:
    schema = """CREATE TABLE t (id int PRIMARY KEY, st enum('a') NOT NULL);
        CREATE DATABASE other_twins;
        CREATE TABLE other_twins.t (id int PRIMARY KEY, st enum('b') NOT NULL);"""
    unread = "FROM other_twins.t o LIMIT ROWS EXAMINED 9"
    (plain, embedded), _ = compile_(
        schema,
        f"-- name: Plain :many\nSELECT o.st {unread};\n"
        f"-- name: Embedded :many\nSELECT sqlc.embed(o) {unread};\n",
    )
    assert plain.columns[0].type.labels == ("b",)
    assert embedded.embeds[0].table.schema == "other_twins"


DEFINED_BY_OTHERS = """
CREATE TABLE t (id int PRIMARY KEY, n int);
CREATE DEFINER=`nobody`@`example.com` VIEW v AS SELECT id FROM t;
/*!50001 CREATE ALGORITHM=UNDEFINED */ /*!50013 DEFINER=`ghost`@`%` SQL SECURITY DEFINER */
/*!50001 VIEW `w` AS select `t`.`id` AS `id` from `t` */;
DELIMITER //
CREATE DEFINER=`nobody`@`%` TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.n = 1; END//
CREATE DEFINER=nobody@localhost PROCEDURE p(IN x int) BEGIN DELETE FROM t WHERE id = x; END//
CREATE DEFINER='nobody'@'%' FUNCTION f(x int) RETURNS int DETERMINISTIC BEGIN RETURN 1; END//
CREATE DEFINER=nobody EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; END//
DELIMITER ;
"""


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id FROM v",
        "SELECT id FROM w",
        "INSERT INTO t (id) VALUES (?)",
        "CALL p(?)",
        "SELECT f(1) AS one",
    ],
)
def test_objects_of_absent_users_are_there(compile_: Compile, text: str) -> None:
    command = "many" if text.startswith("SELECT") else "exec"
    (query,), problems = compile_(DEFINED_BY_OTHERS, f"-- name: Q :{command}\n{text};")
    assert problems == ()
    assert len(query.params) == text.count("?")
