"""`aiosqlc stats` writes statistics of a database or of declared sizes, or says why it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.postgres.planning import pull
from aiosqlc.production.statistics import Statistics, read
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.databases import new_database
from aiosqlc.servers.postgres.embedded import embedded_server

from tests.projects import write_project

SCHEMA = """\
CREATE TYPE mood AS ENUM ('calm', 'it''s "odd"');
CREATE TABLE customer (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, mood mood NOT NULL);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer,
    kind text CHECK (kind IN ('x', 'y''s', 'z')),
    paid boolean,
    due date NOT NULL,
    note text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE part (id int NOT NULL) PARTITION BY LIST (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
"""
GUESTS = """\
CREATE TABLE storey (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE storey_1 PARTITION OF storey FOR VALUES FROM (1) TO (2);
CREATE TABLE storey_2 PARTITION OF storey FOR VALUES FROM (2) TO (9000);
CREATE DOMAIN given AS text NOT NULL;
CREATE DOMAIN called AS given;
CREATE TABLE guest (
    name called,
    mood mood CHECK (mood IN ('calm', 'calm')),
    level int CHECK (level IN (-1, 0, 1)),
    code char(3) CHECK (code IN ('a', 'b]', 'c')),
    word text CHECK (lower(word) IN ('x', 'y')),
    text text CHECK (text IN ('x', 'y') OR length(text) > 5),
    host_id bigint,
    floor int REFERENCES storey,
    late text
);
ALTER TABLE guest ADD CHECK (late IN ('x', 'y')) NOT VALID;
ALTER TABLE guest ADD FOREIGN KEY (host_id) REFERENCES customer NOT VALID;
"""
CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: migrations
    queries: queries
    production: {statistics: stats.sql, tables: {public.orders: 50_000_000, customer: 2000000}}
    gen: {python: {out: out}}
"""


class Project:
    """A project, and the command in it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys
        self.file = root / "stats.sql"
        write_project(root, {"sqlc.yaml": CONFIG, "migrations/1.sql": SCHEMA, "queries/q.sql": ""})

    def run(self, *words: str) -> tuple[int, str, str]:
        code = main(["stats", *words, "-f", str(self.root)])
        return code, *self._capsys.readouterr()

    def refused(self, *words: str) -> str:
        """Run the command, which writes nothing and says why in one line."""
        before = sorted(path.name for path in self.root.iterdir())
        code, out, err = self.run(*words)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert sorted(path.name for path in self.root.iterdir()) == before
        return err


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    return Project(tmp_path, capsys)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The connection string of a database with the schema and some rows."""
    with embedded_server() as server, new_database(server) as draft:
        with Connection(draft.conninfo) as connection:
            rows = (
                "INSERT INTO customer SELECT n, n::text, 'calm' FROM generate_series(1, 500) n;"
                "INSERT INTO orders (customer_id, due, note) SELECT n, '2024-01-01', 'secret'"
                " FROM generate_series(1, 500) n; CREATE ROLE reader LOGIN;"
                "CREATE INDEX by_hand ON orders (note)"
            )
            assert connection.run(SCHEMA) is None
            assert connection.run(rows) is None
            assert connection.run("ANALYZE") is None
        yield draft.conninfo


def distinct(statistics: Statistics, relation: str) -> dict[str, str]:
    """Return the numbers of distinct values by column."""
    return {
        item.column: dict(item.values)["n_distinct"]
        for item in statistics.columns
        if item.relation == relation
    }


def test_sizes_and_keys_give_statistics(project: Project) -> None:
    code, out, err = project.run("synth")
    assert (code, err) == (0, "note: the number of rows is not declared; 1000 are assumed: part\n")
    assert out.startswith("wrote ")
    found = read(project.file)
    rows = {item.name: item.rows for item in found.relations}
    assert rows == {
        "customer": 2e6, "orders": 5e7, "part": 1000, "part_1": 500, "part_2": 500,
    }  # fmt: skip
    assert distinct(found, "customer") == {"id": "-1", "email": "-1", "mood": "2"}
    assert distinct(found, "orders") == {
        "id": "-1", "customer_id": "2000000", "kind": "3", "paid": "2", "due": "3650",
        "note": "5000000", "created_at": "-1",
    }  # fmt: skip
    kind = next(item for item in found.columns if item.column == "kind")
    assert dict(kind.values)["most_common_vals"] == '{"x","y\'s","z"}'
    before = project.file.read_bytes()
    assert project.run("synth")[0] == 0
    assert project.file.read_bytes() == before


def test_the_written_file_is_named_as_it_opens_from_the_current_folder(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root.parent)
    assert main(["stats", "synth", "-f", project.root.name]) == 0
    written = Path(capsys.readouterr().out.removeprefix("wrote ").partition(":")[0])
    assert written == Path(project.root.name, "stats.sql")


def test_statistics_are_pulled(project: Project, database: str) -> None:
    code, out, err = project.run("pull", "--database", database)
    assert code == 0
    assert out.endswith("stats.sql: 8 tables and indexes, 10 columns\n")
    assert err == "note: the schema files do not create these indexes of the database: by_hand\n"
    assert "secret" in project.file.read_text()
    code, _, err = project.run("pull", "--database", database, "--no-values")
    assert code == 0
    assert "without values" in err
    assert "secret" not in project.file.read_text()
    code, out, _ = project.run("pull", "--database", database, "-o", "-", "--no-values")
    assert out == project.file.read_text()


def test_a_role_without_rights_is_refused(project: Project, database: str) -> None:
    reader = f"{database} user=reader"
    said = project.refused("pull", "--database", reader)
    assert said.startswith("the role may not read customer, orders, part, part_1, part_2, so")
    with Connection(database) as connection:
        assert connection.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader") is None
        assert connection.run("ALTER TABLE orders ENABLE ROW LEVEL SECURITY") is None
        assert "row security applies to the role on orders" in project.refused(
            "pull", "--database", reader
        )
        assert connection.run("ALTER TABLE orders DISABLE ROW LEVEL SECURITY") is None
    assert project.run("pull", "--database", reader)[0] == 0
    with Connection(database) as connection:
        assert connection.run("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM reader") is None


def test_an_old_server_is_refused(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "_OLDEST", 99)
    assert "is too old: 99 or newer is needed" in project.refused("pull", "--database", database)


def test_bad_input_is_refused(project: Project, database: str) -> None:
    assert "pass `--database URI`" in project.refused("pull")
    assert "Connection refused" in project.refused("pull", "--database", "postgres://127.0.0.1:1/x")
    assert "invalid connection option" in project.refused("pull", "--database", "what=ever")
    assert "`stats synth` does not read a database" in project.refused("synth", "--no-values")
    assert "there is no folder" in project.refused("synth", "-o", str(project.root / "no" / "f"))
    assert "so it is not overwritten" in project.refused(
        "synth", "-o", str(project.root / "sqlc.yaml")
    )
    assert "no PostgreSQL entry `shop`" in project.refused("synth", "--entry", "shop")
    (project.root / "migrations" / "1.sql").write_text("CREATE TABLE other (id int);")
    assert "has no table of this project's schema" in project.refused(
        "pull", "--database", database
    )


DISTRIBUTIONS = """
      public.orders:
        rows: 50_000_000
        columns:
          kind: {values: {x: 0.9, "y's": 0.0001}, nulls: 0}
          paid: {values: {true: 0.25}, nulls: 0.5}
          customer_id: {distinct: 1_000, values: {7: 0.4}}
      customer: {columns: {mood: {values: {calm: 1}}}}
      part: {rows: 1000, columns: {id: {values: {2: .5}}}}
"""


def test_statistics_are_refused_only_in_a_folder_of_sql(project: Project) -> None:
    inside = str(project.root / "migrations" / "stats.sql")
    assert "would be read as SQL of the project" in project.refused("synth", "-o", inside)
    files = CONFIG.replace("schema: migrations", "schema: schema.sql").replace(
        ": queries", ": q.sql"
    )
    write_project(project.root, {"sqlc.yaml": files, "schema.sql": SCHEMA, "q.sql": ""})
    assert project.run("synth")[0] == 0


def declare(project: Project, tables: str) -> None:
    """Replace the declared tables of the configuration."""
    start, _, end = CONFIG.partition(
        "{statistics: stats.sql, tables: {public.orders: 50_000_000, customer: 2000000}}"
    )
    deeper = tables.replace("\n", "\n  ")
    text = f"{start}\n      statistics: stats.sql\n      tables:{deeper}"
    (project.root / "sqlc.yaml").write_text(text.rstrip() + end)


def shares(statistics: Statistics, relation: str, column: str) -> tuple[str, str, str, str]:
    """Return the null fraction, distinct values, common values and their shares of a column."""
    (item,) = (
        one
        for one in statistics.columns
        if (one.relation, one.column) == (relation, column) and not one.inherited
    )
    known = dict(item.values)
    keys = ("null_frac", "n_distinct", "most_common_vals", "most_common_freqs")
    values = [known.get(key, "") for key in keys]
    return values[0], values[1], values[2], values[3]


def test_declared_distributions_give_statistics(project: Project) -> None:
    declare(project, DISTRIBUTIONS)
    code, _, err = project.run("synth")
    assert code == 0, err
    found = read(project.file)
    assert shares(found, "orders", "kind") == (
        "0", "3", '{"x","z","y\'s"}', "{0.9,0.0999,0.0001}",
    )  # fmt: skip
    assert shares(found, "orders", "paid") == ("0.5", "2", '{"t","f"}', "{0.25,0.25}")
    assert shares(found, "orders", "customer_id") == ("0", "1000", '{"7"}', "{0.4}")
    assert shares(found, "customer", "mood") == ("0", "2", '{"calm"}', "{1}")
    assert shares(found, "part_1", "id") == ("0", "50", '{"2"}', "{0.5}")
    assert {item.name: item.rows for item in found.relations}["customer"] == 1000


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("\n      orders: {rows: many}", "`many` is not a number of rows"),
        ("\n      orders: {row: 5}", "unknown key `row` in `orders`"),
        ("\n      orders: {columns: {kin: {nulls: 0}}}", "no column `kin` in `orders`"),
        ("\n      orders: {columns: {kind: {nulls: 2}}}", "`2` is not a fraction of rows"),
        ("\n      orders: {columns: {kind: {nulls: -1}}}", "`-1` is not a fraction of rows"),
        ("\n      orders: {columns: {kind: {distinct: 0.5}}}", "not a number of distinct values"),
        (
            "\n      orders: {columns: {kind: {values: {x: 0.7, z: 0.4}}}}",
            "the fractions of `kind` add up to 1.1",
        ),
        ("\n      orders: {columns: {kind: [x]}}", "`kind` should be a mapping"),
        (
            "\n      customer: {columns: {mood: {values: {calmer: 0.1}}}}",
            "`calmer` does not fit `customer.mood`: invalid input value for enum mood",
        ),
        (
            "\n      orders: {columns: {due: {values: {soon: 0.1}}}}",
            "`soon` does not fit `orders.due`: invalid input syntax for type date",
        ),
        ("\n      orders: -5", "`-5` is not a number of rows"),
        ("\n      orders: {columns: {due: {nulls: 0.1}}}", "`orders.due` is NOT NULL"),
        ("\n      customer: {columns: {id: {nulls: 0.1}}}", "`customer.id` is NOT NULL"),
        (
            "\n      orders: {rows: 50, columns: {note: {distinct: 51}}}",
            "`orders.note` cannot have 51 distinct values: 50 rows have a value",
        ),
        (
            "\n      orders: {rows: 50, columns: {paid: {nulls: 0.98, distinct: 2}}}",
            "`orders.paid` cannot have 2 distinct values: 1 row has a value",
        ),
        (
            "\n      orders: {columns: {note: {distinct: 2_000}}}",
            "declare the number of rows; 1,000 are assumed",
        ),
        (
            "\n      customer: {columns: {email: {distinct: 7}}}",
            "`customer.email` is unique, so it has 1,000 distinct values",
        ),
        (
            "\n      customer: {columns: {id: {values: {7: 0.4}}}}",
            "`customer.id` is unique, so a value is in at most one of 1,000 rows",
        ),
        (
            "\n      orders: {columns: {note: {distinct: 1, values: {a: 0.1, b: 0.1}}}}",
            "`values` names 2 values of `orders.note`, but `distinct` is 1",
        ),
        (
            "\n      orders: {columns: {kind: {distinct: 4}}}",
            "`orders.kind` can have 3 values only",
        ),
        (
            "\n      orders: {columns: {paid: {nulls: 0.2, values: {t: 0.1, f: 0.2}}}}",
            "`orders.paid` has only the declared values, but their shares add up to 0.5",
        ),
        (
            "\n      orders: {columns: {note: {values: {null: 0.3}}}}",
            "write `nulls: 0.3` beside `values`, or quote the text `'null'`",
        ),
        (
            "\n      orders: {columns: {paid: {values: {true: 0.6, 'yes': 0.3}}}}",
            "`true` and `yes` are the same value of `orders.paid`",
        ),
        (
            "\n      orders: {columns: {paid: {values: {true: .5, t: .5}}}}",
            "`true` and `t` are the same value of `orders.paid`",
        ),
        (
            "\n      orders: {columns: {kind: {values: {w: 0.5}}}}",
            "no row of `orders.kind` can have the value `w`",
        ),
        (
            "\n      orders: {columns: {kind: {distinct: 0}}}",
            "`distinct` of `orders.kind` is 0, but 1,000 rows have a value",
        ),
        (
            "\n      orders: {columns: {kind: {values: {x: 0}, distinct: 3}}}",
            "`orders.kind` can have 2 values only",
        ),
        (
            "\n      orders: {columns: {kind: {values: {x: 0, y's: 0, z: 0.5}, nulls: 0}}}",
            "`orders.kind` has only the declared values, but their shares add up to 0.5",
        ),
        ("\n      guest: {columns: {name: {nulls: 0.5}}}", "`guest.name` is NOT NULL"),
        (
            "\n      guest: {columns: {mood: {values: {'it''s \"odd\"': 0.5}}}}",
            'no row of `guest.mood` can have the value `it\'s "odd"`',
        ),
        (
            "\n      customer: 10\n      orders: {columns: {customer_id: {distinct: 500}}}",
            "`orders.customer_id` cannot have 500 distinct values: 10 rows of `customer` exist",
        ),
        (
            "\n      orders: {rows: 90_000, columns: {customer_id: {distinct: 5_000}}}",
            "declare the number of rows of `customer`; 1,000 are assumed",
        ),
    ],
)
def test_a_wrong_distribution_is_refused(tables: str, said: str, project: Project) -> None:
    write_project(project.root, {"migrations/2.sql": GUESTS})
    declare(project, tables)
    code, out, err = project.run("synth")
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert re.search(r"sqlc\.yaml:\d+:\d+\n", err)
    assert not project.file.exists()


