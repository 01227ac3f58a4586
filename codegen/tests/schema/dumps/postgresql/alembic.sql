BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 3f1c0a7be2d4

CREATE TYPE account_state AS ENUM ('open', 'closed');

CREATE TABLE account (
    id SERIAL NOT NULL, 
    email VARCHAR(80), 
    state account_state NOT NULL, 
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(), 
    PRIMARY KEY (id)
);

COMMENT ON TABLE account IS 'one who signs in; or did';

INSERT INTO alembic_version (version_num) VALUES ('3f1c0a7be2d4') RETURNING alembic_version.version_num;

-- Running upgrade 3f1c0a7be2d4 -> 90be11d2c6a8

UPDATE account SET email='' WHERE email IS NULL;

ALTER TABLE account ALTER COLUMN email SET NOT NULL;

CREATE TABLE note (
    id SERIAL NOT NULL, 
    account_id INTEGER NOT NULL, 
    body TEXT, 
    PRIMARY KEY (id), 
    CONSTRAINT fk_note_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

UPDATE alembic_version SET version_num='90be11d2c6a8' WHERE alembic_version.version_num = '3f1c0a7be2d4';

COMMIT;

CREATE INDEX CONCURRENTLY ix_note_account ON note (account_id);

BEGIN;

UPDATE alembic_version SET version_num='c2' WHERE alembic_version.version_num = '90be11d2c6a8';

COMMIT;

