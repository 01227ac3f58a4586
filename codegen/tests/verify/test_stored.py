"""`verify --database` reports the rows whose stored JSON does not have its declared structure."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pymysql
import pytest
from aiosqlc.analysis.stored.fits import misfit
from aiosqlc.analysis.stored.schemas import schema_shape
from aiosqlc.cli.main import main
from aiosqlc.ir import JsonShape

from tests.projects import write_project
from tests.servers.mysql import TestMysql, connect_arguments
from tests.servers.postgres import TestPostgres

_SCHEMA = """{
  "type": "object",
  "properties": {
    "theme": {"enum": ["light", "dark"]}, "size": {"type": "integer"},
    "bio": {"type": ["string", "null"]}, "since": {"type": "string", "format": "date-time"},
    "in": {"type": "object", "properties": {"mail": {"type": "boolean"}}, "required": ["mail"]},
    "tags": {"type": "array", "items": {"type": "string"}},
    "pair": {
      "prefixItems": [{"type": "string"}, {"type": "number"}], "minItems": 2, "items": false
    },
    "counts": {"type": "object", "additionalProperties": {"type": "integer"}}
  },
  "required": ["theme", "bio"]
}"""
_MISFITS = {
    '{"theme": "dark", "bio": null}': "",
    '{"theme": "dark", "bio": "x", "size": 3, "more": 1}': "",
    '{"theme": "dark", "bio": "x", "size": null}': "",
    "[]": "the value is not an object",
    "null": "the value is null",
    '{"theme": "dark"}': "`bio` is missing",
    '{"theme": "secret", "bio": null}': "`theme` is not one of the declared texts",
    '{"theme": 3, "bio": null}': "`theme` is not a text",
    '{"theme": null, "bio": null}': "`theme` is null",
    '{"theme": "dark", "bio": null, "size": "3"}': "`size` is not an integer",
    '{"theme": "dark", "bio": null, "size": true}': "`size` is not an integer",
    '{"theme": "dark", "bio": null, "size": 3.5}': "`size` is not an integer",
    '{"theme": "dark", "bio": null, "in": {}}': "`in.mail` is missing",
    '{"theme": "dark", "bio": null, "in": {"mail": 1}}': "`in.mail` is not a boolean",
    '{"theme": "dark", "bio": null, "in": []}': "`in` is not an object",
    '{"theme": "dark", "bio": null, "tags": {}}': "`tags` is not a list",
    '{"theme": "dark", "bio": null, "tags": ["a", 1]}': "an element of `tags` is not a text",
    '{"theme": "dark", "bio": null, "pair": ["a"]}': "`pair` does not have 2 elements",
    '{"theme": "dark", "bio": null, "pair": ["a", "b"]}': "an element of `pair` is not a number",
    '{"theme": "dark", "bio": null, "counts": {"s": []}}': "a member of `counts` is not an integer",
    '{"theme": "dark", "bio": null, "since": "today"}': "`since` does not have its declared format",
    '{"theme": "dark", "bio": null, "since": "2024-01-01T00:00:00Z"}': "",
}
_TABLE = "CREATE TABLE users (id bigint PRIMARY KEY, prefs {json} NOT NULL);"
_CONFIG = """\
version: "2"
sql:
  - engine: {engine}
    schema: schema.sql
    queries: queries.sql
    gen: {{python: {{out: store, json: {{users.prefs: {{schema: prefs.json}}}}}}}}
