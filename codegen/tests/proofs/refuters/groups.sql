-- Aggregates, windows and arrays.

create table a (id int primary key, name text not null, bio text, n int not null);
create table t (id int primary key, arr int[] not null, js jsonb not null);
insert into a values (1, 'x', null, 1), (2, 'y', null, 2), (3, 'z', 'b', 3);
insert into t values (1, '{1,NULL}', 'null');

-- refutes: aggregate / no input is NULL
-- case: NULL in c
select max(bio) as c from a group by name;

-- refutes: aggregate / every group has a row
-- case: NULL in c
select max(n) as c from a where id > 9;

-- refutes: aggregate / no FILTER
-- case: NULL in c
select max(n) filter (where id > 9) as c from a group by name;

-- refutes: aggregate / the aggregate is NULL only if all its inputs are NULL
-- case: NULL in c
select stddev(n) as c from a group by name;

-- refutes: filter / the proof relies on no WHEN of a CASE around the aggregate
-- case: null at c[]
select case when bio is not null then json_agg(bio) over () end as c from a;

-- refutes: window / no input is NULL
-- case: NULL in c
select max(bio) over (partition by id) as c from a;

-- refutes: window / the function has a default value for the edge of the window
-- case: NULL in c
select lag(n) over (order by id) as c from a;

-- refutes: window / no FILTER
-- case: NULL in c
select max(n) filter (where id > 9) over () as c from a;

-- refutes: window / the window frame contains the current row
-- case: NULL in c
select max(n) over (order by id rows between 2 preceding and 1 preceding) as c from a;

-- refutes: array-constructor / no input is NULL
-- case: NULL inside c
select array[name, bio] as c from a;

-- refutes: array-subquery / the aggregated value is not an array
-- case: NULL inside c
select array(select arr from t) as c;

-- refutes: array-collected / no input is NULL
-- case: NULL inside c
select array_agg(bio) as c from a group by id;

-- refutes: array-collected / no input is NULL
-- case: NULL inside c
select array_agg(bio) over (order by id) as c from a;

-- refutes: array-collected / the aggregated value is not an array
-- case: NULL inside c
select array_agg(arr) over () as c from t;

-- refutes: array-collected / the aggregated value is not an array
-- case: NULL inside c
select array_agg(arr) as c from t group by id;

-- refutes: array-alternatives / no input is NULL
-- case: NULL inside c
select coalesce(arr, array[1]) as c from t;

-- refutes: array-constant / no null bitmap
-- case: NULL inside c
select '{1,NULL}'::int[] as c;

-- refutes: array-cast / the cast never returns NULL
-- case: NULL inside c
select array_agg(js)::int[] as c from t group by id;

-- refutes: array-function / string_to_array() gets no null string
-- case: NULL inside c
select string_to_array('a,b', ',', 'b') as c;

-- refutes: list-parameter / the parameter does not accept None as an element
-- case: NULL inside c with {NULL}
select $1::int[] as c from t where arr <> $1;

-- refutes: array-joined / no input is NULL
-- case: NULL inside c
select array[id] || null::int as c from a;

-- refutes: array-set-operation / no input is NULL
-- case: NULL inside c
select c from (select array[1] as c union all select arr from t) q;

-- refutes: array-recursion / the recursive term returns no NULL if its input contains no NULL
-- case: NULL inside p
with recursive r (i, p) as (select 1, array[1] union all select i + 1, p || null::int from r
    where i < 3) select p from r;

-- refutes: array-check / a validated CHECK constraint excludes NULL
-- case: NULL inside arr
select arr from t;

-- refutes: group-key / the key is not NULL
-- case: NULL in c
select case when n is null then max(n) else 0 end as c from a where id > 9 group by rollup (n);
