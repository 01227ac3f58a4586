"""`vet --plans` under statistics: each rule has queries that violate it and queries that do not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.engines import engine_for
from aiosqlc.engines.planner import Planner
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.production.advice.check import Advice, advise
from aiosqlc.production.advice.rules import RULES
from aiosqlc.schema import schema_file
from aiosqlc.source import Dialect, SourceFile

from tests.projects import loaded, write_project

SCHEMA = """\
CREATE TABLE customer (
    id bigint PRIMARY KEY, email text NOT NULL UNIQUE, region int NOT NULL, note text NOT NULL,
    code varchar(20) NOT NULL
);
CREATE INDEX customer_code ON customer (code);
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer ON DELETE CASCADE,
    product_id bigint NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'done', 'rare')),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_created ON orders (created_at);
CREATE TABLE line (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders);
CREATE TABLE small (id int PRIMARY KEY, name text NOT NULL);
CREATE INDEX small_name ON small (name);
CREATE INDEX small_name_id ON small (name, id);
CREATE TABLE document (id bigint PRIMARY KEY, body jsonb NOT NULL, at timestamptz NOT NULL);
CREATE TABLE event (day date NOT NULL, word text NOT NULL, PRIMARY KEY (day, word))
PARTITION BY RANGE (day);
CREATE TABLE event_old PARTITION OF event FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE event_new PARTITION OF event FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
CREATE TABLE tag (small_id int NOT NULL REFERENCES small, word text NOT NULL);
"""
ROWS = {
    "customer": 2_000_000,
    "orders": 50_000_000,
    "line": 100_000_000,
    "small": 200,
    "tag": 500,
    "event": 1_000_000,
    "document": 5_000_000,
}
# The rule, the command, and the query. A rule '' means that no rule is violated.
CASES = [
    ("V030", ":many", "SELECT id FROM orders WHERE product_id = @id"),
    ("V030", ":many", "SELECT id FROM line WHERE order_id = @id"),
    (
        "V030",
        ":many",
        "SELECT line.id FROM orders JOIN line ON line.order_id = orders.id WHERE orders.id = @id",
    ),
    ("V030", ":many", "SELECT id FROM customer WHERE region = @region ORDER BY id LIMIT 10"),
    ("V030", ":many", "SELECT id FROM customer ORDER BY note LIMIT 10"),
    (
        "V030",
        ":many",
        "SELECT id FROM orders WHERE status = 'rare' ORDER BY product_id LIMIT 20",
    ),
    ("V030", ":exec", "UPDATE orders SET status = 'done' WHERE product_id = @id"),
    ("V030", ":many", "SELECT id FROM customer WHERE upper(note) = @note"),
    (
        "V030",
        ":exec",
        "UPDATE orders SET product_id = 1 WHERE status = 'rare' AND created_at < '2018-03-01'",
    ),
    ("", ":many", "SELECT id FROM orders WHERE customer_id = @id"),
    ("", ":one", "SELECT id FROM customer WHERE email = @email"),
    ("", ":many", "SELECT id FROM small WHERE id < 10"),
    ("", ":one", "SELECT count(*) FROM customer"),
    ("", ":many", "SELECT id FROM orders WHERE status = @status"),
    ("", ":many", "SELECT small_id FROM tag WHERE word = @word"),
    ("", ":many", "SELECT id FROM customer WHERE region >= @least AND note >= @note"),
    ("", ":many", "SELECT * FROM orders WHERE status = @status AND product_id > @id"),
    ("", ":exec", "INSERT INTO small (id, name) VALUES (@id, @name)"),
    ("", ":many", "SELECT created_at FROM orders ORDER BY created_at DESC LIMIT 10"),
    ("V031", ":exec", "DELETE FROM orders WHERE id = @id"),
    ("V031", ":exec", "DELETE FROM customer WHERE id = @id"),
    ("", ":exec", "DELETE FROM small WHERE id = @id"),
    ("V032", ":many", "SELECT note FROM customer ORDER BY note"),
    ("V032", ":many", "SELECT DISTINCT note FROM customer"),
    ("V032", ":many", "SELECT o.id FROM orders o JOIN customer c ON c.id = o.customer_id"),
    ("", ":many", "SELECT name FROM small ORDER BY name"),
    ("V033", ":one", "SELECT id FROM customer WHERE lower(email) = @email LIMIT 1"),
    ("V033", ":many", "SELECT id FROM orders WHERE created_at::date = @day::date"),
    ("V033", ":many", "SELECT id FROM orders WHERE customer_id::text = @id::text"),
    ("", ":many", "SELECT id FROM customer WHERE code = @code"),
    ("V034", ":many", "SELECT id FROM customer WHERE note LIKE '%late'"),
    ("", ":many", "SELECT id FROM small WHERE name LIKE '%late'"),
    ("V036", ":many", "SELECT id FROM orders ORDER BY id LIMIT 20 OFFSET @skip"),
    ("", ":many", "SELECT id FROM small ORDER BY id LIMIT 20 OFFSET @skip"),
    ("V037", ":many", "SELECT id FROM customer WHERE id NOT IN (SELECT customer_id FROM orders)"),
    ("", ":many", "SELECT id FROM customer WHERE id NOT IN (SELECT id FROM small)"),
    (
        "V038",
        ":many",
        "SELECT c.id FROM customer c JOIN small s ON c.note LIKE s.name || '%'",
    ),
    # Expressions on columns, and the smallest and largest values of a column.
    ("V030", ":many", "SELECT id FROM orders WHERE coalesce(product_id, 0) = @id"),
    ("V030", ":many", "SELECT id FROM orders WHERE nullif(product_id, 0) = @id"),
    ("V033", ":many", "SELECT id FROM orders WHERE customer_id + 1 = @id"),
    ("V030", ":many", "SELECT id FROM orders WHERE -product_id = @id"),
    ("V033", ":many", "SELECT id FROM customer WHERE note || email = @text"),
    ("V030", ":many", "SELECT id FROM customer WHERE note || region = @text"),
    ("V030", ":many", "SELECT id FROM customer WHERE lower(note) IN (@one, @two)"),
    ("V030", ":many", "SELECT id FROM customer WHERE lower(note) = ANY(@notes::text[])"),
    ("V030", ":many", "SELECT id FROM customer WHERE note = ANY(@notes::text[])"),
    ("V030", ":many", "SELECT id FROM customer WHERE note BETWEEN @first AND @last"),
    ("V033", ":many", "SELECT id FROM orders WHERE date_trunc('day', created_at, 'UTC') = @day"),
    ("V030", ":many", "SELECT id FROM document WHERE body ->> 'customer.code' = @code"),
    ("V030", ":many", "SELECT id FROM document WHERE body -> 'who' ->> 'code' = @code"),
    ("V030", ":many", "SELECT id FROM document WHERE (body ->> 'size')::int = @size"),
    ("V030", ":one", "SELECT max(product_id) FROM orders"),
    ("V030", ":one", "SELECT coalesce(min(o.product_id), 0) AS least FROM orders o"),
    ("V030", ":one", "SELECT min(id) AS first, max(id) AS last FROM line WHERE order_id = @id"),
    ("V030", ":many", "SELECT id FROM customer ORDER BY note DESC LIMIT 1"),
    ("V030", ":many", "SELECT id FROM customer ORDER BY note DESC NULLS LAST LIMIT 1"),
    ("V030", ":many", "SELECT id FROM customer ORDER BY lower(note), id DESC LIMIT 1"),
    # Each part of OR needs an index.
    ("V030", ":many", "SELECT id FROM customer WHERE note = @note OR email = @email"),
    ("V033", ":many", "SELECT id FROM customer WHERE id = @id OR lower(email) = @email"),
    ("", ":many", "SELECT id FROM customer WHERE code = @code OR email = @email"),
    ("", ":many", "SELECT id FROM customer WHERE note = @note OR length(note) > @least"),
    ("V033", ":many", "SELECT id FROM orders WHERE customer_id IS NOT DISTINCT FROM @id"),
    ("", ":many", "SELECT id FROM orders WHERE status IS NOT DISTINCT FROM @status"),
    # Such an expression has few values; and no index holds another aggregate's result.
    ("", ":many", "SELECT id FROM customer WHERE length(note) = @length"),
    ("", ":many", "SELECT id FROM document WHERE date_trunc('month', at, 'UTC') = @month"),
    ("V030", ":many", "SELECT id FROM document WHERE date_trunc('day', at, 'UTC') = @day"),
    ("", ":many", "SELECT id FROM customer WHERE code || '' = note || ''"),
    ("", ":many", "SELECT id FROM orders WHERE customer_id % 10 = @rest"),
    ("", ":many", "SELECT id FROM orders WHERE CASE WHEN product_id > 5 THEN 1 ELSE 0 END = @n"),
    ("", ":one", "SELECT max(product_id) AS last, sum(product_id) AS total FROM orders"),
    ("", ":one", "SELECT max(product_id) FILTER (WHERE status = 'open') FROM orders"),
    ("", ":many", "SELECT status, max(product_id) FROM orders GROUP BY status"),
    ("", ":one", "SELECT max(created_at) FROM orders"),
    # The inner input is an index, a part of a table, a join, or a range of an index.
    (
        "V038",
        ":many",
        "SELECT a.id FROM customer a JOIN customer b ON length(a.code) < length(b.code)",
    ),
    ("V038", ":many", "SELECT a.id FROM customer a JOIN event e ON a.note <> e.word"),
    (
        "V038",
        ":many",
        """SELECT a.id FROM customer a
         JOIN (orders o JOIN customer c ON c.id = o.customer_id) ON a.note <> c.note""",
    ),
    ("V038", ":many", "SELECT a.id FROM orders a JOIN orders b ON a.created_at < b.created_at"),
    (
        "",
        ":many",
        """SELECT a.id, b.id FROM small a
           CROSS JOIN LATERAL (SELECT id FROM orders o WHERE o.customer_id = a.id LIMIT 10) b""",
    ),
    (
        "",
        ":many",
        "SELECT c.id FROM customer c, (SELECT min(id) AS least FROM small) s WHERE c.id > s.least",
    ),
    (
        "",
        ":many",
        "SELECT s.id FROM small s WHERE EXISTS (SELECT FROM customer c WHERE c.id > s.id)",
    ),
]
CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: migrations
    queries: queries
    production: {statistics: stats.sql, tables: {TABLES}}
    gen: {python: {out: out}}
"""


