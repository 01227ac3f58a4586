-- Arrays of recursive queries and set operations, and lists that may hold None.

create table n (id int primary key, up int, tag text, arr int[] not null);
insert into n values (1, null, null, '{1,NULL}'), (2, 1, 'x', '{}');

-- case: NULL inside p
with recursive r (i, p) as (select id, array[up] from n where up is null union all
    select n.id, r.p || n.id from n join r on n.up = r.i) select p from r;

-- case: NULL inside p
with recursive r (i, p) as (select id, array[tag] from n where id = 2 union all
    select n.id, r.p || n.tag from n join r on n.id = r.i - 1) select p from r;

-- case: NULL inside p
with recursive r (i, p, q) as (select 1, array[1], '{NULL}'::int[] union all
    select i + 1, q, p from r where i < 3) select p from r;

-- case: NULL inside p
with recursive r (i, p, x) as (select 1, array[1], null::int union all
    select i + 1, p || x, x from r where i < 3) select p from r;

-- case: NULL inside p
with recursive r (i, p) as (select 1, array[1] union all
    select i + 1, p || (array[i])[9] from r where i < 3) select p from r;

-- case: NULL inside p
with recursive r (i, p) as (select 1, array[1] union all
    select i + 1, p || e from r left join lateral (select 1 as e where false) l on true where i < 3)
    select p from r;

-- case: NULL inside p
with recursive r (i, p) as (select 1, array[1] union all
    select i + 1, array_cat(p, n.arr) from r join n on n.id = 1 where i < 3) select p from r;

-- case: NULL in c
with recursive r (i, p) as (select 1, array[1] union all
    select i + 1, p || null::int from r where i < 3) select unnest(p) as c from r;

-- case: NULL inside c
select c from (select array[1] as c union all (select array[1] union all select arr from n)) q;

-- case: NULL inside c
with q as (select array[1] as c union all select arr from n) select c from q;

-- case: NULL inside c
select c from n left join (select array[up] as c from n union all select array[2]) q on true;

-- case: NULL in c with {NULL}
select u as c from n, unnest($1::int[]) as u where arr <> $1;

-- case: NULL in c with {NULL}
select ($1::int[])[1] as c from n where arr is distinct from $1;

-- case: NULL in c with {NULL}
select 5 = any ($1::int[]) as c from n where arr <> $1;

-- case: NULL inside c with {NULL}
with w as (insert into n (id, arr) values (9, $1) returning arr) select arr || $1 as c from w;

-- case: NULL in tag with {NULL}
insert into n (id, tag, arr) select 9, t, '{}' from unnest($1::text[]) t returning tag;

-- case: NULL in t with {NULL}
update n set tag = u.t from (select * from unnest($1::text[]) as x (t)) u returning u.t;

-- case: NULL in c with {NULL}
with w as (update n set tag = x.t from unnest($1::text[]) as x (t) returning 1)
    select y as c from unnest($1) as y, w;
