CREATE TABLE author (
    id bigint unsigned PRIMARY KEY AUTO_INCREMENT,
    name varchar(50) NOT NULL UNIQUE,
    bio text,
    mood enum('sad', 'very happy') NOT NULL DEFAULT 'sad',
    score int
);
CREATE TABLE book (
    id int PRIMARY KEY,
    author_id bigint unsigned NOT NULL,
    title varchar(99) NOT NULL,
    price decimal(10, 2),
    added timestamp(6) NOT NULL DEFAULT '2024-01-01 00:00:00'
);
CREATE TABLE born (id int PRIMARY KEY, day date NOT NULL);
