CREATE TABLE author (
    id bigint unsigned PRIMARY KEY AUTO_INCREMENT,
    name varchar(50) NOT NULL UNIQUE,
    bio text,
    mood enum('sad', 'very happy') NOT NULL DEFAULT 'sad',
    score int CHECK (score >= 0)
);
CREATE TABLE book (
    id int PRIMARY KEY,
    author_id bigint unsigned NOT NULL,
    title varchar(99) NOT NULL,
    price decimal(10, 2),
    added timestamp(6) NOT NULL DEFAULT '2024-01-01 00:00:00'
);
CREATE TABLE born (id int PRIMARY KEY, day date NOT NULL);
CREATE TABLE `a``b.c'd` (
    id int PRIMARY KEY,
    `n'm` int NOT NULL,
    parent int,
    author_id bigint unsigned,
    CONSTRAINT `u``q'x` UNIQUE (`n'm`),
    CONSTRAINT `f``k'x` FOREIGN KEY (parent) REFERENCES `a``b.c'd` (id),
    CONSTRAINT stray_author_fkey FOREIGN KEY (author_id) REFERENCES author (id),
    CONSTRAINT stray_check CHECK (`n'm` < 10)
);
CREATE TABLE noted (id int PRIMARY KEY, said varchar(20) NOT NULL UNIQUE);
CREATE TABLE logged (id int PRIMARY KEY, said varchar(20) NOT NULL UNIQUE);
CREATE TRIGGER noting AFTER INSERT ON noted FOR EACH ROW
INSERT INTO logged (id, said) VALUES (NEW.id + 10, 'x');
CREATE PROCEDURE books_by(IN author bigint, IN at_most int)
BEGIN
    DECLARE found int DEFAULT 0;
    SELECT count(*) INTO found FROM book WHERE author_id = author;
    SELECT id, title, price, added, found, author AS asked
    FROM book WHERE author_id = author ORDER BY id LIMIT at_most;
END;
