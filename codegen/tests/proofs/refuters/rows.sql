-- How many rows.

create sequence ticks;
create table a (id int primary key, name text not null, grp int not null);
create table item (code varchar(20) primary key);
create table b (id int primary key, aid int not null);
create table live (id int not null, gone bool not null);
create unique index on live (id) where not gone;
create table two (x int not null, y int not null, primary key (x, y));
create table parent (id int primary key);
create table child () inherits (parent);
create table moments (t timestamp primary key);
create table skipping (id int primary key, v int);
create function skip() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger skip before insert on skipping for each row execute function skip();
create function all_of_a() returns setof a language sql stable as 'select * from a';
create function twice() returns table (n bigint) language plpgsql stable as $$ begin return query select count(*) from a; return query select count(*) from b; end $$;
create schema elsewhere;
create table elsewhere.a (id int, name text);
insert into elsewhere.a values (1, 'x'), (1, 'y');
create function one_of_a(path text) returns setof text language sql as 'select name from a where id = 1';
set timezone = 'Europe/Berlin';
insert into a values (1, 'x', 1), (2, 'x', 1);
insert into item values ('a'), ('a ');
insert into b values (1, 1), (2, 2);
insert into live values (1, true), (1, true);
insert into two values (1, 1), (1, 2);
insert into parent values (1);
insert into child values (1);
insert into moments values ('2024-03-31 02:30'), ('2024-03-31 03:30');

-- refutes: limit / no WITH TIES
-- case: many
select name from a order by name fetch first 1 row with ties;

-- refutes: one-row / the select list has no set-returning function
-- case: many
select count(*), generate_series(1, 2) from a;

-- refutes: unique-key / every column of the key is compared with a value
-- case: many
select * from two where x = 1;

-- refutes: unique-key / the equality operator belongs to the index
-- case: many with a
select * from item where code = $1::char(8);

-- refutes: unique-key / the conditions imply the predicate of the index
-- case: many
select * from live where id = 1;

-- refutes: unique-key / the table has no child tables except partitions
-- case: many
select * from parent where id = 1;

-- refutes: unique-key / ON of an outer join restricts only the joined table
-- case: many
select a.id from a left join b on a.id = 1 and b.id = 1;

-- refutes: unique-key / no FULL JOIN
-- case: many
select x, y from (select 1 as x) s full join (select 2 as y) t on x = y;

-- refutes: unique-key / the other operand is not volatile
-- case: many
select id from a where id = nextval('ticks');

-- refutes: unique-key / the other operand does not depend on a row of the table
-- case: many
select a.id from a where a.id = (select b.id from b where b.aid = a.id);

-- refutes: unique-key / a LATERAL subquery refers to a single row
-- case: many
select distinct x.name from a cross join lateral (select a.id::text as name limit 1) x;

-- refutes: unique-key / no outer join sets the column of the LATERAL subquery to NULL
-- case: many
select distinct x.k from a cross join b left join lateral (select a.id as k) x on b.id > 1 where a.id = 1;

-- refutes: function-rows / the body of the function returns at most one row
-- case: many
select * from all_of_a();

-- refutes: function-rows / no function of the statement changes which table a name refers to
-- case: many
select n from (select set_config('search_path', 'elsewhere', true) as s offset 0) x, one_of_a('x') n where s <> n;

-- refutes: function-rows / only one RETURN of a PL/pgSQL body returns rows
-- case: many
select * from twice();

-- refutes: group-keys / every key column has a single value
-- case: many
select id, count(*) from a group by id;

-- refutes: group-keys / the query has a single grouping set
-- case: many
select id, count(*) from a where id = 1 group by rollup (id);

-- refutes: set-operation-rows / no UNION
-- case: many
select id from a where id = 1 union all select id from b where id = 1;

-- refutes: set-operation-rows / the column of the set operation is not cast
-- case: many with 2024-03-31 03:30+02
select t from (select t from moments except all select null::timestamptz) s where t = $1;

-- refutes: some-row / no condition
-- case: empty
select 1 where 1 = 2;

-- refutes: some-row / no HAVING
-- case: empty
select count(*) from a having count(*) > 9;

-- refutes: some-row / no OFFSET
-- case: empty
select 1 offset 1;

-- refutes: some-row / LIMIT allows at least one row
-- case: empty
select 1 limit 0;

-- refutes: some-row / the select list has no set-returning function
-- case: empty
select generate_series(1, 0);

-- refutes: some-row / the set-returning function has constant arguments and returns a row
-- case: empty
select x from generate_series(2, 1) t (x);

-- refutes: some-row / no trigger skips the row
-- case: empty
insert into skipping values (1, 1) returning id;

-- refutes: some-row / ON CONFLICT always updates the existing row
-- case: empty
insert into a values (1, 'x', 1) on conflict do nothing returning id;

-- refutes: some-row / SET of ON CONFLICT reads no WITH query
-- case: empty
with w as (update a set name = 'new' where id = 1 returning name)
insert into a values (1, 'x', 1)
on conflict (id) do update set name = (select name from w) returning id;
