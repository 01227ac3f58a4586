-- Where a column comes from.

create table a (id int primary key, name text not null, bio text, grp int not null);
create table b (id int primary key, aid int not null, x int);
create table np (id int primary key, v int);
create table late (v int);
insert into late values (null);
alter table late add constraint late_v not null v not valid;
create table parent (id int, note text, constraint nn not null note no inherit);
create table child () inherits (parent);
create type shade;
create function shade_in(cstring) returns shade language internal immutable strict as 'textin';
create function shade_out(shade) returns cstring language internal immutable strict as 'textout';
create type shade (input = shade_in, output = shade_out, like = text, category = 'S');
create function faded(shade) returns text language sql immutable strict as 'select null::text';
create cast (shade as text) with function faded(shade) as implicit;
create table own (id int primary key, v int, w int);
create table turned (id int primary key, v int, w int);
create function turn() returns trigger language plpgsql as $$ begin new.v := null; return new; end $$;
create trigger turn before insert or update on turned for each row execute function turn();
insert into own values (1, null, 1);
insert into turned values (1, 1, 1);
alter table turned disable trigger turn;
update turned set v = 1;
alter table turned enable trigger turn;
insert into a values (1, 'x', null, 1), (2, 'y', null, 1);
insert into b values (1, 1, null);
insert into np values (1, 1);
insert into child values (1, null);

-- refutes: column / every outer join found a match
-- case: NULL in c
select b.aid as c from a left join b on b.aid = a.id;

-- refutes: column / the grouping key appears in every grouping set
-- case: NULL in c
select grp as k, grp as c from a group by k, rollup (c);

-- refutes: column / the column's row (OLD, NEW or source) exists for the statement's action
-- case: NULL in c
insert into a values (9, 'z', null, 1) returning old.name as c;

-- refutes: column / the column's row (OLD, NEW or source) exists for the statement's action
-- case: NULL in c
merge into a using b on a.id = b.id when not matched by source then delete returning b.aid as c;

-- refutes: column-constraint / the column is declared NOT NULL
-- case: NULL in c
select bio as c from a;

-- refutes: column-constraint / every child table has the constraint too
-- case: NULL in c
select note as c from parent;

-- refutes: column-constraint / the constraint is validated
-- case: NULL in v
select v from late;

-- refutes: values / no input is NULL
-- case: NULL in c
select c from (values (1), (null)) t (c);

-- refutes: merged-column / no input is NULL
-- case: NULL in x
select x from (select 1 as x) s full join (select null::int as x) t using (x);

-- refutes: set-operation / no input is NULL
-- case: NULL in c
select name as c from a union all select bio from a;

-- refutes: set-operation / at least one input is not NULL
-- case: NULL in c
select bio as c from a intersect select bio from a;

-- refutes: set-operation / no user-defined cast
-- case: NULL in c
select 'x'::text as c union all select 'dark'::shade;

-- refutes: array-set-operation / the elements of the arrays are not cast
-- case: NULL inside c
select c from (select array['x'::text] as c union all select array['dark'::shade]) q;

-- refutes: recursion / the recursive term returns no NULL if its input contains no NULL
-- case: NULL in m
with recursive r (n, m, k) as (select 1, 1, null::int union all select n + 1, k, null from r
    where n < 3) select m from r;

-- refutes: function-column / no other function in ROWS FROM returns more rows
-- case: NULL in x
select x from rows from (jsonb_each('{}'), generate_series(1, 2)) t (x, y, z);

-- refutes: function-column / the compiler lists the column as never NULL
-- case: NULL in v
select v from jsonb_each_text('{"a": null}') t (k, v);

-- refutes: condition / the function is strict
-- case: NULL in bio
select bio from a where concat(bio, 'x') = 'x';

-- refutes: condition / the array has an element
-- case: NULL in bio with {}
select bio from a where (bio = any ($1::text[])) is not null;

-- refutes: condition / the condition is true only if one of its comparisons is true
-- case: NULL in bio with {}
select bio from a where not (bio = any ($1::text[]));

-- refutes: condition / a second evaluation of the operand gives the same value
-- case: NULL in c
select nullif(random() < 0.5, g > 0) as c from generate_series(1, 99) g where
    nullif(random() < 0.5, g > 0) is not null;

-- refutes: condition / the condition refers to the returned row
-- case: NULL in x
update np set v = null where v is not null returning v as x;

-- refutes: assigned-value / no input is NULL
-- case: NULL in v
update own set v = nullif(w, 1) where id = 1 returning v;

-- refutes: assigned-value / no trigger changes the column
-- case: NULL in v
insert into turned values (2, 5, 5) returning v;

-- refutes: assigned-value / ON CONFLICT also sets the column
-- case: NULL in v
insert into own values (1, 5, 5) on conflict (id) do update set w = 2 returning v;

-- refutes: condition / no trigger changes the column
-- case: NULL in v
update turned set w = 2 where v = 1 returning v;

-- refutes: ordinality / the column is not in NESTED PATH
-- case: NULL in m
select j.m from json_table('[{}]', '$[*]' columns (n for ordinality, nested path '$.k[*]' columns (m for ordinality))) j;
