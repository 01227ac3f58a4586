-- Expressions and functions.

create table a (id int primary key, name text not null, bio text, arr int[] not null);
create domain loose as int;
create type halves as (l int, r int);
create type pair2;
create function pair2_in(cstring) returns pair2 language internal immutable strict as 'int4in';
create function pair2_out(pair2) returns cstring language internal immutable strict as 'int4out';
create type pair2 (input = pair2_in, output = pair2_out, like = int4);
create function p2_eq(pair2, pair2) returns bool language plpgsql immutable strict as $$ begin return null; end $$;
create function p2_lt(pair2, pair2) returns bool language plpgsql immutable strict as $$ begin return null; end $$;
create function p2_cmp(pair2, pair2) returns int language plpgsql immutable strict as $$ begin return null; end $$;
create operator = (leftarg = pair2, rightarg = pair2, function = p2_eq);
create operator < (leftarg = pair2, rightarg = pair2, function = p2_lt);
create operator class p2_ops default for type pair2 using btree as operator 1 <, operator 3 =, function 1 p2_cmp(pair2, pair2);
create function strict_zero(x int) returns int language sql immutable strict return coalesce(x, 0);
create function perhaps(x int) returns int language sql immutable as 'select x where x > 100';
create function branches(x int) returns int language plpgsql immutable as $$ begin if x = 1 then return null; end if; return x; end $$;
create function looked_up(x int) returns text language plpgsql stable as $$ begin return name from a where id = x; end $$;
create function passes(x int) returns int language sql immutable return x;
create schema elsewhere;
create table elsewhere.a (id int, name text, bio text, arr int[]);
insert into elsewhere.a (id) values (1), (1);
create function names_by_sql() returns setof text language sql as 'select name from a';
create function names_by_plpgsql() returns setof text language plpgsql as $$ begin return query select name from a; end $$;
set timezone = 'Pacific/Kiritimati';
insert into a values (1, 'x', null, '{1,NULL}'), (2, 'y', 'b', '{}');

-- refutes: parameter / the parameter does not accept None
-- case: NULL in c with NULL
select coalesce($1::int, null) as c;

-- refutes: domain-cast / the domain is NOT NULL
-- case: NULL in c
select null::loose as c;

-- refutes: boolean / no input is NULL
-- case: NULL in c
select bio = 'x' and id > 0 as c from a;

-- refutes: coalesce / at least one input is not NULL
-- case: NULL in c
select coalesce(bio, null) as c from a;

-- refutes: greatest-least / at least one input is not NULL
-- case: NULL in c
select greatest(bio, null) as c from a;

-- refutes: distinct-from / the operator is a built-in equality operator
-- case: NULL in c
select '1'::pair2 is distinct from '2'::pair2 as c;

-- refutes: row-comparison / no input is NULL
-- case: NULL in c
select row(bio, 1) < row(name, 2) as c from a;

-- refutes: row-comparison / the operators are built-in comparison operators
-- case: NULL in c
select row('1'::pair2, 1) < row('2'::pair2, 2) as c;

-- refutes: case / no input is NULL
-- case: NULL in c
select case when id > 0 then null when id > 9 then bio else 'x' end as c from a;

-- refutes: case / each branch is checked under its own condition only
-- case: NULL in c
select case when bio is not null then first_value(bio) over (order by id) else 'x' end as c from a;

-- refutes: json / no input is NULL
-- case: NULL in c
select json_scalar(bio) as c from a;

-- refutes: scalar-subquery / the column of the subquery is not NULL
-- case: NULL in c
select (select max(id) from a where id > 99) as c;

-- refutes: scalar-subquery / the subquery returns a row
-- case: NULL in c
select (select id from a where id > 99) as c;

-- refutes: subquery-comparison / no input is NULL
-- case: NULL in c
select bio in (select name from a) as c from a;

-- refutes: total-function / no input is NULL
-- case: NULL in c
select upper(bio) as c from a;

-- refutes: total-function / the function returns NULL only for NULL arguments
-- case: NULL in c
select array_length(arr, 2) as c from a;

-- refutes: never-null-function / the compiler lists the function as never NULL
-- case: NULL in c
select json_build_object('a', 1) -> 'b' as d, to_json(bio) as e, array_position(arr, 9) as c from a;

-- refutes: never-null-function / no VARIADIC array
-- case: NULL in c
select concat(variadic null::text[]) as c;