"""
_GOOD = '{"theme": "dark", "bio": null}'


@pytest.mark.parametrize("text", _MISFITS)
def test_a_value_fits_its_structure_or_the_reason_names_the_member(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "s.json").write_text(_SCHEMA)
    shape = schema_shape(tmp_path / "s.json", "s.json", "prefs")
    assert isinstance(shape, JsonShape)
    assert misfit(json.loads(text), shape) == _MISFITS[text]


def _project(folder: Path, engine: str, json_type: str) -> Path:
    return write_project(
        folder,
        {
            "sqlc.yaml": _CONFIG.format(engine=engine),
            "schema.sql": _TABLE.format(json=json_type),
            "queries.sql": "-- name: Get :one\nSELECT prefs FROM users WHERE id = sqlc.arg(id);\n",
            "prefs.json": _SCHEMA,
        },
    )


def _checked(
    config: Path, url: str, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, str, str]:
    code = main(["verify", "-f", str(config), "--database", url, *options])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_rows_of_postgresql_are_reported_by_their_keys(
    tmp_path: Path, postgres_server: TestPostgres, capsys: pytest.CaptureFixture[str]
) -> None:
    config, url = _project(tmp_path, "postgresql", "jsonb"), postgres_server.create_empty()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLE.format(json="jsonb"))
        connection.execute(
            "INSERT INTO users SELECT n, %s FROM generate_series(1, 3000) n", (_GOOD,)
        )
        assert _checked(config, url, capsys)[:2] == (0, "users.prefs: 1000 rows read, all fit\n")
        wrong = '{"theme": "my-secret", "bio": null}'
        connection.execute("UPDATE users SET prefs = %s WHERE id IN (2, 2999)", (wrong,))
        connection.execute("UPDATE users SET prefs = '[]' WHERE id < 2")
    code, out, err = _checked(config, url, capsys)
    assert (code, out) == (1, "users.prefs: 1000 rows read, 3 do not fit\n")
    assert "error[E376]: 2 of 1000 rows of `users.prefs` do not have the declared structure" in err
    assert "`theme` is not one of the declared texts (id 2; id 2999)" in err
    assert "the value is not an object (id 1)" in err
    assert "sqlc.yaml" in err
    assert "my-secret" not in out + err
    code, out, _ = _checked(config, url, capsys, "--json")
    [column] = json.loads(out)["columns"]
    assert (code, column["rows"], len(column["misfits"])) == (1, 1000, 2)
    postgres_server.drop(url)


def test_rows_of_mariadb_are_reported_by_their_keys(
    tmp_path: Path, mysql_server: TestMysql, capsys: pytest.CaptureFixture[str]
) -> None:
    config, url = _project(tmp_path, "mysql", "json"), mysql_server.create_empty()
    with pymysql.connect(**connect_arguments(url)) as connection, connection.cursor() as cursor:
        cursor.execute(_TABLE.format(json="json"))
        cursor.execute("INSERT INTO users VALUES (1, %s), (2, '{}')", (_GOOD,))
        connection.commit()
    code, out, err = _checked(config, url, capsys)
    assert (code, out) == (1, "users.prefs: 2 rows read, 1 do not fit\n")
    assert "`theme` is missing (id 2)" in err
    mysql_server.drop(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://postgres@127.0.0.1:1/none", "cannot read users.prefs: "),
        ("mysql://root@127.0.0.1:1/none", "no entry for this database declares stored JSON"),
        ("", "expected one argument"),
    ],
)
def test_a_database_that_cannot_be_read_is_one_sentence(
    url: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _project(tmp_path, "postgresql", "jsonb")
    if not url:
        with pytest.raises(SystemExit):
            main(["verify", "-f", str(config), "--database"])
        assert said in capsys.readouterr().err
        return
    code, out, err = _checked(config, url, capsys)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


_TWO = "users.prefs: {schema: prefs.json}, teams.prefs: {schema: prefs.json}"


def _two(config: Path, json_type: str) -> None:
    """Declare the structure of a second column, whose table the database does not have yet."""
    folder = config if config.is_dir() else config.parent
    file, schema = folder / "sqlc.yaml", folder / "schema.sql"
    file.write_text(file.read_text().replace("users.prefs: {schema: prefs.json}", _TWO))
    table = _TABLE.format(json=json_type)
    schema.write_text(f"{table}\n{table.replace('users', 'teams')}")


def test_a_missing_column_hides_no_other_column(
    tmp_path: Path,
    postgres_server: TestPostgres,
    mysql_server: TestMysql,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config, url = _project(tmp_path / "pg", "postgresql", "jsonb"), postgres_server.create_empty()
    _two(config, "jsonb")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id bigint PRIMARY KEY)")
        connection.execute(_TABLE.format(json="jsonb").replace("users", "teams"))
        connection.execute("INSERT INTO teams VALUES (1, '[]')")
    code, out, err = _checked(config, url, capsys)
    assert (code, out) == (1, "users.prefs: not read\nteams.prefs: 1 rows read, 1 do not fit\n")
    assert "error[E376]: cannot read users.prefs: column " in err
    assert "sqlc.yaml:" in err
    assert "the value is not an object (id 1)" in err
    columns = json.loads(_checked(config, url, capsys, "--json")[1])["columns"]
    assert [(item["column"], item["rows"], item["unread"] != "") for item in columns] == [
        ("users.prefs", 0, True),
        ("teams.prefs", 1, False),
    ]
    postgres_server.drop(url)
    config, url = _project(tmp_path / "my", "mysql", "json"), mysql_server.create_empty()
    _two(config, "json")
    with pymysql.connect(**connect_arguments(url)) as opened, opened.cursor() as cursor:
        cursor.execute(_TABLE.format(json="json").replace("users", "teams"))
    code, out, err = _checked(config, url, capsys)
    assert (code, out) == (1, "users.prefs: not read\nteams.prefs: 0 rows read, all fit\n")
    assert "error[E376]: cannot read users.prefs: Table " in err
    mysql_server.drop(url)
