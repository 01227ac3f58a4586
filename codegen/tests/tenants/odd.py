"""Tables with deferred, inherited, generated and partitioned parts, rules, triggers and domains."""

from __future__ import annotations

from collections.abc import Mapping

from tests.tenants.stored import Stored

ODD_SCHEMA = """\
CREATE TABLE late (
    id int PRIMARY KEY, tenant_id int NOT NULL, n int, label_id int,
    UNIQUE (tenant_id, n) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, label_id) REFERENCES label (tenant_id, id)
        DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE hint (
    id int PRIMARY KEY, n int, issue_id int REFERENCES issue DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE slot (
    id int, tenant_id int, n int, UNIQUE (tenant_id, id),
    UNIQUE (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE plug (
    id int PRIMARY KEY, tenant_id int NOT NULL, n int, slot_id int,
    FOREIGN KEY (tenant_id, slot_id) REFERENCES slot (tenant_id, id)
);
CREATE TABLE task (id int, tenant_id int, n int, issue_id int REFERENCES issue)
    PARTITION BY RANGE (n);
CREATE TABLE task_low PARTITION OF task FOR VALUES FROM (MINVALUE) TO (1);
CREATE TABLE task_high (n int, gone int, issue_id int, id int, tenant_id int);
ALTER TABLE task_high DROP COLUMN gone;
ALTER TABLE task ATTACH PARTITION task_high FOR VALUES FROM (2) TO (MAXVALUE);
CREATE TABLE task_rest PARTITION OF task DEFAULT;
CREATE TABLE note (id int, n int, issue_id int REFERENCES issue) PARTITION BY LIST (n);
CREATE TABLE note_low (issue_id int, n int, id int);
ALTER TABLE note ATTACH PARTITION note_low FOR VALUES IN (0, 1);
CREATE TABLE note_rest PARTITION OF note DEFAULT;
CREATE TABLE page (id int PRIMARY KEY, tenant_id int NOT NULL, n int, UNIQUE (tenant_id, id));
CREATE TABLE old_page () INHERITS (page);
CREATE TABLE link (
    id int PRIMARY KEY, tenant_id int NOT NULL, n int, page_id int,
    FOREIGN KEY (tenant_id, page_id) REFERENCES page (tenant_id, id)
);
CREATE TABLE remark (id int PRIMARY KEY, n int, issue_id int REFERENCES issue);
CREATE TABLE old_remark () INHERITS (remark);
CREATE TABLE currency (id int PRIMARY KEY, n int);
CREATE TABLE own_currency (tenant_id int) INHERITS (currency);
CREATE TABLE made (
    id int PRIMARY KEY, owner int, n int, tenant_id int GENERATED ALWAYS AS (owner) VIRTUAL
);
CREATE TABLE built (
    id int PRIMARY KEY, n int, issue int,
    issue_id int GENERATED ALWAYS AS (issue) STORED REFERENCES issue
);
CREATE DOMAIN tenant AS int CHECK (VALUE > 0);
CREATE TABLE zone (
    id int PRIMARY KEY, tenant_id tenant NOT NULL, n int, label_id int,
    FOREIGN KEY (tenant_id, label_id) REFERENCES label (tenant_id, id)
);
CREATE TABLE ledger (id int PRIMARY KEY, tenant_id numeric, n int, UNIQUE (tenant_id, n));
CREATE TABLE ruled (id int PRIMARY KEY, tenant_id int, n int);
CREATE RULE skipped AS ON UPDATE TO ruled WHERE new.n = 2 DO INSTEAD NOTHING;
CREATE RULE more AS ON DELETE TO ruled DO ALSO DELETE FROM label WHERE id = old.id;
CREATE RULE other AS ON INSERT TO ruled WHERE new.n > 2 DO INSTEAD
    INSERT INTO ledger (id, tenant_id, n) VALUES (new.id, new.tenant_id, new.n);
CREATE TABLE moved (id int PRIMARY KEY, tenant_id int, n int);
CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN NEW.tenant_id := 2; RETURN NEW; END';
CREATE TRIGGER move BEFORE INSERT OR UPDATE ON moved FOR EACH ROW
    WHEN (NEW.n > 2) EXECUTE FUNCTION move();
CREATE VIEW worked AS SELECT id, tenant_id, n FROM label;
CREATE FUNCTION work() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN UPDATE label SET n = 7; RETURN NEW; END';
CREATE TRIGGER work INSTEAD OF INSERT OR UPDATE OR DELETE ON worked
    FOR EACH ROW EXECUTE FUNCTION work();
CREATE VIEW guarded WITH (security_barrier) AS SELECT id, tenant_id, n FROM issue WHERE n < 2;
CREATE VIEW limited AS SELECT id, tenant_id, n FROM issue WHERE n = 1 WITH CHECK OPTION;
CREATE VIEW swapped AS SELECT id, n AS tenant_id, tenant_id AS n FROM issue;
CREATE VIEW ruling AS SELECT i.id, i.tenant_id, i.n FROM issue i JOIN label l USING (tenant_id);
CREATE RULE ruling AS ON INSERT TO ruling DO INSTEAD
    INSERT INTO issue (id, tenant_id, n) VALUES (new.id, new.tenant_id, new.n);
CREATE RULE rules AS ON UPDATE TO ruling DO INSTEAD
    UPDATE issue SET n = new.n WHERE id = old.id AND tenant_id = old.tenant_id;
CREATE RULE ruined AS ON DELETE TO ruling DO INSTEAD DELETE FROM issue WHERE id = old.id;
CREATE FUNCTION listed(int) RETURNS TABLE (id int, tenant_id int, n int) LANGUAGE sql STABLE
    AS 'SELECT id, tenant_id, n FROM issue WHERE tenant_id = $1';
CREATE FUNCTION unlisted(int) RETURNS TABLE (id int, tenant_id int, n int) LANGUAGE sql STABLE
    AS 'SELECT id, tenant_id, n FROM issue WHERE tenant_id = $1';
CREATE FUNCTION spread(int) RETURNS TABLE (id int, tenant_id int, n int) LANGUAGE sql IMMUTABLE
    AS 'SELECT g, $1 + g, g FROM generate_series(0, 2) g';
"""
_OWN = "tenant_id = 1"
_OF_ISSUE = "issue_id IN (SELECT id FROM issue WHERE tenant_id = 1)"
_PLAIN = Stored(("id", "tenant_id", "n"), {}, _OWN)
_LABELLED = ("id", "tenant_id", "n", "label_id"), {"label_id": "label"}, _OWN
_REMARK = ("id", "n", "issue_id"), {"issue_id": "issue"}, _OF_ISSUE
ODD: Mapping[str, Stored] = {
    "late": Stored(*_LABELLED, required=True, whole=True, loose=True),
    "hint": Stored(*_REMARK),
    "slot": Stored(("id", "tenant_id", "n"), {}, _OWN, clashing=True),
    "plug": Stored(
        ("id", "tenant_id", "n", "slot_id"), {"slot_id": "slot"}, _OWN, required=True, whole=True
    ),
    "task": Stored(("id", "tenant_id", "n", "issue_id"), {"issue_id": "issue"}, _OWN),
    "note": Stored(*_REMARK),
    "page": Stored(("id", "tenant_id", "n"), {}, _OWN, required=True, parent=True),
    "old_page": Stored(
        ("id", "tenant_id", "n"), {}, _OWN, required=True, foreign=True, clashing=True
    ),
    "link": Stored(
        ("id", "tenant_id", "n", "page_id"), {"page_id": "page"}, _OWN, required=True, whole=True
    ),
    "remark": Stored(*_REMARK, parent=True),
    "old_remark": Stored(*_REMARK[:2], "false", foreign=True, loose=True),
    "currency": Stored(("id", "n"), {}, "false", known=True, parent=True),
    "own_currency": Stored(("id", "n", "tenant_id"), {}, _OWN),
    "made": Stored(("id", "owner", "n", "tenant_id"), {}, _OWN, computed={"tenant_id": "owner"}),
    "built": Stored(
        ("id", "n", "issue", "issue_id"),
        {"issue_id": "issue"},
        _OF_ISSUE,
        computed={"issue_id": "issue"},
    ),
    "zone": Stored(*_LABELLED, required=True, whole=True),
    "ledger": Stored(("id", "tenant_id", "n"), {}, _OWN, unique=True),
    "ruled": _PLAIN,
    "moved": Stored(("id", "tenant_id", "n"), {}, _OWN, unchecked=True),
}
ODD_VIEWS = (
    "worked", "guarded", "limited", "swapped", "ruling",
    "listed(@tenant_id)", "unlisted(@tenant_id)", "spread(@tenant_id)",
)  # fmt: skip
"""The views, and the functions that return rows."""
