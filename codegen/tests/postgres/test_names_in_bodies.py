"""There is no claim about a string body if a function may change which table a name means."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.parse.queries import parse_file
from aiosqlc.postgres import Analyzer
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile

from tests.servers.postgres import TestPostgres

SCHEMA = """
CREATE SCHEMA s;
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL);
CREATE TABLE s.t (id int, n int);
INSERT INTO s.t (id) VALUES (1), (1);
INSERT INTO t VALUES (1, 1);
CREATE FUNCTION plain() RETURNS SETOF int LANGUAGE sql AS 'SELECT n FROM t';
"""
PLPGSQL = "RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN {} RETURN QUERY SELECT n FROM t; END $$;"
VOID = "CREATE FUNCTION helper() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {} END $$;"
TRIGGER = (
    "CREATE FUNCTION helper() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW; END $$;"
    " CREATE TRIGGER helper BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION helper();"
)
ESCAPED = r'PERFORM U&"help\0065r"();'
PATH = "PERFORM set_config('search_path', 's', true);"
# Definitions and a query whose column is proved to be NOT NULL.
KEPT = {
    "a body that only reads": ("", "SELECT * FROM plain()"),
    "a body that calls another": (
        f"CREATE FUNCTION f() {PLPGSQL.format('PERFORM plain();')}",
        "SELECT * FROM f()",
    ),
    "a change of rows with a trigger that calculates": (
        TRIGGER.format("NEW.n = CASE WHEN NEW.n IS NULL THEN 0 ELSE abs(NEW.n) END;")
        + f"CREATE FUNCTION f() {PLPGSQL.format('INSERT INTO t VALUES (2, 2);')}",
        "SELECT * FROM f()",
    ),
    "an UPDATE, whose SET is no setting": (
        f"CREATE FUNCTION f() {PLPGSQL.format('UPDATE t SET n = 2 WHERE id = 1;')}",
        "SELECT * FROM f()",
    ),
}
# The same where a row has NULL.
LOST = {
    "set_config in a PL/pgSQL body": (
        f"CREATE FUNCTION f() {PLPGSQL.format(PATH)}",
        "SELECT * FROM f()",
    ),
    "set_config in an SQL body": (
        """CREATE FUNCTION f() RETURNS SETOF int LANGUAGE sql AS
        $$ SELECT set_config('search_path', 's', true); SELECT n FROM t $$;""",
        "SELECT * FROM f()",
    ),
    "a function that calls set_config": (
        f"{VOID.format(PATH)} CREATE FUNCTION f() {PLPGSQL.format('PERFORM helper();')}",
        "SELECT * FROM f()",
    ),
    "a function that calls such a function": (
        f"""{VOID.format(PATH)} CREATE FUNCTION middle() RETURNS void LANGUAGE sql AS
        'SELECT helper()'; CREATE FUNCTION f() {PLPGSQL.format("PERFORM middle();")}""",
        "SELECT * FROM f()",
    ),
    "SET in a called function": (
        VOID.format("SET LOCAL search_path = s;")
        + f"CREATE FUNCTION f() {PLPGSQL.format('PERFORM helper();')}",
        "SELECT * FROM f()",
    ),
    "a dynamic statement in a called function": (
        VOID.format("EXECUTE 'SET LOCAL search_path = s';")
        + f"CREATE FUNCTION f() {PLPGSQL.format('PERFORM helper();')}",
        "SELECT * FROM f()",
    ),
    "a temporary table of a called function": (
        VOID.format("CREATE TEMP TABLE t ON COMMIT DROP AS SELECT NULL::int AS n;")
        + f"CREATE FUNCTION f() {PLPGSQL.format('PERFORM helper();')}",
        "SELECT * FROM f()",
    ),
    "a trigger": (
        TRIGGER.format(PATH)
        + f"CREATE FUNCTION f() {PLPGSQL.format('INSERT INTO t VALUES (2, 2);')}",
        "SELECT * FROM f()",
    ),
    "a default": (
        VOID.replace("void", "int").format(PATH + " RETURN 1;")
        + "ALTER TABLE t ADD m int; ALTER TABLE t ALTER m SET DEFAULT helper();"
        f"CREATE FUNCTION f() {PLPGSQL.format('INSERT INTO t VALUES (2, 2);')}",
        "SELECT * FROM f()",
    ),
    "a view": (
        f"""CREATE VIEW v AS SELECT set_config('search_path', 's', true) AS path;
        CREATE FUNCTION f() {PLPGSQL.format("PERFORM path FROM v;")}""",
        "SELECT * FROM f()",
    ),
    "a function with a search_path of its own": (
        """CREATE FUNCTION f() RETURNS SETOF int LANGUAGE sql SET search_path = s
        BEGIN ATOMIC SELECT x FROM public.plain() x; END;""",
        "SELECT * FROM f()",
    ),
    "the default of a parameter": (
        """CREATE FUNCTION f(a text DEFAULT set_config('search_path', 's', true)) RETURNS int
        LANGUAGE sql BEGIN ATOMIC SELECT length(a); END;""",
        "SELECT x FROM f() y, LATERAL plain() x WHERE y > 0",
    ),
    "the view of the settings": (
        """CREATE FUNCTION f() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN
        UPDATE pg_settings SET setting = 's' WHERE name = 'search_path';
        RETURN QUERY SELECT n FROM t; END $$;""",
        "SELECT * FROM f()",
    ),
    "attribute notation": (
        f"""CREATE FUNCTION moves(t) RETURNS text LANGUAGE sql
        AS $$ SELECT set_config('search_path', 's', true) $$;
        CREATE FUNCTION f() {PLPGSQL.format("PERFORM y.moves FROM t y;")}""",
        "SELECT * FROM f()",
    ),
    "a name beyond ASCII": (
        VOID.replace("helper", "ÉTAT").format(PATH)
        + f"CREATE FUNCTION f() {PLPGSQL.format('PERFORM ÉTAT();')}",
        "SELECT * FROM f()",
    ),
    "an escaped name": (
        VOID.format(PATH) + f"CREATE FUNCTION f() {PLPGSQL.format(ESCAPED)}",
        "SELECT * FROM f()",
    ),
    "the condition of a trigger": (
        f"""CREATE TABLE log (id int);
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER moves BEFORE INSERT ON log FOR EACH ROW
        WHEN (set_config('search_path', 's', true) IS NULL) EXECUTE FUNCTION nothing();
        CREATE FUNCTION f() {PLPGSQL.format("INSERT INTO public.log VALUES (1);")}""",
        "SELECT * FROM f()",
    ),
    "a comment that ends with a carriage return": (
        r"""CREATE FUNCTION f() RETURNS SETOF int LANGUAGE plpgsql AS
        E'BEGIN\n-- c\rSET LOCAL search_path = s;\nRETURN QUERY SELECT n FROM t;\nEND';""",
        "SELECT * FROM f()",
    ),
    "set_config in the statement": ("", "SELECT set_config('search_path', 's', true), plain()"),
    "a function of the statement": (VOID.format(PATH), "SELECT helper(), plain()"),
}


def _is_not_null(analyzer: Analyzer, functions: str, query: str) -> bool:
    text = f"-- name: Q :many\n{query};\n"
    parsed, problems = parse_file(SourceFile(Path("q.sql"), text), Dialect.POSTGRESQL)
    assert problems == []
    schema = schema_file(SourceFile(Path("schema.sql"), SCHEMA + functions), Dialect.POSTGRESQL)
    analysis, found = analyzer.analyze([schema], parsed, AnalyzeOptions())
    assert len(analysis.queries) == 1, found
    return analysis.queries[0].columns[-1].not_null


def _has_null(server: TestPostgres, functions: str, query: str) -> bool:
    url = server.create_empty()
    with psycopg.connect(url, autocommit=True) as db:
        db.execute((SCHEMA + functions).encode())
    with psycopg.connect(url) as db:
        rows = db.execute(query.encode()).fetchall()
        db.rollback()
    server.drop(url)
    assert rows
    return any(row[-1] is None for row in rows)


@pytest.mark.parametrize("name", KEPT)
def test_a_claim_stays_if_nothing_changes_what_names_mean(
    name: str, analyzer: Analyzer, postgres_server: TestPostgres
) -> None:
    assert _is_not_null(analyzer, *KEPT[name])
    assert not _has_null(postgres_server, *KEPT[name])


@pytest.mark.parametrize("name", LOST)
def test_no_claim_is_made_if_a_name_may_mean_another_table(
    name: str, analyzer: Analyzer, postgres_server: TestPostgres
) -> None:
    assert not _is_not_null(analyzer, *LOST[name])
    assert _has_null(postgres_server, *LOST[name])
