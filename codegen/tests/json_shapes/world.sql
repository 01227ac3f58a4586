CREATE TYPE mood AS ENUM ('happy', 'so so', 'Null');
CREATE TYPE place AS (street text, number integer);
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN scores AS integer[];
CREATE TABLE author (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    bio text,
    mood mood NOT NULL,
    other mood,
    mail email,
    home place,
    born date,
    seen timestamptz,
    wrote timestamp NOT NULL,
    wakes time,
    zone timetz,
    rest interval,
    key uuid NOT NULL,
    alias uuid,
    token bytea,
    money numeric NOT NULL,
    tip numeric(8, 2),
    ratio double precision NOT NULL,
    small real,
    flag boolean NOT NULL,
    maybe boolean,
    tags text[] NOT NULL,
    marks scores,
    grid integer[][],
    extra jsonb,
    note json NOT NULL,
    spans int4range,
    address inet,
    shelf "char"
);
CREATE TABLE book (
    id integer PRIMARY KEY,
    author_id bigint REFERENCES author,
    title text NOT NULL,
    price numeric,
    weight double precision,
    isbn text UNIQUE,
    data jsonb
);
CREATE TABLE review (
    id integer PRIMARY KEY,
    book_id integer NOT NULL REFERENCES book,
    stars smallint NOT NULL,
    words text
);
CREATE TABLE nothing (id integer PRIMARY KEY, "order-id" integer NOT NULL, "createdAt" timestamptz NOT NULL);
CREATE VIEW titles AS SELECT id, title AS "name", author_id AS writer FROM book;
CREATE VIEW documents AS
SELECT id, jsonb_build_object('id', id, 'title', title, 'price', price) AS document FROM book;
CREATE TYPE tone AS ENUM ('low', 'high');
CREATE FUNCTION tone_as_json(tone) RETURNS json LANGUAGE sql IMMUTABLE
RETURN json_build_object('tone', $1::text);
CREATE CAST (tone AS json) WITH FUNCTION tone_as_json(tone);
CREATE TABLE sound (tone tone NOT NULL, mood mood NOT NULL);
