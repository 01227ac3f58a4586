CREATE TYPE mood AS ENUM ('sad', 'very happy');
CREATE TYPE point3 AS (x int, y numeric, label text);
CREATE TYPE span AS (name text, start point3, marks int[], moods mood[], day date);
CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);

CREATE TABLE author (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    bio text,
    mood mood NOT NULL DEFAULT 'sad',
    score percent,
    CONSTRAINT author_name_key UNIQUE (name)
);
CREATE TABLE book (
    id int PRIMARY KEY,
    author_id bigint NOT NULL REFERENCES author (id),
    title text NOT NULL,
    price numeric CHECK (price > 0),
    added timestamptz NOT NULL DEFAULT '2024-01-01T00:00Z',
    moods mood[] NOT NULL DEFAULT '{}'
);
CREATE TABLE shape (
    id int PRIMARY KEY,
    at point3,
    span span,
    points point3[],
    scores percent[]
);
CREATE PROCEDURE relabel(wanted bigint, INOUT name text, OUT length int, OUT bio text) LANGUAGE sql BEGIN ATOMIC
    UPDATE author SET name = relabel.name WHERE id = wanted;
    SELECT a.name, length(a.name), a.bio FROM author AS a WHERE a.id = wanted;
END;