@pytest.fixture(scope="module")
def planner() -> Iterator[Planner]:
    with engine_for(Dialect.POSTGRESQL) as engine:
        assert engine.planner
        yield engine.planner


def advised(planner: Planner, folder: Path, queries: str, schema: str = SCHEMA) -> Advice:
    """Return the advice on queries, under statistics of the declared sizes."""
    write_files(folder, queries, schema)
    (part,) = analyze_project(loaded(folder))
    assert not part.failed
    file = schema_file(SourceFile(Path("1.sql"), schema))
    rows = {("public", name): count for name, count in ROWS.items()}
    statistics = planner.synthesised([file], AnalyzeOptions(), rows).statistics
    return advise(planner, part, statistics)


def write_files(folder: Path, queries: str, schema: str = SCHEMA) -> None:
    tables = ", ".join(f"{name}: {rows}" for name, rows in ROWS.items())
    config = CONFIG.replace("{TABLES}", f"{{{tables}}}")
    write_project(
        folder, {"sqlc.yaml": config, "migrations/1.sql": schema, "queries/q.sql": queries}
    )


@pytest.fixture(scope="module")
def found(planner: Planner, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sequence[str]]:
    """The codes of the findings by query."""
    texts = [f"-- name: Q{number} {how}\n{sql};\n" for number, (_, how, sql) in enumerate(CASES)]
    advice = advised(planner, tmp_path_factory.mktemp("all"), "".join(texts))
    codes: dict[str, list[str]] = {f"Q{number}": [] for number in range(len(CASES))}
    for item in advice.findings:
        label = item.labels[0]
        name = label.file.text[label.span.start : label.span.end]
        if item.code != "V039":
            codes[name].append(item.code)
    return dict(codes)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[2][:60] for case in CASES])