@pytest.mark.parametrize(
    "column",
    [
        "late: {values: {z: 0.5}, distinct: 3}",
        "host_id: {distinct: 800}",
        "floor: {distinct: 800}",
        "level: {values: {0: 0.5, -1: 0.2}, distinct: 3}",
        "code: {values: {a: 0.5, 'b]': 0.1}}",
        "word: {values: {X: 0.5}}",
        "text: {values: {longer: 0.5}, distinct: 30}",
        "mood: {values: {'it''s \"odd\"': 0}}",
        "level: {distinct: 0, nulls: 1}",
    ],
)
def test_a_distribution_that_rows_can_have_is_accepted(column: str, project: Project) -> None:
    write_project(project.root, {"migrations/2.sql": GUESTS})
    declare(project, f"\n      customer: 10\n      guest: {{rows: 1000, columns: {{{column}}}}}")
    code, _, err = project.run("synth")
    assert code == 0, err


def test_a_value_with_the_share_0_gets_no_part_of_the_rest(project: Project) -> None:
    declare(project, "\n      orders: {columns: {kind: {values: {x: 0, z: 0.5}, nulls: 0}}}")
    assert project.run("synth")[0] == 0
    found = shares(read(project.file), "orders", "kind")
    assert found == ("0", "2", '{"z","y\'s"}', "{0.5,0.5}")


def test_every_contradiction_is_pointed_at_in_its_own_line(project: Project) -> None:
    declare(
        project,
        """
      orders:
        rows: 50
        columns:
          due:
            distinct: 20
            nulls: 0.25
          note:
            distinct: 51
""",
    )
    err = project.run("synth")[2]
    assert re.findall(r"(?m)^(\d+) │ +(.*)", err) == [
        ("14", "nulls: 0.25"),
        ("16", "distinct: 51"),
    ]


def test_a_quoted_null_is_a_value(project: Project) -> None:
    declare(project, "\n      orders: {columns: {note: {values: {'null': 0.3}}}}")
    assert project.run("synth")[0] == 0
    assert shares(read(project.file), "orders", "note")[2] == '{"null"}'


def test_an_unknown_table_is_pointed_at(project: Project) -> None:
    text = (project.root / "sqlc.yaml").read_text()
    (project.root / "sqlc.yaml").write_text(text.replace("customer:", "custmer:"))
    code, out, err = project.run("synth")
    assert (code, out) == (2, "")
    assert "error[E003]: no table `custmer` in the schema" in err
    assert "did you mean `customer`?" in err
    assert not project.file.exists()
