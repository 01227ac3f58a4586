CREATE TYPE state AS ENUM ('in progress', 'in_progress', 'done');
CREATE TYPE comparison AS ENUM ('<', '<=', '=', '!=', '');
CREATE TYPE blood AS ENUM ('A+', 'A-', 'B+', 'B-', '0');
CREATE TYPE answer AS ENUM ('yes', 'YES', 'no');
CREATE TABLE task (
    id integer PRIMARY KEY, state state, is_ comparison NOT NULL, donor blood NOT NULL, said answer
);
