CREATE TYPE state AS ENUM ('open', 'done');
CREATE TABLE task (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    state state NOT NULL DEFAULT 'open',
    due date,
    changes integer NOT NULL DEFAULT 0
);
