CREATE TYPE place AS (x int, y int);
CREATE TABLE item (
    id int PRIMARY KEY, price numeric, huge numeric(60, 2), small numeric(2, 5), size int4range,
    place place, lasts interval, counts numeric []
);