def test_a_query_has_the_findings_of_its_plan(number: int, found: dict[str, Sequence[str]]) -> None:
    expected = CASES[number][0]
    if expected:
        assert expected in found[f"Q{number}"]
    else:
        assert found[f"Q{number}"] == []


def test_every_rule_is_tried_here() -> None:
    assert {code for code, _, _ in CASES if code} | {"V035", "V039"} == set(RULES)


def test_a_proposed_index_was_tried(planner: Planner, tmp_path: Path) -> None:
    queries = "-- name: Find :many\nSELECT id FROM orders WHERE product_id = @id;\n"
    (item,) = (one for one in advised(planner, tmp_path, queries).findings if one.code == "V030")
    assert item.hint.endswith(
        "CREATE INDEX CONCURRENTLY orders_product_id_idx ON orders (product_id);"
    )
    assert item.notes[0].startswith("plan now: cost ")
    assert item.notes[0].endswith("Seq Scan on orders")
    assert "Index Scan on orders using orders_product_id_idx" in item.notes[1]


def test_indexes_of_other_orders_have_other_names(planner: Planner, tmp_path: Path) -> None:
    queries = (
        "-- name: A :many\nSELECT id FROM customer ORDER BY note DESC LIMIT 1;\n"
        "-- name: B :many\nSELECT id FROM customer ORDER BY note DESC NULLS LAST LIMIT 1;\n"
        "-- name: C :many\nSELECT id FROM customer WHERE coalesce(region, 0) = @region;\n"
    )
    found = [item for item in advised(planner, tmp_path, queries).findings if item.code == "V030"]
    assert [item.hint.partition("CONCURRENTLY ")[2] for item in found] == [
        "customer_note_idx ON customer (note);",
        "customer_note_desc_nulls_last_idx ON customer (note DESC NULLS LAST);",
        "customer_coalesce_region_0_idx ON customer ((COALESCE(region, 0)));",
    ]


