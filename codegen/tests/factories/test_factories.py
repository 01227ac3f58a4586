"""A generated factory inserts rows that the server accepts, and only such rows."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from aiosqlc.cli.main import main

from tests.drivers.running import complaints
from tests.projects import write_project
from tests.servers.postgres import TestPostgres
from tools.realworld.typecheck import type_errors

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen: {python: {out: store, driver: DRIVER, models: MODELS}}
"""
SHOP = """\
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN isbn AS text CHECK (VALUE ~ '^[0-9a-f]{13}$');
CREATE TABLE author (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE CHECK (email LIKE '%@%'),
    name varchar(20) NOT NULL, born date, changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE book (
    id uuid PRIMARY KEY, author_id bigint NOT NULL REFERENCES author,
    editor_id bigint REFERENCES author, title text NOT NULL UNIQUE, isbn isbn,
    mood mood NOT NULL, tags text[] NOT NULL, price numeric(6, 2) NOT NULL CHECK (price > 0),
    total numeric GENERATED ALWAYS AS (price * 2) STORED
);
CREATE TABLE review (
    book_id uuid REFERENCES book, reviewer text,
    stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    PRIMARY KEY (book_id, reviewer)
);
CREATE TABLE reply (
    id int PRIMARY KEY, book_id uuid NOT NULL, reviewer text NOT NULL, n int NOT NULL,
    FOREIGN KEY (book_id, reviewer) REFERENCES review
);
"""
# Each schema, with the tables that get no function and a part of the reason.
SCHEMAS: dict[str, tuple[str, dict[str, str]]] = {
    "conditions over several columns": (
        """CREATE TABLE t (
            id int PRIMARY KEY, state text NOT NULL CHECK (state IN ('open', 'closed')),
            closed_at timestamptz, reason text, starts date NOT NULL, ends date NOT NULL,
            CHECK ((state = 'closed') = (closed_at IS NOT NULL)), CHECK (ends > starts),
            CHECK ((closed_at IS NULL) = (reason IS NULL)))""",
        {},
    ),
    "one of two references": (
        """CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE b (id int PRIMARY KEY);
        CREATE TABLE t (id int PRIMARY KEY, a_id int REFERENCES a, b_id int REFERENCES b,
            CHECK (num_nonnulls(a_id, b_id) >= 1))""",
        {},
    ),
    "a key that is a reference": (
        """CREATE TABLE a (id uuid PRIMARY KEY);
        CREATE TABLE t (id uuid PRIMARY KEY REFERENCES a, note text)""",
        {},
    ),
    "rows of the schema": (
        """CREATE TYPE kind AS ENUM ('a', 'b');
        CREATE TABLE role (name kind PRIMARY KEY, title text NOT NULL);
        INSERT INTO role VALUES ('a', 'x'), ('b', 'y');
        CREATE TABLE t (id int PRIMARY KEY, role kind NOT NULL REFERENCES role)""",
        {"role": "the schema already inserts rows"},
    ),
    "ranges that must not overlap": (
        """CREATE TABLE t (id int PRIMARY KEY, during int4range NOT NULL, at tstzrange NOT NULL,
            EXCLUDE USING gist (during WITH &&))""",
        {},
    ),
    "partitions": (
        """CREATE TABLE t (id int, at date NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE t_2024 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE t_rest PARTITION OF t DEFAULT""",
        {},
    ),
    "keys of many types": (
        """CREATE TABLE a (k smallint PRIMARY KEY); CREATE TABLE b (k bytea PRIMARY KEY
            CHECK (length(k) = 32)); CREATE TABLE c (k inet PRIMARY KEY);
        CREATE TABLE d (k timestamptz PRIMARY KEY); CREATE TABLE e (k char(3) PRIMARY KEY
            CHECK (k ~ '^[A-Z]{3}$')); CREATE TABLE f (k date PRIMARY KEY);
        CREATE TABLE g (k numeric PRIMARY KEY); CREATE TABLE h (k text PRIMARY KEY
            CHECK (k ~ '^[a-z]+:[a-z0-9]+$')); CREATE TABLE i (k serial PRIMARY KEY)""",
        {},
    ),
    "names that need quotes": (
        """CREATE SCHEMA "my app"; CREATE TABLE "my app"."Order" ("Group" int PRIMARY KEY,
            "select" text NOT NULL, n int NOT NULL, "a""b" text NOT NULL);
        CREATE TABLE "order" (id int PRIMARY KEY, "Group" int NOT NULL
            REFERENCES "my app"."Order")""",
        {},
    ),
    "references that share a column": (
        """CREATE TABLE a (tenant int, id int, PRIMARY KEY (tenant, id));
        CREATE TABLE b (tenant int, id int, PRIMARY KEY (tenant, id));
        CREATE TABLE t (id int PRIMARY KEY, tenant int NOT NULL, a_id int NOT NULL,
            b_id int NOT NULL, FOREIGN KEY (tenant, a_id) REFERENCES a,
            FOREIGN KEY (tenant, b_id) REFERENCES b)""",
        {},
    ),
    "names that the factory uses": (
        """CREATE TABLE a (id int PRIMARY KEY, statements text NOT NULL);
        CREATE TABLE t (id int PRIMARY KEY, a_row text NOT NULL, statements text NOT NULL,
            a_id int NOT NULL REFERENCES a)""",
        {},
    ),
    "a column named self, and a table without columns": (
        "CREATE TABLE t (id int PRIMARY KEY, self text NOT NULL); CREATE TABLE empty ()",
        {"empty": "the table has no columns"},
    ),
    "types of a schema": (
        """CREATE TYPE pair AS (x int, y text);
        CREATE DOMAIN short AS varchar(4) NOT NULL;
        CREATE TABLE t (id bigserial PRIMARY KEY, p pair NOT NULL, s short, j jsonb NOT NULL,
            v varbit NOT NULL, b bit(3) NOT NULL, i interval NOT NULL, x xml)""",
        {},
    ),
    "a table that refers to itself": (
        """CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t);
        CREATE TABLE loop (id int PRIMARY KEY, up int NOT NULL REFERENCES loop)""",
        {"loop": "the referenced table loop has no row"},
    ),
    "a trigger that refuses each row": (
        """CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE 'read-only'; END $$;
        CREATE TABLE t (id int PRIMARY KEY); CREATE TRIGGER no BEFORE INSERT ON t
            FOR EACH ROW EXECUTE FUNCTION no();
        CREATE TABLE child (id int PRIMARY KEY, t_id int NOT NULL REFERENCES t)""",
        {"t": "read-only", "child": "the referenced table t has no row"},
    ),
    "a unique column with one value": (
        """CREATE TABLE t (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), a int NOT NULL UNIQUE
            CHECK (a = 4), b text NOT NULL)""",
        {"t": 'duplicate key value violates unique constraint "t_a_key"'},
    ),
    "a condition that no row satisfies": (
        "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL CHECK (a < 0 AND a > 0))",
        {"t": 'violates check constraint "t_a_check"'},
    ),
}