-- refutes: any-argument-function / at least one input is not NULL
-- case: NULL in c
select array_cat(null::int[], null) as c;

-- refutes: first-argument-function / no input is NULL
-- case: NULL in c
select concat_ws(bio, 'x', 'y') as c from a;

-- refutes: first-argument-function / no VARIADIC array
-- case: NULL in c
select concat_ws(',', variadic null::text[]) as c;

-- refutes: user-function / no input is NULL
-- case: NULL in c
select passes(null) as c;

-- refutes: user-function / the arguments of a strict function are not NULL
-- case: NULL in c
select strict_zero(null) as c;

-- refutes: user-function / the body of the function returns a row
-- case: NULL in c
select perhaps(id) as c from a;

-- refutes: user-function / no function of the statement changes which table a name refers to
-- case: NULL in c
select set_config('search_path', 'elsewhere', true) as s, names_by_sql() as c;

-- refutes: procedural-function / no function of the statement changes which table a name refers to
-- case: NULL in c
select set_config('search_path', 'elsewhere', true) as s, names_by_plpgsql() as c;

-- refutes: procedural-function / no input is NULL
-- case: NULL in c
select branches(1) as c;

-- refutes: procedural-function / the query of a RETURN with a value returns a row
-- case: NULL in c
select looked_up(-1) as c;

-- refutes: value-set / no other set-returning function in the select list returns more rows
-- case: NULL in c
select generate_series(1, 3), generate_series(1, 2) as c;

-- refutes: value-set / the compiler lists the function as never NULL
-- case: NULL in c
select json_array_elements_text('[null]') as c;

-- refutes: array-comparison / no input is NULL
-- case: NULL in c
select bio = any (array['x']) as c from a;

-- refutes: array-comparison / the operator never returns NULL
-- case: NULL in c
select '1'::pair2 = any (array['2'::pair2]) as c;

-- refutes: array-comparison / the elements of the array are not NULL
-- case: NULL in c
select 7 = any (arr) as c from a;

-- refutes: json-exists / no input is NULL
-- case: NULL in c
select json_exists(bio::jsonb, '$.a') as c from a where id = 1;

-- refutes: json-exists / ON ERROR is not UNKNOWN
-- case: NULL in c
select json_exists(jsonb '{}', 'strict $.a' unknown on error) as c;

-- refutes: moment-field / no input is NULL
-- case: NULL in c
select extract(year from bio::date) as c from a where id = 1;

-- refutes: moment-field / the field has a value for an infinite date or interval
-- case: NULL in c
select extract(day from date 'infinity') as c;

-- refutes: subscript / no input is NULL
-- case: NULL in c
select (array[bio])[1] as c from a;

-- refutes: subscript / the index is within the array
-- case: NULL in c
select (array[name])[2] as c from a;

-- refutes: constant / the field of a constant row is not NULL
-- case: NULL in c
select ('(1,)'::halves).r as c;

-- refutes: constant-expression / none of the possible results is NULL
-- case: NULL in c
select scale(case when id > 1 then 1.5 else 'NaN' end) as c from a;

-- refutes: constant-expression / all functions of the expression are immutable
-- case: NULL in c
select nullif(to_timestamp(1704110400)::date, make_date(2024, 1, 2)) as c;

-- refutes: constant-expression / no collation affects the result
-- case: NULL in c
select case when lower('É' collate "C") = 'É' and lower('É' collate pg_c_utf8) = 'é' then null else 1 end as c;

-- refutes: array-dimension / no input is NULL
-- case: NULL in c
select array_length(array_agg(id), 1) as c from a where id > 99;

-- refutes: array-dimension / the array has this dimension
-- case: NULL in c
select array_length(array['{}'::int[]], 1) as c;

-- refutes: range-bound / no input is NULL
-- case: NULL in c
select lower(int4range(null, null)) as c;

-- refutes: range-bound / the other bound of the range is the constant NULL
-- case: NULL in c
select lower(int4range(id, id)) as c from a;

-- refutes: json-member / no input is NULL
-- case: NULL in c
select jsonb_build_object('k', bio) ->> 'k' as c from a where id = 1;

-- refutes: json-member / the document has this member
-- case: NULL in c
select jsonb_build_object('k', id) -> 'j' as c from a;

-- refutes: json-member / the member's SQL value is not json or jsonb
-- case: NULL in c
select jsonb_build_object('k', 'null'::jsonb) ->> 'k' as c;
