"""Declared channels from the user's view: generate, check, explain, other drivers and engines."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.messages.render import render_all
from aiosqlc.parse.queries import parse_file
from aiosqlc.source import Dialect, SourceFile

from tests.projects import write_project

CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {out: store, package: store, driver: DRIVER}
"""
SCHEMA = """\
CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL);
CREATE FUNCTION publish() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('news', row_to_json(NEW)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER publish AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION publish();
"""
QUERIES = "-- notify: news News\nSELECT id, name FROM item;\n"
SENDER = "\n-- name: SendAll :exec\nSELECT pg_notify('news', row_to_json(item)::text) FROM item;\n"


def project(folder: Path, driver: str = "asyncpg", queries: str = QUERIES) -> str:
    config = CONFIG.replace("DRIVER", driver)
    write_project(folder, {"sqlc.yaml": config, "schema.sql": SCHEMA, "queries.sql": queries})
    return str(folder / "sqlc.yaml")


def test_a_change_of_the_schema_or_of_a_channel_is_checked_with_a_lock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project(tmp_path, queries=QUERIES + SENDER)
    assert main(["generate", "-f", config]) == 0
    assert main(["check", "-f", config]) == 0
    written = (tmp_path / "store" / "queries.py").read_text()

    # The query that sends is not analysed again.
    (tmp_path / "queries.sql").write_text(QUERIES.replace("name", "name AS title") + SENDER)
    assert main(["generate", "-f", config]) == 1
    out = capsys.readouterr()
    assert "`SendAll` sends on `news` is not the declared one: `title` is missing" in out.err
    assert "the trigger function `publish` of `item`" in out.err
    assert (tmp_path / "store" / "queries.py").read_text() == written

    (tmp_path / "queries.sql").write_text(QUERIES + SENDER)
    assert main(["check", "-f", config]) == 0
    (tmp_path / "schema.sql").write_text(SCHEMA + "ALTER TABLE item RENAME name TO title;\n")
    (tmp_path / "queries.sql").write_text(QUERIES.replace("name", "title AS name") + SENDER)
    assert main(["generate", "-f", config]) == 1
    assert capsys.readouterr().err.count("is not the declared one: `name` is missing") == 2


def test_a_warning_about_a_channel_can_be_ignored_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unproved = "\n-- name: Send :exec\nSELECT pg_notify('news', @payload);\n"
    assert main(["generate", "-f", project(tmp_path, queries=QUERIES + unproved)]) == 0
    assert "warning[E397]: the payload that `Send` sends" in capsys.readouterr().err
    ignored = unproved.replace("SELECT", "-- ignore: E397 it is built in Python\nSELECT")
    assert main(["generate", "-f", project(tmp_path, queries=QUERIES + ignored)]) == 0
    assert "E397" not in capsys.readouterr().err


def test_a_warning_is_ignored_above_a_channel_on_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project(tmp_path, queries="-- notify: news item\n")
    write_project(tmp_path, {"schema.sql": SCHEMA.replace("AFTER", "BEFORE")})
    assert main(["generate", "-f", config]) == 0
    assert "warning[E397]" in capsys.readouterr().err
    ignored = "-- ignore: E397 no later trigger changes the row\n-- notify: news item\n"
    for queries in (ignored, f"{ignored}\n-- name: All :many\nSELECT * FROM item;\n"):
        (tmp_path / "queries.sql").write_text(queries)
        assert main(["generate", "-f", config]) == 0
        assert "E397" not in capsys.readouterr().err


def test_explain_shows_the_payload_and_its_senders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project(tmp_path)
    assert main(["explain", "-f", config, "news"]) == 0
    assert capsys.readouterr().out == (
        "channel news  (queries.sql:1)\n"
        "    JSON: object\n"
        "        id: int4 NOT NULL\n"
        "        name: text NOT NULL\n"
        "sent by the trigger function `publish` of `item`\n"
    )
    assert main(["explain", "-f", config, "newz"]) == 1
    assert "did you mean `news`?" in capsys.readouterr().err


def test_only_the_package_of_asyncpg_has_listeners(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = f"{QUERIES}\n-- name: ListItems :many\nSELECT * FROM item;\n"
    assert main(["generate", "-f", project(tmp_path, "psycopg", queries)]) == 1
    message = "error[E417]: a listener cannot be generated for the driver psycopg"
    assert message in capsys.readouterr().err
    assert main(["generate", "-f", project(tmp_path, "[asyncpg, psycopg]", queries)]) == 0
    assert "listen_news" in (tmp_path / "store" / "queries.py").read_text()
    assert "news" not in (tmp_path / "store" / "on_psycopg" / "queries.py").read_text()


def test_a_channel_is_declared_in_a_query_file_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project(tmp_path)
    app = tmp_path / "app.py"
    app.write_text('from inline import sql\nsql("-- notify: news item\\nSELECT 1")\n')
    assert main(["scan", "-f", config, str(app), "-o", str(tmp_path / "inline")]) == 1
    assert "error[E150]: the channel `news` is not declared in a query" in capsys.readouterr().err


def test_mysql_has_no_channels() -> None:
    queries, [problem] = parse_file(SourceFile(Path("queries.sql"), QUERIES), Dialect.MYSQL)
    assert queries == ()
    assert "MySQL and MariaDB have no notifications" in render_all([problem])