def _project(root: Path, schema: str, driver: str = "asyncpg", models: str = "dataclass") -> Path:
    config = CONFIG.replace("DRIVER", driver).replace("MODELS", models)
    queries = "-- name: One :one\nSELECT 1 AS one;\n"
    return write_project(root, {"sqlc.yaml": config, "schema.sql": schema, "queries.sql": queries})


@contextmanager
def _factory(root: Path, name: str) -> Iterator[Any]:
    """Import the factory of a generated package; forget the package at the end."""
    sys.path.insert(0, str(root))
    try:
        yield importlib.import_module(f"{name}.factory").Factory
    finally:
        sys.path.remove(str(root))
        for module in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
            del sys.modules[module]


@asynccontextmanager
async def _database(url: str, schema: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(schema)
        yield connection
    finally:
        await connection.close()


def _methods(factory: object) -> list[str]:
    return [name for name, _ in inspect.getmembers(factory) if name.startswith("make_")]


@pytest.mark.parametrize("case", SCHEMAS)
async def test_the_server_accepts_the_rows_of_a_schema_with(
    case: str, tmp_path: Path, empty_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    schema, refused = SCHEMAS[case]
    _project(tmp_path, schema)
    name = f"rows_{abs(hash(case))}"
    assert main(["factories", "-f", str(tmp_path), str(tmp_path / name)]) == 0
    said = capsys.readouterr().err
    for table, reason in refused.items():
        assert f"no function for the table {table}: " in said
        assert reason in said
    assert said.count("no function for the table") == len(refused)
    if len(refused) == schema.count("CREATE TABLE"):
        return  # no table has a function
    with _factory(tmp_path, name) as factory:
        async with _database(empty_database, schema) as connection:
            rows = factory(connection)
            for method in _methods(rows):
                for _ in range(5):
                    await getattr(rows, method)()


# The definition of a unique column, with the number of rows that its values are enough for.
UNIQUE = {
    "smallint CHECK (a BETWEEN 0 AND 300)": 300,
    "int CHECK (a >= 0 AND a <= 100)": 100,
    "int CHECK (a > -100 AND a < 100)": 199,
    "int CHECK (a >= 1000)": 400,
    "int CHECK (a <= -7)": 400,
    "smallint": 400,
    "numeric(3, 2)": 400,
    "numeric(3, 2) CHECK (a > 0 AND a < 5)": 400,
    "numeric(5, 2) CHECK (a > 0)": 400,
    "percent": 100,
    "char(1)": 62,
    "varchar(2)": 400,
    "varchar(3)": 400,
    "char(2) CHECK (a ~ '^[A-Z]{2}$')": 400,
    "text CHECK (length(a) = 2)": 400,
    "text CHECK (length(a) = 3 AND a ~ '^[0-9]+$')": 400,
    "mood": 4,
    "bit(8)": 256,
    "varbit(20)": 400,
    "varbit": 400,
    "macaddr": 400,
    "macaddr8": 400,
    "time": 400,
    "timetz": 400,
    "interval": 400,
    "jsonb": 400,
    "text[]": 400,
    "int[]": 400,
    "pg_lsn": 400,
    "xid8": 400,
    "tsvector": 400,
    "tsquery": 400,
    "money": 400,
    "cidr": 400,
    '"char"': 94,
}


async def test_unique_values_run_through_the_accepted_range(
    tmp_path: Path, empty_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = [(f"t{number}", declared) for number, declared in enumerate(UNIQUE)]
    schema = "CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd');\n"
    schema += "CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 1 AND 100);\n"
    schema += "".join(f"CREATE TABLE {t} (a {kind} NOT NULL UNIQUE);\n" for t, kind in kinds)
    _project(tmp_path, schema)
    assert main(["factories", "-f", str(tmp_path), str(tmp_path / "unique_rows")]) == 0
    assert "no function" not in capsys.readouterr().err
    with _factory(tmp_path, "unique_rows") as factory:
        async with _database(empty_database, schema) as connection:
            for table, kind in kinds:
                make = getattr(factory(connection), f"make_{table}")
                for number in range(UNIQUE[kind]):
                    try:
                        await make()
                    except asyncpg.PostgresError as error:
                        pytest.fail(f"{kind}: row {number + 1}: {error}")


async def test_a_factory_keeps_given_values_and_inserts_referenced_rows(
    tmp_path: Path, empty_database: str
) -> None:
    _project(tmp_path, SHOP)
    assert main(["factories", "-f", str(tmp_path), str(tmp_path / "shop_rows")]) == 0
    with _factory(tmp_path, "shop_rows") as factory:
        async with _database(empty_database, SHOP) as connection:
            rows = factory(connection)
            author = await rows.make_author(name="Ada")
            book = await rows.make_book(author_id=author.id, title="Notes")
            reply = await rows.make_reply(n=7)
            review = await rows.make_review(book_id=book.id, stars=5)
            assert (author.name, author.born) == ("Ada", None)
            assert (book.author_id, book.title, book.editor_id) == (author.id, "Notes", None)
            assert (review.book_id, review.stars) == (book.id, 5)
            assert reply.n == 7
            assert await connection.fetchval("SELECT count(*) FROM author") == 2
            assert await connection.fetchval("SELECT count(*) FROM review") == 2


async def test_a_factory_passes_a_given_part_of_a_key_on(
    tmp_path: Path, empty_database: str
) -> None:
    schema = SCHEMAS["references that share a column"][0]
    _project(tmp_path, schema)
    assert main(["factories", "-f", str(tmp_path), str(tmp_path / "key_rows")]) == 0
    with _factory(tmp_path, "key_rows") as factory:
        async with _database(empty_database, schema) as connection:
            row = await factory(connection).make_t(tenant=77)
            assert row.tenant == 77
            assert await connection.fetchval("SELECT tenant FROM b WHERE id = $1", row.b_id) == 77


async def test_a_default_in_a_key_with_a_reference_is_kept(
    tmp_path: Path, empty_database: str
) -> None:
    schema = """CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE t (a_id int REFERENCES a, at timestamptz DEFAULT now(),
            PRIMARY KEY (a_id, at));
        CREATE TABLE u (a_id int PRIMARY KEY REFERENCES a, at timestamptz NOT NULL DEFAULT now())"""
    _project(tmp_path, schema)
    assert main(["factories", "-f", str(tmp_path), str(tmp_path / "default_rows")]) == 0
    with _factory(tmp_path, "default_rows") as factory:
        async with _database(empty_database, schema) as connection:
            rows = factory(connection)
            before = await connection.fetchval("SELECT now()")
            for _ in range(20):
                assert (await rows.make_t()).at > before
                assert (await rows.make_u()).at > before


def test_a_factory_of_a_blocking_driver_blocks(
    tmp_path: Path, postgres_server: TestPostgres
) -> None:
    _project(tmp_path, SHOP, driver="psycopg-sync", models="msgspec")
    assert main(["factories", "-f", str(tmp_path), str(tmp_path / "sync_rows")]) == 0
    url = postgres_server.create_empty()
    with _factory(tmp_path, "sync_rows") as factory, psycopg.connect(url) as connection:
        adapter = importlib.import_module("sync_rows.adapter")
        connection.execute(SHOP)
        rows = factory(adapter.PsycopgExecutor(connection))
        assert rows.make_reply().n == 4  # after its review, book and author


@pytest.mark.long
@pytest.mark.parametrize("models", ["dataclass", "msgspec", "pydantic", "attrs"])
def test_the_code_is_formatted_and_strictly_typed(models: str, tmp_path: Path) -> None:
    _project(tmp_path, SHOP, models=models)
    assert main(["factories", "-f", str(tmp_path), str(tmp_path / "typed_rows")]) == 0
    assert complaints(tmp_path / "typed_rows") == ""
    assert type_errors(tmp_path, ROOT) == []


def test_check_reports_a_factory_of_an_older_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, SHOP)
    command = ["factories", "-f", str(tmp_path), str(tmp_path / "old_rows")]
    assert main(command) == 0
    assert main([*command, "--check"]) == 0
    (tmp_path / "schema.sql").write_text(f"{SHOP}ALTER TABLE author ADD COLUMN bio text;\n")
    capsys.readouterr()
    assert main([*command, "--check"]) == 1
    assert "+        bio: str | None = None," in capsys.readouterr().out


def test_a_factory_of_chosen_tables_has_them_and_the_tables_they_refer_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, f"{SHOP}CREATE TABLE never (a int NOT NULL CHECK (a < 0 AND a > 0));\n")
    command = ["factories", "-f", str(tmp_path), str(tmp_path / "few_rows")]
    assert main([*command, "--tables", "review"]) == 0
    with _factory(tmp_path, "few_rows") as factory:
        assert _methods(factory) == ["make_author", "make_book", "make_review"]
    assert "never" not in capsys.readouterr().err
    assert main([*command, "--tables", "public.author,never"]) == 0
    assert "no function for the table never" in capsys.readouterr().err
    with _factory(tmp_path, "few_rows") as factory:
        assert _methods(factory) == ["make_author"]
    assert complaints(tmp_path / "few_rows") == ""


WRONG = {
    "a configuration without Python": (
        "gen: {python: {out: store, driver: DRIVER, models: MODELS}}",
        "gen: {json: {out: out}}",
        [],
        "no entry of the configuration has `gen.python`",
    ),
    "a name that no entry has": (
        "", "", ["--entry", "shop"],
        "no entry of the configuration is named `shop` and has",
    ),
    "a table that the schema does not have": (
        "", "", ["--tables", "author,autor"],
        "the schema has no table `autor`; it has: author, book, reply, review",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_factories_refuses(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after, options, sentence = WRONG[case]
    _project(tmp_path, SHOP)
    config = tmp_path / "sqlc.yaml"
    text = CONFIG.replace(before, after) if before else CONFIG
    config.write_text(text.replace("DRIVER", "asyncpg").replace("MODELS", "dataclass"))
    assert main(["factories", "-f", str(tmp_path), str(tmp_path / "rows"), *options]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "rows").exists()


def test_factories_does_not_replace_a_handwritten_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, SHOP)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "factory.py").write_text("mine = 1\n")
    assert main(["factories", "-f", str(tmp_path), str(tmp_path / "own")]) == 1
    assert "was not generated by aiosqlc" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["factory.py"]


def test_an_error_in_the_schema_is_reported_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, "CREATE TABLE t (id int PRIMARY KEY;\n")
    assert main(["factories", "-f", str(tmp_path), str(tmp_path / "rows")]) == 1
    assert "schema.sql:1:" in capsys.readouterr().err
    assert not (tmp_path / "rows").exists()
