CREATE TABLE account (id integer PRIMARY KEY, prefs jsonb NOT NULL, extra jsonb, score numeric);
