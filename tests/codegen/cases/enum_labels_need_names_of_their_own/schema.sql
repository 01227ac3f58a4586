CREATE TYPE state AS ENUM ('in progress', 'in_progress', 'done');
CREATE TABLE task (id integer PRIMARY KEY, state state);
