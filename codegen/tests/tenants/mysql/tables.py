"""The tables of the random statements, as MySQL and MariaDB declare them."""

from __future__ import annotations

from tests.tenants.stored import Stored
from tests.tenants.tables import SOURCES as COMMON

SCHEMA = """\
CREATE TABLE org (id int PRIMARY KEY, n int);
CREATE TABLE token (id int PRIMARY KEY, n int, org_id int, FOREIGN KEY (org_id) REFERENCES org
    (id));
CREATE TABLE country (id int PRIMARY KEY, n int);
CREATE TABLE person (id int PRIMARY KEY, n int);
CREATE TABLE project (
    id int PRIMARY KEY, tenant_id int, n int, UNIQUE (tenant_id, n),
    FOREIGN KEY (tenant_id) REFERENCES org (id)
);
CREATE TABLE issue (
    id int PRIMARY KEY, tenant_id int, n int, project_id int, assignee int, country_id int,
    FOREIGN KEY (project_id) REFERENCES project (id),
    FOREIGN KEY (assignee) REFERENCES person (id),
    FOREIGN KEY (country_id) REFERENCES country (id)
);
CREATE TABLE comment (
    id int PRIMARY KEY, n int, issue_id int, author int, UNIQUE (issue_id, n),
    FOREIGN KEY (issue_id) REFERENCES issue (id),
    FOREIGN KEY (author) REFERENCES person (id)
);
CREATE TABLE reply (id int PRIMARY KEY, n int, comment_id int,
    FOREIGN KEY (comment_id) REFERENCES comment (id));
CREATE TABLE label (id int, tenant_id int, n int, PRIMARY KEY (tenant_id, id));
CREATE TABLE mark (
    id int, tenant_id int NOT NULL, n int, label_id int, stuck_id int, PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, label_id) REFERENCES label (tenant_id, id),
    FOREIGN KEY (tenant_id, stuck_id) REFERENCES label (tenant_id, id)
);
CREATE TABLE event (id int, tenant_id int, n int, issue_id int,
    FOREIGN KEY (issue_id) REFERENCES issue (id));
CREATE VIEW joined AS SELECT i.id, i.tenant_id, p.n FROM issue i
    LEFT JOIN project p ON p.id = i.project_id AND p.tenant_id = i.tenant_id;
CREATE VIEW few AS SELECT id, tenant_id, n FROM issue WHERE n > 1;
CREATE VIEW both_kinds AS SELECT id, tenant_id, n FROM label UNION ALL
    SELECT id, tenant_id, n FROM project;
CREATE VIEW counted AS SELECT min(id) AS id, tenant_id, CAST(count(*) AS SIGNED) AS n FROM issue
    GROUP BY tenant_id;
"""
TABLES: dict[str, Stored] = {
    name: stored for name, stored in COMMON.items() if f"CREATE TABLE {name} (" in SCHEMA
}
"""The tables of the common grammar that exist here."""
SOURCES: dict[str, Stored] = {
    name: stored
    for name, stored in COMMON.items()
    if name in TABLES or f"CREATE VIEW {name} AS" in SCHEMA
}
"""The tables, and the views."""
