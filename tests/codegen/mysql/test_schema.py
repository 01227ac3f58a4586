"""The schema read back from the server, and replayed from the files: they agree."""

from __future__ import annotations

import pytest
from aiosqlc.mysql import types
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.mysql.schema import forget, load
from aiosqlc.mysql.server import open_session
from aiosqlc.mysql.static import schema_from_files
from aiosqlc.stages import TypeKind

from tests.codegen.mysql.conftest import SCHEMA, files

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