def test_an_expression_has_the_distinct_values_of_its_column(
    planner: Planner, tmp_path: Path
) -> None:
    queries = "-- name: Find :many\nSELECT id FROM customer WHERE upper(note) = @note;\n"
    (item,) = (one for one in advised(planner, tmp_path, queries).findings if one.code == "V030")
    before, after = (
        float(note.split("cost ")[1].split(":")[0].replace(",", "")) for note in item.notes[:2]
    )
    assert after * 500 < before


def test_after_the_proposal_nothing_is_found(planner: Planner, tmp_path: Path) -> None:
    queries = (
        "-- name: Find :many\nSELECT id FROM orders WHERE product_id = @id;\n"
        "-- name: Drop :exec\nDELETE FROM customer WHERE id = @id;\n"
    )
    first = [item for item in advised(planner, tmp_path, queries).findings if item.code != "V039"]
    assert [item.code for item in first] == ["V030", "V031"]
    created = "\n".join(item.hint.partition(":\n")[2] for item in first)
    schema = SCHEMA + created.replace(" CONCURRENTLY", "")
    advice = advised(planner, tmp_path, queries, schema)
    assert [item.code for item in advice.findings] == ["V039"]


def test_a_useless_index_is_found_where_it_is_made(planner: Planner, tmp_path: Path) -> None:
    (item,) = advised(planner, tmp_path, "-- name: A :one\nSELECT 1;\n").findings
    assert item.code == "V039"
    assert item.message == "small_name is useless: small_name_id begins with the same columns"
    label = item.labels[0]
    assert label.file.text[label.span.start : label.span.end] == "small_name"


