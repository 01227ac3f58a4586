CREATE TABLE tenant (tenant_id integer PRIMARY KEY, name text NOT NULL);

CREATE TABLE person (
    tenant_id integer NOT NULL REFERENCES tenant,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, email)
);

CREATE TABLE project (
    tenant_id integer NOT NULL REFERENCES tenant,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    about text,
    changed_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE label (
    tenant_id integer NOT NULL REFERENCES tenant,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    color text NOT NULL DEFAULT 'grey',
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TYPE issue_status AS ENUM ('open', 'started', 'closed');

-- The foreign keys contain the tenant, so an issue cannot refer to a row of another tenant.
CREATE TABLE issue (
    tenant_id integer NOT NULL REFERENCES tenant,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL,
    parent_id bigint,
    author_id bigint NOT NULL,
    assignee_id bigint,
    title text NOT NULL CHECK (title <> ''),
    body text NOT NULL DEFAULT '',
    status issue_status NOT NULL DEFAULT 'open',
    priority integer NOT NULL DEFAULT 3 CHECK (priority BETWEEN 1 AND 5),
    due date,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    deleted_at timestamptz,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES issue (tenant_id, id),
    FOREIGN KEY (tenant_id, author_id) REFERENCES person (tenant_id, id),
    FOREIGN KEY (tenant_id, assignee_id) REFERENCES person (tenant_id, id)
);
CREATE INDEX issue_created ON issue (tenant_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX issue_project ON issue (tenant_id, project_id);
CREATE INDEX issue_parent ON issue (tenant_id, parent_id);
CREATE INDEX issue_author ON issue (tenant_id, author_id);
CREATE INDEX issue_assignee ON issue (tenant_id, assignee_id);
CREATE INDEX issue_document ON issue USING gin (to_tsvector('english', title || ' ' || body));

CREATE TABLE issue_label (
    tenant_id integer NOT NULL REFERENCES tenant,
    issue_id bigint NOT NULL,
    label_id bigint NOT NULL,
    PRIMARY KEY (tenant_id, issue_id, label_id),
    FOREIGN KEY (tenant_id, issue_id) REFERENCES issue (tenant_id, id),
    FOREIGN KEY (tenant_id, label_id) REFERENCES label (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX issue_label_label ON issue_label (tenant_id, label_id);

CREATE TABLE comment (
    tenant_id integer NOT NULL REFERENCES tenant,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue_id bigint NOT NULL,
    author_id bigint NOT NULL,
    body text NOT NULL CHECK (body <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    edited_at timestamptz,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, issue_id) REFERENCES issue (tenant_id, id),
    FOREIGN KEY (tenant_id, author_id) REFERENCES person (tenant_id, id)
);
CREATE INDEX comment_issue ON comment (tenant_id, issue_id, created_at);
CREATE INDEX comment_author ON comment (tenant_id, author_id);

CREATE TABLE attachment (
    tenant_id integer NOT NULL REFERENCES tenant,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    comment_id bigint NOT NULL,
    name text NOT NULL,
    size integer NOT NULL,
    FOREIGN KEY (tenant_id, comment_id) REFERENCES comment (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX attachment_comment ON attachment (tenant_id, comment_id);
