-- Arrays of arrays have the elements of the inner ones; an array of empty arrays has none.

create table t (id int primary key, tags int[] not null, x int);
create domain tagged as int[];
create table d (id int primary key, tags tagged not null);
insert into t values (1, '{NULL}', null);
insert into d values (1, '{NULL}');

-- case: NULL in c
select unnest(array_agg(tags)) as c from t;

-- case: NULL in c
select unnest(array(select tags from t)) as c;

-- case: NULL in c
select unnest(array_agg(tags)) as c from d;

-- case: NULL in c
select c from (select array_agg(tags) a from t group by id) s, unnest(a) c;

-- case: NULL inside c
select array_agg(tags) as c from t group by id;

-- case: NULL inside c
select array_agg(array[id, x]) as c from t group by id;

-- case: NULL inside c
select array[tags] as c from t;

-- case: NULL in c
select unnest(array[tags, tags]) as c from t;

-- case: NULL in c
select 1 = any (array(select tags from t)) as c;

-- case: NULL in c
select 1 = any (array_agg(tags)) as c from t group by id;

-- case: NULL in c with {}
select x as c from t where x <> all (array[$1::int[]]);

-- case: NULL in c with {}
select x as c from t where not (x = any (array[$1::int[], $1::int[]]));

-- case: NULL in c with {}
select x as c from t where (x > any (array[$1::int[]])) is not null;
