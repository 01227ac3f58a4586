"""The proved payload of a notification holds for each payload that a server sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Sent
from aiosqlc.pipeline.analyzing import analyze_project

from tests.golden import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

CONFIG = """
version: "2"
sql:
  - {engine: postgresql, schema: schema.sql, queries: queries.sql, gen: {python: {out: store}}}
"""
TABLE = "CREATE TABLE {item} (id int PRIMARY KEY, name text NOT NULL, size int);\n"
CHANNEL = "-- notify: {news} {News}\nSELECT id, name, size FROM {item};\n"


def trigger(body: str, events: str = "INSERT OR UPDATE OR DELETE", number: int = 1) -> str:
    """Return a table with a trigger; `message` is a variable of the type json."""
    made = f"""{TABLE.format(item="item")}
CREATE FUNCTION publish() RETURNS trigger LANGUAGE plpgsql AS
$$ DECLARE message json; words text := ''; BEGIN {body} RETURN NULL; END $$;
CREATE TRIGGER publish AFTER {events} ON item FOR EACH ROW EXECUTE FUNCTION publish();\n"""
    return re.sub(r"\b(item|publish|news)\b", rf"\g<1>{number}", made)


def channel(number: int = 1) -> str:
    names = {"news": f"news{number}", "News": f"News{number}", "item": f"item{number}"}
    return CHANNEL.format(**names)


def analysed(
    folder: Path, server: TestPostgres, schema: str, queries: str
) -> tuple[dict[str, tuple[Sent, ...]], tuple[Diagnostic, ...]]:
    """Return the notifications on each declared channel, and the diagnostics."""
    write_project(folder, {"sqlc.yaml": CONFIG, "schema.sql": schema, "queries.sql": queries})
    url = server.create_empty()
    try:
        [part] = analyze_project(loaded(folder), analyzer_on(url))
    finally:
        server.drop(url)
    return {one.parsed.channel: one.sends for one in part.analysis.channels}, part.diagnostics


SEND = "PERFORM pg_notify('news', {}::text);"
NEW, OLD = SEND.format("row_to_json(NEW)"), SEND.format("to_jsonb(OLD)")
# Bodies that are understood. Each sends for some event what is declared, or does not send.
FINE = [
    f"IF TG_OP = 'DELETE' THEN {OLD} ELSE {NEW} END IF;",
    f"IF (TG_OP = 'INSERT' OR TG_OP = 'UPDATE') AND NEW.size > 0 THEN {NEW} END IF;",
    (
        f"IF NEW.size > 0 AND TG_OP IN ('INSERT', 'UPDATE') THEN {NEW} "
        f"ELSIF TG_OP <> 'INSERT' THEN IF TG_OP != 'UPDATE' THEN {OLD} END IF; END IF;"
    ),
    f"IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; {NEW}",
    "IF TG_OP = 'DELETE' THEN message := row_to_json(OLD); ELSE message = to_jsonb(NEW); END IF; "
    + SEND.format("message"),
    (
        "message := json_build_object('id', 1, 'name', TG_OP || TG_TABLE_NAME, 'size', NULL::int); "
        "words := message; message := NULL; PERFORM pg_notify('news', words);"
    ),
    "SELECT name INTO words FROM item LIMIT 1; "
    + SEND.format("json_build_object('id', 2, 'name', coalesce(words, ''), 'size', length(words))"),
    "DECLARE inner_ json := json_build_object('id', 1, 'name', '', 'size', 3); BEGIN "
    + SEND.format("inner_")
    + " END;",
    "IF TG_OP = 'DELETE' THEN RETURN NULL; END IF; "
    + NEW.removesuffix(";")
    + " WHERE NEW.size > 0 /* ; */ -- '\n;",
    SEND.format("row_to_json(item)").removesuffix(";") + " FROM item WHERE item.id > 0;",
    "IF TG_OP <> 'DELETE' THEN BEGIN " + NEW + " EXCEPTION WHEN OTHERS THEN NULL; END; END IF;",
    (
        "DECLARE target varchar := 'news'; BEGIN "
        "IF TG_OP <> 'DELETE' THEN PERFORM pg_notify(target, row_to_json(NEW)::text); END IF; END;"
    ),
]
# Bodies whose payload differs from the declared one for some event or row.
DIFFERENT = [
    NEW,
    f"IF TG_OP = 'INSERT' THEN {NEW} ELSE {NEW} END IF;",
    f"IF TG_OP = 'DELETE' OR NEW.size > 0 THEN {NEW} END IF;",
    f"IF NOT TG_OP = 'DELETE' THEN {OLD} ELSE {OLD} END IF;",
    "IF random() < 2 THEN message := json_build_object('id', 1, 'name', NULL::text, 'size', 1); "
    "ELSE message := json_build_object('id', 1, 'name', 'x', 'size', 1); END IF; "
    + SEND.format("message"),
    "message := json_build_object('id', 1, 'name', words, 'size', 1); " + SEND.format("message")
    + " words := NULL; message := json_build_object('id', 1, 'name', words, 'size', 1); "
    + SEND.format("message"),
    "SELECT name INTO words FROM item WHERE false; "
    + SEND.format("json_build_object('id', 2, 'name', words, 'size', 1)"),
    SEND.format("json_build_object('id', 2, 'name', 1, 'size', 1)"),
    SEND.format("json_build_object('id', 2, 'nam', 'x', 'size', 1)"),
    f"IF TG_OP IN ('INSERT' || 'X') THEN NULL; ELSE {OLD} END IF;",
    ("IF (CASE WHEN NEW.id > 100 OR TG_OP = 'INSERT' OR NEW.id < 0 THEN false ELSE true END) "
    f"THEN NULL; ELSE {OLD} END IF;"),
    "DECLARE target varchar := 'news'; BEGIN PERFORM pg_notify(target, '[]'::json::text); END;",
]  # fmt: skip
# Bodies about which nothing is claimed.
UNKNOWN = [
    f"FOR number IN 1..2 LOOP {NEW} END LOOP;",
    f"CASE TG_OP WHEN 'DELETE' THEN {OLD} ELSE {NEW} END CASE;",
    f"NEW.name := NULL; {SEND.format('row_to_json(NEW)')}",
    "EXECUTE $x$ NOTIFY news, '{}' $x$;",
    "NOTIFY news;",
    "words := pg_notify('news', 'x');",
    "IF pg_notify('news', 'x') IS NULL THEN RETURN NULL; END IF;",
    "SELECT pg_notify('news', 'x') INTO words;",
    SEND.format("message"),
    "SELECT json_build_object('id', 1) INTO message; " + SEND.format("message"),
    "PERFORM pg_notify('news', 'x');",
    f"{NEW.replace('NEW', 'item').removesuffix(';')} FROM item; PERFORM pg_notify('news', words);",
    "BEGIN NULL; EXCEPTION WHEN OTHERS THEN words := NULL; END; " + SEND.format("words"),
    "DECLARE number int; BEGIN BEGIN number := 'x'::int; EXCEPTION WHEN OTHERS THEN NULL; END; "
    + SEND.format("json_build_object('id', number, 'name', '', 'size', 1)")
    + " END;",
    (
        "BEGIN IF 1 / (SELECT 0) > 0 THEN END IF; RETURN NULL; EXCEPTION WHEN OTHERS THEN END; "
        "PERFORM pg_notify('news', 'x');"
    ),
    "DECLARE tg_op text; BEGIN NULL; END; "
    + SEND.format("json_build_object('id', 1, 'name', TG_OP, 'size', 1)"),
    "DECLARE name text := ''; BEGIN NULL; END; "
    + SEND.format("json_build_object('id', 1, 'name', name, 'size', 1)"),
    "words := 'x'; "
    + "words := words || words; " * 20
    + SEND.format("json_build_object('id', 1, 'name', words, 'size', 1)"),
    "DECLARE number item.id%TYPE := 1; BEGIN "
    + SEND.format("json_build_object('id', number, 'name', '', 'size', 1)")
    + " END;",
    "DECLARE target varchar(2) := 'news'; BEGIN PERFORM pg_notify(target || 'ws', '{}'); END;",
]


BODIES = [*FINE, *DIFFERENT, *UNKNOWN]


@dataclass(frozen=True)
class Outcome:
    """The findings about each body, and the payloads that a real server sends, by channel."""

    sends: dict[str, tuple[Sent, ...]]
    codes: dict[str, set[str]]
    payloads: dict[str, list[str]]


@pytest.fixture(scope="module")
def outcome(postgres_server: TestPostgres, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    numbered = list(enumerate(BODIES, 1))
    schema = "".join(trigger(body, number=number) for number, body in numbered)
    queries = "".join(channel(number) for number, _ in numbered)
    sends, found = analysed(tmp_path_factory.mktemp("news"), postgres_server, schema, queries)
    codes: dict[str, set[str]] = {}
    for item in found:
        codes.setdefault(str(item.message.split(" on `")[1].split("`")[0]), set()).add(item.code)
    return Outcome(sends, codes, asyncio.run(news(postgres_server, schema)))


async def news(server: TestPostgres, schema: str) -> dict[str, list[str]]:
    """Return what a real server sends for inserted, changed and deleted rows."""
    url = server.create_empty()
    connection: Any = await asyncpg.connect(url)
    found: dict[str, list[str]] = {f"news{number}": [] for number in range(1, len(BODIES) + 1)}
    try:
        await connection.execute(schema)
        for name in found:
            await connection.add_listener(name, lambda _db, _pid, at, text: found[at].append(text))
        for number in range(1, len(BODIES) + 1):
            for sql in (
                "INSERT INTO item{} VALUES (1, 'a', 5), (2, 'b', NULL)",
                "UPDATE item{} SET name = name || 'x'",
                "DELETE FROM item{}",
            ):
                with contextlib.suppress(asyncpg.PostgresError):  # of a body that cannot run
                    await connection.execute(sql.format(number))
        await connection.execute("SELECT 1")
        await asyncio.sleep(0)
    finally:
        await connection.close()
        server.drop(url)
    return found


def fits(payload: str) -> bool:
    item = json.loads(payload) if payload[:1] == "{" else None
    if not isinstance(item, dict) or not {"id", "name", "size"} <= set(item):
        return False
    size = item["size"]
    return type(item["id"]) is int and type(item["name"]) is str and type(size) in (int, type(None))


def name_of(body: str) -> str:
    return f"news{BODIES.index(body) + 1}"


@pytest.mark.parametrize("body", FINE)
def test_payloads_that_are_proved_have_the_declared_structure(body: str, outcome: Outcome) -> None:
    name = name_of(body)
    assert outcome.sends[name]
    assert name not in outcome.codes
    assert outcome.payloads[name]
    assert [payload for payload in outcome.payloads[name] if not fits(payload)] == []


@pytest.mark.parametrize("body", DIFFERENT)
def test_payloads_that_differ_are_errors(body: str, outcome: Outcome) -> None:
    assert outcome.codes[name_of(body)] == {"E396"}
    assert not all(map(fits, outcome.payloads[name_of(body)]))


@pytest.mark.parametrize("body", UNKNOWN)
def test_nothing_is_claimed_of_other_payloads(body: str, outcome: Outcome) -> None:
    assert outcome.codes[name_of(body)] == {"E397"}


def test_a_statement_trigger_has_no_rows(tmp_path: Path, postgres_server: TestPostgres) -> None:
    schema = trigger(NEW, "INSERT").replace("FOR EACH ROW", "FOR EACH STATEMENT")
    _, [found] = analysed(tmp_path, postgres_server, schema, channel())
    assert "the payload may be NULL" in found.message


def test_a_renamed_column_is_an_error_of_the_trigger(
    tmp_path: Path, postgres_server: TestPostgres
) -> None:
    body = SEND.format("json_build_object('id', NEW.id, 'name', NEW.name, 'size', NEW.size)")
    schema = trigger(body, "INSERT")
    sends, found = analysed(tmp_path, postgres_server, schema, channel())
    assert [sent.source for sent in sends["news1"]] == [
        "the trigger function `publish1` of `item1`"
    ]
    assert found == ()
    schema += "ALTER TABLE item1 RENAME COLUMN size TO amount;"
    declared = channel().replace("size", "amount AS size")
    _, [error] = analysed(tmp_path, postgres_server, schema, declared)
    assert (error.code, error.severity) == ("E396", "error")
    assert "column new.size does not exist" in error.message


# Functions, and what is found about the payload {"v": int} of the channel with their name.
FUNCTIONS = [
    (
        "virtual",
        """CREATE TABLE virtual (id int, v int NOT NULL GENERATED ALWAYS AS (1) VIRTUAL);
        CREATE FUNCTION virtual() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_notify('virtual', row_to_json(NEW)::text); RETURN NULL; END $$;
        CREATE TRIGGER virtual AFTER INSERT ON virtual FOR EACH ROW EXECUTE FUNCTION virtual();""",
        "INSERT INTO virtual VALUES (1)",
        "virtual generated columns are NULL",
    ),
    (
        "other_columns",
        """CREATE TABLE other_columns (v int NOT NULL, w int GENERATED ALWAYS AS (1) VIRTUAL);
        CREATE FUNCTION other_columns() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM
        pg_notify('other_columns', json_build_object('v', NEW.v)::text); RETURN NULL; END $$;
        CREATE TRIGGER other_columns AFTER INSERT ON other_columns
        FOR EACH ROW EXECUTE FUNCTION other_columns();""",
        "INSERT INTO other_columns VALUES (1)",
        "",
    ),
    (
        "elsewhere",
        """CREATE SCHEMA other; CREATE TABLE named (v int NOT NULL);
        CREATE TABLE other.named (v text);
        INSERT INTO other.named VALUES ('x');
        CREATE FUNCTION elsewhere() RETURNS void LANGUAGE plpgsql SET search_path = other AS $$
        BEGIN PERFORM pg_notify('elsewhere', row_to_json(named)::text) FROM named; END $$;""",
        "SELECT elsewhere()",
        "`v` may be null",
    ),
    (
        "configured",
        """CREATE TABLE configured (id text); INSERT INTO configured VALUES (NULL);
        CREATE FUNCTION configured(id int) RETURNS void LANGUAGE plpgsql
        SET plpgsql.variable_conflict = 'use_column' AS $$ DECLARE v int := 1; BEGIN
        PERFORM pg_notify('configured', json_build_object('v', v)::text)
        FROM (SELECT NULL::int AS v);
        END $$;""",
        "SELECT configured(1)",
        "has a SET clause",
    ),
    (
        "transition",
        """CREATE TABLE transition (v int); CREATE TABLE rows_ (v int NOT NULL);
        CREATE FUNCTION transition() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_notify('transition', row_to_json(rows_)::text) FROM rows_; RETURN NULL; END $$;
        CREATE TRIGGER transition AFTER INSERT ON transition REFERENCING NEW TABLE AS rows_
        FOR EACH STATEMENT EXECUTE FUNCTION transition();""",
        "INSERT INTO transition VALUES (NULL)",
        "is not proved",
    ),
    (
        "shadowed",
        """CREATE FUNCTION shadowed(v int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        DECLARE v int := 1; BEGIN NULL; END;
        PERFORM pg_notify('shadowed', json_build_object('v', v)::text); END $$;""",
        "SELECT shadowed(NULL)",
        "is not proved",
    ),
    (
        "one_by_one",
        """CREATE FUNCTION one_by_one() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN
        RETURN NEXT 1; PERFORM pg_notify('one_by_one', '{"v": null}'); END $$;""",
        "SELECT one_by_one()",
        "is not proved",
    ),
    (
        "emptied",
        """CREATE TABLE emptied (v int NOT NULL);
        CREATE FUNCTION emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_notify('emptied', row_to_json(NEW)::text); RETURN NULL; END $$;
        CREATE TRIGGER emptied AFTER TRUNCATE ON emptied EXECUTE FUNCTION emptied();""",
        "TRUNCATE emptied",
        "the payload may be NULL",
    ),
    (
        "gap",
        """CREATE FUNCTION gap(a int, b int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_notify('gap', json_build_object('v', coalesce(b, 1))::text);
        PERFORM pg_notify('gap', json_build_object('v', coalesce($2, $1, $2, 1))::text); END $$;""",
        "SELECT gap(1, 2)",
        "",
    ),
    (
        "outward",
        """CREATE FUNCTION outward(OUT a text, IN b int) LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_notify('outward', json_build_object('v', coalesce(b, 1))::text); END $$;""",
        "SELECT outward(2)",
        "",
    ),
    (
        "computed",
        """CREATE FUNCTION computed(to_all bool) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_notify(CASE WHEN to_all THEN 'all' ELSE 'computed' END, '{}'); END $$;""",
        "SELECT computed(false)",
        "the body contains the channel's name",
    ),
    (
        "temporary",
        """CREATE FUNCTION temporary() RETURNS void LANGUAGE sql AS $$ CREATE TEMP TABLE t (v int);
        INSERT INTO t VALUES (NULL);
        SELECT pg_notify('temporary', row_to_json(t)::text) FROM t $$;""",
        "SELECT temporary()",
        "the compiler does not support the body of the function",
    ),
]  # fmt: skip


def test_the_meaning_of_a_name_in_a_body_decides_the_claim(
    tmp_path: Path, postgres_server: TestPostgres
) -> None:
    with psycopg.connect(postgres_server.url()) as connection:
        chosen = FUNCTIONS if connection.info.server_version >= 180000 else FUNCTIONS[2:]
    schema = "SET check_function_bodies = off;" + "".join(made for _, made, _, _ in chosen)
    queries = "".join(f"-- notify: {name} C_{name}\nSELECT 1::int AS v;\n" for name, *_ in chosen)
    sends, found = analysed(tmp_path, postgres_server, schema, queries.replace("C_", "C"))
    payloads = asyncio.run(sent_by(postgres_server, schema, {n: sql for n, _, sql, _ in chosen}))
    for name, _, _, expected in chosen:
        messages = [item.message for item in found if f"on `{name}`" in item.message]
        fitting = all(re.fullmatch(r'{"v" ?: ?\d+}', text) for text in payloads[name])
        assert [expected in text for text in messages] == [True] * bool(expected), (name, messages)
        assert sends[name], name
        assert fitting is (not expected), (name, payloads[name])


async def sent_by(server: TestPostgres, schema: str, calls: dict[str, str]) -> dict[str, list[str]]:
    """Return the notifications of a real server by channel, for statements that send."""
    url = server.create_empty()
    connection: Any = await asyncpg.connect(url)
    found: dict[str, list[str]] = {name: [] for name in calls}
    try:
        await connection.execute(schema)
        for name in calls:
            await connection.add_listener(name, lambda _db, _pid, at, text: found[at].append(text))
        for sql in calls.values():
            await connection.execute(sql)
        await connection.execute("SELECT 1")
        await asyncio.sleep(0)
    finally:
        await connection.close()
        server.drop(url)
    return found
