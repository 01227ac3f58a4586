CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 3f1c0a7be2d4

CREATE TABLE account (
    id INTEGER NOT NULL AUTO_INCREMENT, 
    email VARCHAR(80), 
    state ENUM('open','closed') NOT NULL, 
    created_at DATETIME DEFAULT now(), 
    PRIMARY KEY (id)
);

INSERT INTO alembic_version (version_num) VALUES ('3f1c0a7be2d4');

-- Running upgrade 3f1c0a7be2d4 -> 90be11d2c6a8

ALTER TABLE account MODIFY email VARCHAR(80) NOT NULL;

CREATE TABLE note (
    id INTEGER NOT NULL AUTO_INCREMENT, 
    account_id INTEGER NOT NULL, 
    body TEXT, 
    PRIMARY KEY (id), 
    FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

UPDATE alembic_version SET version_num='90be11d2c6a8' WHERE alembic_version.version_num = '3f1c0a7be2d4';

