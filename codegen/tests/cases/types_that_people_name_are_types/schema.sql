CREATE TABLE account (id int PRIMARY KEY, prefs jsonb);
