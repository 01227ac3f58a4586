"""Statements of migrations, dangerous or not, about the subjects of squawk's rules.

The schema represents a schema in use. `dangerous` is the expectation of each statement's author,
and what a server under load shows (`test_truth.py`): queries wait while work is done that grows
with the table.
"""

from __future__ import annotations

from typing import NamedTuple

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN amount AS numeric(12, 2);
CREATE FUNCTION price() RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 1; END';
CREATE FUNCTION inlined() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE TABLE region (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE account (
    id int PRIMARY KEY,
    email text NOT NULL,
    name varchar(40),
    code char(8),
    note text,
    region_id int NOT NULL,
    score int NOT NULL DEFAULT 0,
    balance numeric(10, 2) NOT NULL DEFAULT 0,
    worth amount NOT NULL DEFAULT 1,
    seen timestamp NOT NULL DEFAULT '2024-01-01',
    checked int NOT NULL CONSTRAINT account_checked_positive CHECK (checked > 0),
    maybe int,
    CONSTRAINT account_maybe_known CHECK (maybe IS NOT NULL)
);
CREATE INDEX account_score ON account (score);
CREATE UNIQUE INDEX account_email ON account (email);
CREATE TABLE purchase (id int PRIMARY KEY, account_id int NOT NULL, at date NOT NULL);
CREATE INDEX purchase_account ON purchase (account_id);
ALTER TABLE purchase ADD CONSTRAINT purchase_account_fkey
    FOREIGN KEY (account_id) REFERENCES account NOT VALID;
ALTER TABLE account ADD CONSTRAINT account_score_small CHECK (score < 1000000) NOT VALID;
CREATE TABLE game (id int PRIMARY KEY, points int NOT NULL);
CREATE MATERIALIZED VIEW score AS SELECT id, sum(points) AS total FROM game GROUP BY 1;
CREATE UNIQUE INDEX score_id ON score (id);
CREATE VIEW names AS SELECT id, name FROM region;
CREATE TABLE event (id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE event_2023 PARTITION OF event FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE event_2024 (id int NOT NULL, at date NOT NULL);
CREATE TABLE event_2025 (
    id int NOT NULL,
    at date NOT NULL CHECK (at >= '2025-01-01' AND at < '2026-01-01')
);
CREATE UNLOGGED TABLE cache (id int PRIMARY KEY, value text);
"""
ROWS = """
INSERT INTO region SELECT n, 'region ' || n FROM generate_series(1, {rows}) n;
INSERT INTO account (id, email, name, code, note, region_id, checked, maybe)
SELECT n, 'a' || n, 'name ' || n, 'c', repeat('x', 60), n, 1, 1 FROM generate_series(1, {rows}) n;
INSERT INTO purchase SELECT n, n, '2024-05-05' FROM generate_series(1, {rows}) n;
INSERT INTO event_2023 SELECT n, '2023-05-05' FROM generate_series(1, {rows}) n;
INSERT INTO event_2024 SELECT n, '2024-05-05' FROM generate_series(1, {rows}) n;
INSERT INTO event_2025 SELECT n, '2025-05-05' FROM generate_series(1, {rows}) n;
INSERT INTO cache SELECT n, repeat('y', 60) FROM generate_series(1, {rows}) n;
INSERT INTO game SELECT n, n FROM generate_series(1, {rows}) n;
REFRESH MATERIALIZED VIEW score;
ANALYZE;
"""
READ = (
    *("region", "account", "purchase", "game", "score", "cache"),
    *("event_2023", "event_2024", "event_2025"),
)


class Statement(NamedTuple):
    """A statement, squawk's rule about its subject, and the expected result."""

    subject: str
    dangerous: bool
    sql: str


def _of(
    subject: str, *, dangerous: tuple[str, ...] = (), fine: tuple[str, ...] = ()
) -> list[Statement]:
    bad = [Statement(subject, True, sql) for sql in dangerous]
    return bad + [Statement(subject, False, sql) for sql in fine]


STATEMENTS = [
    *_of(
        "adding-field-with-default",
        dangerous=(
            "ALTER TABLE account ADD COLUMN at timestamptz DEFAULT clock_timestamp()",
            "ALTER TABLE account ADD COLUMN token uuid DEFAULT gen_random_uuid()",
            "ALTER TABLE account ADD COLUMN price int NOT NULL DEFAULT price()",
            "ALTER TABLE account ADD COLUMN twice int GENERATED ALWAYS AS (score * 2) STORED",
            "ALTER TABLE account ADD COLUMN luck float8 DEFAULT random()",
        ),
        fine=(
            "ALTER TABLE account ADD COLUMN level int DEFAULT 10",
            "ALTER TABLE account ADD COLUMN level int NOT NULL DEFAULT 10",
            "ALTER TABLE account ADD COLUMN at timestamptz DEFAULT now()",
            "ALTER TABLE account ADD COLUMN tags text[] NOT NULL DEFAULT '{}'",
            "ALTER TABLE account ADD COLUMN mood mood NOT NULL DEFAULT 'ok'",
            "ALTER TABLE account ADD COLUMN half int GENERATED ALWAYS AS (score / 2)",
            "ALTER TABLE account ADD COLUMN price int NOT NULL DEFAULT inlined()",
            "ALTER TABLE account ALTER COLUMN note SET DEFAULT ''",
            "ALTER TABLE account ALTER COLUMN score DROP DEFAULT",
        ),
    ),
    *_of(
        "adding-foreign-key-constraint",
        dangerous=(
            (
                "ALTER TABLE account ADD CONSTRAINT account_region"
                " FOREIGN KEY (region_id) REFERENCES region"
            ),
            "ALTER TABLE account ADD FOREIGN KEY (region_id) REFERENCES region (id)",
            "ALTER TABLE account ADD COLUMN home int DEFAULT 1 REFERENCES region",
        ),
        fine=(
            (
                "ALTER TABLE account ADD CONSTRAINT account_region"
                " FOREIGN KEY (region_id) REFERENCES region NOT VALID"
            ),
            "ALTER TABLE purchase VALIDATE CONSTRAINT purchase_account_fkey",
            "ALTER TABLE account ADD COLUMN home int REFERENCES region",
            "CREATE TABLE visit (id int PRIMARY KEY, account_id int REFERENCES account)",
            "ALTER TABLE purchase DROP CONSTRAINT purchase_account_fkey",
        ),
    ),
    *_of(
        "adding-not-nullable-field",
        dangerous=(
            "ALTER TABLE account ALTER COLUMN note SET NOT NULL",
            "ALTER TABLE account ALTER note SET NOT NULL, ALTER name SET NOT NULL",
        ),
        fine=(
            "ALTER TABLE account ALTER COLUMN maybe SET NOT NULL",
            "ALTER TABLE account ALTER COLUMN email SET NOT NULL",
            "ALTER TABLE account ALTER COLUMN score DROP NOT NULL",
            "ALTER TABLE account ADD CONSTRAINT note_known NOT NULL note NOT VALID",
        ),
    ),
    *_of(
        "adding-serial-primary-key-field",
        dangerous=(
            "ALTER TABLE event_2024 ADD COLUMN number serial PRIMARY KEY",
            "ALTER TABLE event_2024 ADD PRIMARY KEY (id)",
            "ALTER TABLE account ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY",
        ),
        fine=("ALTER TABLE region RENAME CONSTRAINT region_pkey TO region_key",),
    ),
    *_of(
        "changing-column-type",
        dangerous=(
            "ALTER TABLE account ALTER COLUMN id TYPE bigint",
            "ALTER TABLE account ALTER COLUMN name TYPE varchar(30)",
            "ALTER TABLE account ALTER COLUMN code TYPE text",
            "ALTER TABLE account ALTER COLUMN balance TYPE numeric(10, 4)",
            "ALTER TABLE account ALTER COLUMN region_id TYPE text USING region_id::text",
            "ALTER TABLE account ALTER COLUMN seen TYPE timestamptz",
            "ALTER TABLE account ALTER COLUMN note TYPE varchar(100)",
            "ALTER TABLE account ALTER COLUMN seen TYPE date",
            "ALTER TABLE account ALTER COLUMN worth TYPE numeric(12, 2)",
            'ALTER TABLE account ALTER COLUMN email TYPE text COLLATE "C"',
        ),
        fine=(
            "ALTER TABLE account ALTER COLUMN name TYPE varchar(80)",
            "ALTER TABLE account ALTER COLUMN name TYPE text",
            "ALTER TABLE account ALTER COLUMN balance TYPE numeric(14, 2)",
            "ALTER TABLE account ALTER COLUMN balance TYPE numeric",
            "ALTER TABLE account ALTER COLUMN seen TYPE timestamp(6)",
        ),
    ),
    *_of(
        "constraint-missing-not-valid",
        dangerous=(
            "ALTER TABLE account ADD CONSTRAINT positive CHECK (score >= 0)",
            "ALTER TABLE account ADD CHECK (balance >= 0)",
            "ALTER TABLE account ADD COLUMN size int DEFAULT 1 CHECK (size > 0)",
            "ALTER TABLE account ADD CONSTRAINT note_known NOT NULL note",
            "ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE >= 0)",
        ),
        fine=(
            "ALTER TABLE account ADD CONSTRAINT positive CHECK (score >= 0) NOT VALID",
            "ALTER TABLE account VALIDATE CONSTRAINT account_score_small",
            "ALTER TABLE account DROP CONSTRAINT account_checked_positive",
            "ALTER TABLE account ADD CONSTRAINT positive CHECK (score >= 0) NOT ENFORCED",
        ),
    ),
    *_of(
        "disallowed-unique-constraint",
        dangerous=(
            "ALTER TABLE account ADD CONSTRAINT account_note UNIQUE (id, note)",
            "ALTER TABLE account ADD UNIQUE (id, score)",
            "ALTER TABLE account ADD COLUMN slug text UNIQUE",
            "ALTER TABLE account ADD CONSTRAINT apart EXCLUDE USING btree (id WITH =)",
        ),
        fine=("ALTER TABLE account ADD CONSTRAINT mail UNIQUE USING INDEX account_email",),
    ),
    *_of(
        "require-concurrent-index-creation",
        dangerous=(
            "CREATE INDEX account_name ON account (name)",
            "CREATE UNIQUE INDEX account_pair ON account (id, name)",
            "CREATE INDEX account_few ON account (name) WHERE score > 5",
            "CREATE INDEX account_lower ON account (lower(name))",
            "CREATE INDEX event_at ON event (at)",
        ),
        fine=(
            "CREATE INDEX CONCURRENTLY account_name ON account (name)",
            "CREATE UNIQUE INDEX CONCURRENTLY account_pair ON account (id, name)",
            "CREATE INDEX event_at ON ONLY event (at)",
        ),
    ),
    *_of(
        "require-concurrent-index-deletion",
        fine=("DROP INDEX account_score", "DROP INDEX CONCURRENTLY account_score"),
    ),
    *_of(
        "require-concurrent-reindex",
        dangerous=("REINDEX INDEX account_score", "REINDEX TABLE account"),
        fine=("REINDEX INDEX CONCURRENTLY account_score", "REINDEX TABLE CONCURRENTLY account"),
    ),
    *_of(
        "require-concurrent-partition-detach",
        dangerous=(
            (
                "ALTER TABLE event ATTACH PARTITION event_2024"
                " FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"
            ),
        ),
        fine=(
            "ALTER TABLE event DETACH PARTITION event_2023",
            "ALTER TABLE event DETACH PARTITION event_2023 CONCURRENTLY",
            (
                "ALTER TABLE event ATTACH PARTITION event_2025"
                " FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"
            ),
            (
                "CREATE TABLE event_2026 PARTITION OF event"
                " FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
            ),
        ),
    ),
    *_of(
        "prefer-repack",
        dangerous=(
            "VACUUM FULL account",
            "CLUSTER account USING account_score",
            "ALTER TABLE cache SET LOGGED",
            "ALTER TABLE game SET UNLOGGED",
            "REFRESH MATERIALIZED VIEW score",
        ),
        fine=(
            "VACUUM account",
            "ANALYZE account",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY score",
            "ALTER TABLE account SET (fillfactor = 70)",
            "ALTER TABLE account ALTER COLUMN note SET STATISTICS 500",
            "ALTER TABLE account ALTER COLUMN note SET STORAGE EXTERNAL",
        ),
    ),
    *_of(
        "rows changed at once",
        dangerous=("UPDATE account SET score = score + 1", "DELETE FROM purchase"),
        fine=(
            "UPDATE account SET score = 5 WHERE id = 12",
            "DELETE FROM purchase WHERE account_id = 12",
            "UPDATE account SET score = 5 WHERE note = 'nobody has it'",
            "INSERT INTO region (id, name) VALUES (-1, 'nowhere')",
        ),
    ),
    *_of(
        "ban-drop-column, ban-drop-table, renaming-column, renaming-table",
        fine=(
            "ALTER TABLE account DROP COLUMN note",
            "DROP TABLE purchase",
            "TRUNCATE purchase",
            "ALTER TABLE account RENAME COLUMN note TO remark",
            "ALTER TABLE purchase RENAME TO sale",
            "DROP VIEW names",
            "CREATE OR REPLACE VIEW names AS SELECT id, name, 1 AS kind FROM region",
            "ALTER TYPE mood ADD VALUE 'happy'",
            "COMMENT ON TABLE account IS 'who pays'",
            (
                "CREATE TRIGGER twice BEFORE UPDATE ON account FOR EACH ROW"
                " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            ),
            "ALTER TABLE account ENABLE ROW LEVEL SECURITY",
            "CREATE STATISTICS pair ON score, region_id FROM account",
        ),
    ),
]
