-- Equalities that are not the one an index keeps its rows apart by.

create table item (code varchar(20) primary key, name text not null);
create table line (id int primary key, code char(8) not null);
create table words (w text primary key);
create table person (id int primary key, email text not null unique);
create function abs_eq(int, int) returns bool language sql immutable strict as 'select abs($1) =
    abs($2)';
create function abs_lt(int, int) returns bool language sql immutable strict as 'select abs($1) <
    abs($2)';
create function abs_le(int, int) returns bool language sql immutable strict as 'select abs($1) <=
    abs($2)';
create function abs_gt(int, int) returns bool language sql immutable strict as 'select abs($1) >
    abs($2)';
create function abs_ge(int, int) returns bool language sql immutable strict as 'select abs($1) >=
    abs($2)';
create function abs_cmp(int, int) returns int language sql immutable strict as 'select abs($1) -
    abs($2)';
create operator === (leftarg = int, rightarg = int, function = abs_eq, commutator = ===);
create operator <<< (leftarg = int, rightarg = int, function = abs_lt);
create operator <<= (leftarg = int, rightarg = int, function = abs_le);
create operator >>> (leftarg = int, rightarg = int, function = abs_gt);
create operator >>= (leftarg = int, rightarg = int, function = abs_ge);
create operator class abs_ops for type int using btree as operator 1 <<<, operator 2 <<=, operator
    3 ===, operator 4 >>=, operator 5 >>>, function 1 abs_cmp(int, int);
create table n (v int primary key, w numeric not null);
create table moments (t timestamp primary key);
create domain short as varchar(20);
create table item2 (code short primary key);
create type ci;
create function ci_in(cstring) returns ci language internal immutable strict as 'textin';
create function ci_out(ci) returns cstring language internal immutable strict as 'textout';
create type ci (input = ci_in, output = ci_out, like = text);
create cast (text as ci) without function;
create cast (ci as text) without function;
create function ci_lt(ci, ci) returns bool language sql immutable strict as 'select
    lower($1::text) < lower($2::text)';
create function ci_le(ci, ci) returns bool language sql immutable strict as 'select
    lower($1::text) <= lower($2::text)';
create function ci_eq(ci, ci) returns bool language sql immutable strict as 'select
    lower($1::text) = lower($2::text)';
create function ci_ge(ci, ci) returns bool language sql immutable strict as 'select
    lower($1::text) >= lower($2::text)';
create function ci_gt(ci, ci) returns bool language sql immutable strict as 'select
    lower($1::text) > lower($2::text)';
create function ci_cmp(ci, ci) returns int language sql immutable strict as 'select
    bttextcmp(lower($1::text), lower($2::text))';
create operator < (leftarg = ci, rightarg = ci, function = ci_lt);
create operator <= (leftarg = ci, rightarg = ci, function = ci_le);
create operator = (leftarg = ci, rightarg = ci, function = ci_eq);
create operator >= (leftarg = ci, rightarg = ci, function = ci_ge);
create operator > (leftarg = ci, rightarg = ci, function = ci_gt);
create operator class ci_ops default for type ci using btree as operator 1 <, operator 2 <=,
    operator 3 =, operator 4 >=, operator 5 >, function 1 ci_cmp(ci, ci);
create table member (email text primary key, nick ci not null unique);
create table spelled (a text[] primary key);
insert into item values ('a', 'x'), ('a ', 'y');
insert into item2 values ('a'), ('a ');
insert into line values (1, 'a');
insert into words values ('a'), ('a '), ('A');
insert into person values (1, 'x'), (2, 'X');
insert into n values (1, 1), (-1, 1.0);
insert into member values ('x', 'x');
insert into spelled values ('{x}'), ('{X}');

-- case: many with a
select * from item where code = $1::char(8);

-- case: many with a
select * from item where code in ($1::char(8));

-- case: many with a
select * from item2 where code = $1::char(8);

-- case: many
select * from item where code = (select code from line where id = 1);

-- case: many
select i.* from line l join item i on i.code = l.code where l.id = 1;

-- case: many with a
update item set name = 'z' where code = $1::char(8) returning *;

-- case: many with a
delete from item where code = $1::char(8) returning *;

-- case: many
delete from item using line l where item.code = l.code and l.id = 1 returning item.code;

-- case: many with a
select code, count(*) from item where code = $1::char(8) group by code;

-- case: many with a
select distinct code from item where code = $1::char(8);

-- case: many with a
select distinct length(code) from item where code = $1::char(8);

-- case: many with a
select s.code from (select code, count(*) from item group by code) s where s.code = $1::char(8);

-- case: many with a
select s.code from (select distinct code from item) s where s.code = $1::char(8);

-- case: many with x
select * from person where email::ci = $1;

-- case: many with x
select p.* from member m join person p on p.email::ci = m.nick where m.email = $1;

-- case: many with x
select distinct email from person where email::ci = $1;

-- case: many with {x}
select * from spelled where a::ci[] = $1;

-- case: many with 1
select * from n where v === $1;

-- case: many with 1
select distinct v from n where v === $1;

-- case: many with 1
select distinct w::text from n where w = $1;
