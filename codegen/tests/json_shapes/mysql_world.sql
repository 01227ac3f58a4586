CREATE TABLE author (
    id bigint unsigned PRIMARY KEY,
    name varchar(50) NOT NULL,
    bio text,
    mood enum('happy', 'so so') NOT NULL,
    other enum('happy', 'so so'),
    born date,
    seen timestamp(6) NULL,
    wrote datetime(3) NOT NULL,
    wakes time(2),
    sleeps time NOT NULL,
    code uuid,
    money decimal(30, 10) NOT NULL,
    tip decimal(8, 2),
    ratio double NOT NULL,
    small float,
    flag tinyint(1) NOT NULL,
    maybe boolean,
    tiny tinyint NOT NULL,
    huge bigint unsigned NOT NULL,
    since year,
    padded int(6) unsigned zerofill,
    bits bit(9),
    token varbinary(20),
    tags set('a', 'b') NOT NULL,
    extra json,
    note json NOT NULL
);
CREATE TABLE book (
    id int PRIMARY KEY,
    author_id bigint unsigned,
    title varchar(80) NOT NULL,
    price decimal(10, 2),
    weight double,
    data json,
    FOREIGN KEY (author_id) REFERENCES author (id)
);
CREATE TABLE review (
    id int PRIMARY KEY,
    book_id int NOT NULL,
    stars tinyint NOT NULL,
    words text,
    FOREIGN KEY (book_id) REFERENCES book (id)
);
CREATE TABLE nothing (id int PRIMARY KEY, made datetime NOT NULL);
CREATE VIEW documents AS
SELECT id, JSON_OBJECT('id', id, 'title', title, 'price', price) AS document FROM book;
CREATE VIEW notes AS SELECT id, note, COALESCE(extra, '{}') AS extra, name FROM author;
