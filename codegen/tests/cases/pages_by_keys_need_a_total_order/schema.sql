CREATE TABLE issue (
    id int PRIMARY KEY,
    title text NOT NULL,
    due date
);