# Two indexes of a table, and the name of the one that is useless because of the other.
TWO_INDEXES = [
    ("(product)", "(product, status)", "a"),
    ("(product DESC)", "(product DESC, status)", "a"),
    ("(product)", "(product DESC, status)", ""),
    ("(lower(status))", "(lower(status), product)", "a"),
    ("(lower(status))", "(upper(status), product)", ""),
    ("(id) WHERE status = 'open'", "(id) WHERE status = 'open'", "b"),
    ("(id) WHERE status = 'open'", "(id) WHERE status = 'done'", ""),
    ("(status text_pattern_ops)", "(status, product)", ""),
    ('(status COLLATE "C")', "(status, product)", ""),
    ("USING hash (status)", "(status, product)", ""),
    ("USING hash (status)", "USING hash (status)", "b"),
    ("(product) INCLUDE (status)", "(product, id)", ""),
]


@pytest.fixture(scope="module")
def useless(planner: Planner, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all useless indexes."""
    schema = "".join(
        f"CREATE TABLE t{number} (id int NOT NULL, product int NOT NULL, status text NOT NULL);\n"
        f"CREATE INDEX a{number} ON t{number} {first};\n"
        f"CREATE INDEX b{number} ON t{number} {second};\n"
        for number, (first, second, _) in enumerate(TWO_INDEXES)
    )
    queries = "-- name: A :one\nSELECT 1;\n"
    advice = advised(planner, tmp_path_factory.mktemp("two"), queries, SCHEMA + schema)
    return {item.message.partition(" ")[0] for item in advice.findings if item.code == "V039"}


@pytest.mark.parametrize("number", range(len(TWO_INDEXES)), ids=map(str, TWO_INDEXES))
def test_an_index_is_useless_beside_another(number: int, useless: set[str]) -> None:
    expected = TWO_INDEXES[number][2]
    assert {f"a{number}", f"b{number}"} & useless == (
        {f"{expected}{number}"} if expected else set()
    )


def test_a_proposed_index_serves_the_queries_of_a_shorter_one(
    planner: Planner, tmp_path: Path
) -> None:
    queries = (
        "-- name: Short :many\nSELECT id FROM orders WHERE product_id = @id;\n"
        "-- name: Long :many\nSELECT id FROM orders\n"
        "WHERE product_id = @id AND created_at >= @since AND created_at < @till;\n"
    )
    found = [item for item in advised(planner, tmp_path, queries).findings if item.code == "V030"]
    proposed = {item.hint.rpartition(" ON ")[2] for item in found}
    assert len(found) == 2
    assert proposed == {"orders (product_id, created_at);"}


def test_a_proposed_index_replaces_a_shorter_one_of_the_schema(
    planner: Planner, tmp_path: Path
) -> None:
    schema = f"{SCHEMA}CREATE INDEX orders_status ON orders (status);\n"
    queries = (
        "-- name: A :many\nSELECT id FROM orders WHERE status = @s ORDER BY product_id LIMIT 10;\n"
    )
    (item,) = (
        one for one in advised(planner, tmp_path, queries, schema).findings if one.code == "V030"
    )
    assert item.hint.split("\n")[1:] == [
        "CREATE INDEX CONCURRENTLY orders_status_product_id_idx ON orders (status, product_id);",
        "DROP INDEX CONCURRENTLY orders_status; -- the new index contains it",
    ]


def test_a_partial_index_of_a_foreign_key_serves_only_matching_checks(
    planner: Planner, tmp_path: Path
) -> None:
    queries = "-- name: A :exec\nDELETE FROM orders WHERE id = @id;\n"
    partial = "CREATE INDEX line_order ON line (order_id) WHERE {};\n"
    for condition, codes in (("order_id IS NOT NULL", []), ("id > 5", ["V031"])):
        schema = SCHEMA + partial.format(condition)
        advice = advised(planner, tmp_path, queries, schema)
        assert [item.code for item in advice.findings if item.code == "V031"] == codes


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ("rows <= 5", ["the estimate for rows is 50,000,000, but the budget is 5"]),
        ("cost <= 100, rows <= 50_000_000", ["the estimate for cost is "]),
        ("rows <= 50_000_000, cost <= 9_000_000_000", []),
    ],
)
def test_a_plan_is_compared_with_its_budget(
    budget: str, said: list[str], planner: Planner, tmp_path: Path
) -> None:
    queries = f"-- name: A :many\n-- plan: {budget}\nSELECT id FROM orders;\n"
    advice = advised(planner, tmp_path, queries)
    messages = [item.message for item in advice.findings if item.code == "V035"]
    assert len(messages) == len(said)
    assert all(one.startswith(start) for one, start in zip(messages, said, strict=True))


def test_both_limits_of_a_budget_are_in_one_finding(planner: Planner, tmp_path: Path) -> None:
    queries = "-- name: A :many\n-- plan: rows <= 5, cost <= 6\nSELECT id FROM orders;\n"
    (item,) = (one for one in advised(planner, tmp_path, queries).findings if one.code == "V035")
    assert item.message.startswith("the estimate for rows is 50,000,000, but the budget is 5; ")
    assert item.message.endswith(", but the budget is 6")
    assert not any("more SQL text" in note for note in item.notes)


def test_a_malformed_budget_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path, "-- name: A :many\n-- plan: rows < 5\nSELECT id FROM orders;\n")
    assert main(["vet", "-f", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert "error[E109]: malformed `plan` annotation" in err
    assert "q.sql:2:3" in err


def test_the_command_reports_and_ignores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(
        tmp_path,
        "-- name: A :many\n-- ignore: V034 run at night\n"
        "SELECT id FROM customer WHERE note LIKE '%late';\n"
        "-- name: B :many\nSELECT id FROM orders\nWHERE TRUE\n"
        "  AND product_id = @id -- :if id\n;\n",
    )
    assert main(["vet", "-f", str(tmp_path), "--plans"]) == 2
    assert "cannot read" in capsys.readouterr().err
    assert main(["stats", "synth", "-f", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["vet", "-f", str(tmp_path), "--plans", "--format", "json"]) == 1
    items = json.loads(capsys.readouterr().out)
    assert [item["code"] for item in items] == ["V039", "V023", "V030"]
    assert items[2]["labels"][0]["line"] == 4
    assert "in the SQL text with id" in items[2]["notes"]
    text = (tmp_path / "stats.sql").read_text()
    (tmp_path / "stats.sql").write_text(text[: len(text) // 2])
    assert main(["vet", "-f", str(tmp_path), "--plans"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("the plans cannot be checked: ")
    assert "the file is not complete" in err


def test_explain_shows_the_plans_in_production(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(
        tmp_path,
        "-- name: B :many\nSELECT id FROM orders\nWHERE TRUE\n  AND id = @id -- :if id\n;\n",
    )
    command = ["explain", "B", "--plan", "-f", str(tmp_path)]
    assert main(command) == 2
    assert "cannot plan `B`: cannot read" in capsys.readouterr().err
    assert main(["stats", "synth", "-f", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "plan in production, with id:\n    Index Only Scan on orders using orders_pkey" in out
    assert "plan in production, without optional parts:\n    Seq Scan on orders  (rows 50,0" in out
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["index"] for item in found["plans"]] == ["orders_pkey", ""]
    assert found["plans"][1]["rows"] == 50_000_000
