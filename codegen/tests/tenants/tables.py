"""The tables of the random statements: which tables a row refers to, and to whom a row belongs."""

from __future__ import annotations

from aiosqlc.ir import Tenant

from tests.tenants.odd import ODD, ODD_SCHEMA, ODD_VIEWS
from tests.tenants.stored import Stored

_SHARED = ("country", "currency", "listed")
TENANT = Tenant("tenant_id", "tenant_id", _SHARED)
TRUSTING = Tenant("tenant_id", "tenant_id", _SHARED, trust_foreign_keys=True)

SCHEMA = f"""\
CREATE TABLE org (id int PRIMARY KEY, n int);
CREATE TABLE token (id int PRIMARY KEY, n int, org_id int REFERENCES org);
CREATE TABLE country (id int PRIMARY KEY, n int);
CREATE TABLE person (id int PRIMARY KEY, n int);
CREATE TABLE project (
    id int PRIMARY KEY, tenant_id int REFERENCES org, n int, UNIQUE (tenant_id, n)
);
CREATE TABLE issue (
    id int PRIMARY KEY, tenant_id int, n int, project_id int REFERENCES project,
    assignee int REFERENCES person, country_id int REFERENCES country
);
CREATE TABLE comment (
    id int PRIMARY KEY, n int, issue_id int REFERENCES issue, author int REFERENCES person,
    UNIQUE (issue_id, n)
);
CREATE TABLE reply (id int PRIMARY KEY, n int, comment_id int REFERENCES comment);
CREATE TABLE label (id int PRIMARY KEY, tenant_id int, n int, UNIQUE (tenant_id, id));
CREATE TABLE mark (
    id int PRIMARY KEY, tenant_id int NOT NULL, n int, label_id int, stuck_id int,
    FOREIGN KEY (tenant_id, label_id) REFERENCES label (tenant_id, id),
    FOREIGN KEY (tenant_id, stuck_id) REFERENCES label (tenant_id, id)
);
CREATE TABLE event (id int, tenant_id int, n int, issue_id int REFERENCES issue)
    PARTITION BY LIST (tenant_id);
CREATE TABLE event_1 PARTITION OF event FOR VALUES IN (1);
CREATE TABLE event_rest PARTITION OF event DEFAULT;
CREATE VIEW joined AS SELECT i.id, i.tenant_id, p.n FROM issue i
    LEFT JOIN project p ON p.id = i.project_id AND p.tenant_id = i.tenant_id;
CREATE VIEW few AS SELECT id, tenant_id, n FROM issue WHERE n > 1;
CREATE VIEW both_kinds AS SELECT id, tenant_id, n FROM label UNION ALL
    SELECT id, tenant_id, n FROM project;
CREATE VIEW counted AS SELECT min(id) AS id, tenant_id, count(*)::int AS n FROM issue
    GROUP BY tenant_id;
{ODD_SCHEMA}"""

_OWN = "tenant_id = 1"
_KNOWN = Stored(("id", "n"), {}, "false", known=True)
TABLES: dict[str, Stored] = {
    "org": Stored(("id", "n"), {}, "id = 1"),
    "token": Stored(("id", "n", "org_id"), {"org_id": "org"}, "org_id = 1"),
    "country": _KNOWN,
    "person": _KNOWN,
    "project": Stored(("id", "tenant_id", "n"), {}, _OWN, unique=True),
    "issue": Stored(
        ("id", "tenant_id", "n", "project_id", "assignee", "country_id"),
        {"project_id": "project", "assignee": "person", "country_id": "country"},
        _OWN,
    ),
    "comment": Stored(
        ("id", "n", "issue_id", "author"),
        {"issue_id": "issue", "author": "person"},
        "issue_id IN (SELECT id FROM issue WHERE tenant_id = 1)",
        unique=True,
    ),
    "reply": Stored(
        ("id", "n", "comment_id"),
        {"comment_id": "comment"},
        "comment_id IN (SELECT c.id FROM comment c JOIN issue i ON i.id = c.issue_id"
        " WHERE i.tenant_id = 1)",
    ),
    "label": Stored(("id", "tenant_id", "n"), {}, _OWN),
    "mark": Stored(
        ("id", "tenant_id", "n", "label_id", "stuck_id"),
        {"label_id": "label", "stuck_id": "label"},
        _OWN,
        required=True,
        whole=True,
    ),
    "event": Stored(("id", "tenant_id", "n", "issue_id"), {"issue_id": "issue"}, _OWN),
    **ODD,
}
TENANT_COLUMNS = {"org": "id", "token": "org_id"}
"""The columns that store the tenant, if not `tenant_id`."""
_VIEW = Stored(("id", "tenant_id", "n"), {}, "")
SOURCES: dict[str, Stored] = {
    **TABLES,
    **dict.fromkeys(("joined", "few", "both_kinds", "counted", *ODD_VIEWS), _VIEW),
    **dict.fromkeys(("event_1", "event_rest"), TABLES["event"]),
    **dict.fromkeys(("task_low", "task_high", "task_rest"), TABLES["task"]),
    **dict.fromkeys(("note_low", "note_rest"), TABLES["note"]),
}
"""The tables, their partitions, and views."""
