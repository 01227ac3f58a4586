-- Constants compared, and what is read from documents, arrays and ranges made in the query.

create table t (id int primary key, n int not null, x int, name text not null);
create function doc_key() returns text language sql immutable return 'k';
insert into t values (1, 1, null, 'x');

-- case: NULL in c
select nullif(1.0, 1.00) as c;

-- case: NULL in c
select nullif('a'::char(4), 'a '::char(4)) as c;

-- case: NULL in c
select nullif(1::numeric(9, 2), 1.0) as c;

-- case: NULL in c
select nullif('-0'::float8, '0'::float8) as c;

-- case: NULL in c
select nullif('a' collate "C", 'a') as c;

-- case: NULL in c
select nullif('{1}'::int[], '{1}'::int[]) as c;

-- case: NULL in c
select nullif(1, 1::bigint) as c;

-- case: NULL in c
select nullif('NaN'::numeric, 'nan'::numeric) as c;

-- case: NULL in c
select nullif(-10000.0, -1e4) as c;

-- case: NULL in c
select case null::int when 1 then 1 when null then 2 end as c;

-- case: NULL in c
select case when null::int is distinct from 1 then null else 1 end as c;

-- case: NULL in c
select case when null::int is distinct from null::int then 1 end as c;

-- case: NULL in c
select jsonb_build_object('k', n, 'k', x) ->> 'k' as c from t;

-- case: NULL in c
select jsonb_build_object('k', x) ->> 'k' as c from t;

-- case: NULL in c
select jsonb_build_object('k', to_jsonb(x)) ->> 'k' as c from t;

-- case: NULL in c
select (jsonb_build_object('k', x) -> 'k')::int as c from t;

-- case: NULL in c
select jsonb_build_object(doc_key(), 1, 'j', 2) -> 'i' as c;

-- case: NULL in c
select jsonb_build_object('a', n) -> 'A' as c from t;

-- case: NULL in c
select json_value(jsonb_build_object('k', x), '$.k') as c from t;

-- case: NULL in c
select json_value(jsonb_build_object('k', name), '$.k' returning int) as c from t;

-- case: NULL in c
select json_value(jsonb_build_object('k', 1), '$.j' returning int) as c;

-- case: NULL in c
select json_query(jsonb_build_object('k', 1), '$.k.k') as c;

-- case: NULL in c
select json_query(jsonb_build_object('k', name), '$.k' returning jsonb omit quotes) as c from t;

-- case: NULL in c
select json_query(jsonb_build_object('k', n), '$.k' returning int with wrapper) as c from t;

-- case: NULL in c
select json_query(jsonb_build_object('k', 1), '$.k[1]') as c;

-- case: NULL in c
select json_query(jsonb_build_object('k', 1), '$.kk') as c;

-- case: NULL in c
select json_query(jsonb_build_object('k', 1), '$[*] ? (@.k > 1)') as c;

-- case: NULL in c
select json_query(jsonb_build_object('k', 1), 'null.k') as c;

-- case: NULL in c
select json_query(jsonb_build_object('k', n), 'strict $.**{2}') as c from t;

-- case: NULL in c
select json_value(jsonb_build_object('k', jsonb_build_array(n)), '$.k') as c from t;

-- case: NULL in c
select json_value(jsonb_build_object('k', array[n]), '$.k') as c from t;

-- case: NULL in c
select array_length(array[array[1], array[2]], 3) as c;

-- case: NULL in c
select array_length('{}'::int[], 1) as c;

-- case: NULL in c
select array_upper(array_agg(n), 2) as c from t group by id;

-- case: NULL in c
select array_length(array_agg(n) filter (where x > 1), 1) as c from t group by id;

-- case: NULL in c
select upper(int4range(n, null)) as c from t;

-- case: NULL in c
select lower(int4range(x, null)) as c from t;

-- case: NULL in c
select lower(daterange('2024-01-01', '2024-01-01')) as c;

-- case: NULL in c
select lower(numrange(1, 1, '()')) as c;

-- case: NULL in c
select case when n is not null then max(x) else 0 end as c from t group by rollup (n);

-- case: NULL in c
select case when n is null then max(name) else 'x' end as c from t where id > 9 group by cube (n);

-- case: NULL in c
select case when n is not null then sum(x + n) else 0 end as c from t group by grouping sets ((n), ());

-- case: NULL in c
select case when n is not null then max(n) filter (where n > 9) end as c from t group by rollup (n);

-- case: NULL in c
select case when (select true) and n is not null then (select max(x) from t i where i.n = t.n) else 0 end as c
    from t group by rollup (n);
