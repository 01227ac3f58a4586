CREATE TABLE book (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    author text NOT NULL,
    price numeric(8, 2) NOT NULL CHECK (price >= 0),
    note text,
    changes integer NOT NULL DEFAULT 0
);
