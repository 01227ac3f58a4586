CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL, note text);
CREATE TYPE state AS ENUM ('on');
CREATE TYPE "State" AS ENUM ('off');
CREATE TYPE "STATE" AS ENUM ('gone');
