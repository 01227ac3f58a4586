CREATE TABLE shop (id integer PRIMARY KEY, settings jsonb NOT NULL);
