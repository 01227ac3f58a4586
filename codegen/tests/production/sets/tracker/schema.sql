CREATE TYPE role AS ENUM ('owner', 'admin', 'member', 'guest');
CREATE TYPE status AS ENUM ('backlog', 'todo', 'doing', 'review', 'done', 'rejected');
CREATE TABLE tenant (
    id int PRIMARY KEY, name text NOT NULL, plan text NOT NULL, settings jsonb NOT NULL, created_at timestamptz NOT NULL
);
CREATE TABLE member (
    id bigint PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant ON DELETE CASCADE, email text NOT NULL, role role NOT NULL,
    name text NOT NULL, active boolean NOT NULL, last_seen_at timestamptz, UNIQUE (tenant_id, email)
);
CREATE INDEX member_email ON member (lower(email));
CREATE INDEX member_inactive ON member (tenant_id) WHERE NOT active;
CREATE TABLE project (
    id bigint PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant ON DELETE CASCADE, key text NOT NULL, name text NOT NULL,
    archived_at timestamptz, UNIQUE (tenant_id, key)
);
CREATE TABLE issue (
    id bigint PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant ON DELETE CASCADE, project_id bigint NOT NULL REFERENCES project,
    number int NOT NULL, title text NOT NULL, status status NOT NULL, priority smallint NOT NULL, assignee_id bigint REFERENCES member,
    reporter_id bigint NOT NULL REFERENCES member, fields jsonb NOT NULL, due_on date, created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL, deleted_at timestamptz, UNIQUE (project_id, number)
);
CREATE INDEX issue_tenant_status ON issue (tenant_id, status, updated_at);
CREATE INDEX issue_assignee ON issue (assignee_id) WHERE assignee_id IS NOT NULL;
CREATE INDEX issue_reporter ON issue (reporter_id);
CREATE INDEX issue_due ON issue (tenant_id, due_on) WHERE deleted_at IS NULL AND due_on IS NOT NULL;
CREATE INDEX issue_deleted ON issue (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX issue_fields ON issue USING gin (fields jsonb_path_ops);
CREATE INDEX issue_sprint ON issue ((fields ->> 'sprint'));
CREATE TABLE label (
    id bigint PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant ON DELETE CASCADE, name text NOT NULL, UNIQUE (tenant_id, name)
);
CREATE TABLE issue_label (
    issue_id bigint NOT NULL REFERENCES issue ON DELETE CASCADE, label_id bigint NOT NULL REFERENCES label ON DELETE CASCADE,
    PRIMARY KEY (issue_id, label_id)
);
CREATE INDEX issue_label_label ON issue_label (label_id);
CREATE TABLE comment (
    id bigint PRIMARY KEY, tenant_id int NOT NULL, issue_id bigint NOT NULL REFERENCES issue ON DELETE CASCADE,
    author_id bigint NOT NULL REFERENCES member, body text NOT NULL, created_at timestamptz NOT NULL
);
CREATE INDEX comment_issue ON comment (issue_id, created_at);
CREATE INDEX comment_author ON comment (author_id, created_at);
CREATE TABLE attachment (
    id bigint PRIMARY KEY, issue_id bigint NOT NULL REFERENCES issue ON DELETE CASCADE, name text NOT NULL, bytes bigint NOT NULL,
    checksum text NOT NULL
);
CREATE INDEX attachment_issue ON attachment (issue_id);
CREATE INDEX attachment_checksum ON attachment USING hash (checksum);
CREATE TABLE activity (
    id bigint NOT NULL, tenant_id int NOT NULL, issue_id bigint NOT NULL, actor_id bigint NOT NULL, kind text NOT NULL,
    data jsonb NOT NULL, at timestamptz NOT NULL
) PARTITION BY RANGE (at);
CREATE TABLE activity_01 PARTITION OF activity FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE activity_02 PARTITION OF activity FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
CREATE TABLE activity_03 PARTITION OF activity FOR VALUES FROM ('2025-03-01') TO ('2025-04-01');
CREATE TABLE activity_04 PARTITION OF activity FOR VALUES FROM ('2025-04-01') TO ('2025-05-01');
CREATE TABLE activity_05 PARTITION OF activity FOR VALUES FROM ('2025-05-01') TO ('2025-06-01');
CREATE TABLE activity_06 PARTITION OF activity FOR VALUES FROM ('2025-06-01') TO ('2025-07-01');
CREATE INDEX activity_tenant ON activity (tenant_id, at);
CREATE INDEX activity_issue ON activity (issue_id);
