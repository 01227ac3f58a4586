-- One expression grouped twice: the server puts out each for itself.

create table t (n int not null, m int not null);
create table e (id int primary key, name text not null);
insert into t values (1, 1);
insert into e values (1, 'x');

-- case: NULL in a2
select n as a1, n as a2 from t group by a1, rollup (a2);

-- case: NULL in a2
select n as a1, n as a2 from t group by grouping sets ((a1, a2), (a1));

-- case: NULL in b
select n as a, n + 0 as b, n + 0 as c from t group by grouping sets ((a, b), (a, c));

-- case: NULL in a2
select n as a1, t.n as a2 from t join (select n from t) u using (n) group by a1, rollup (a2);

-- case: NULL in a2
select n as a1, n as a2 from t group by a1, rollup (a2) having n is not null;

-- case: NULL in a2
select 1 as a1, 1 as a2, count(*) from t group by a1, rollup (a2);

-- case: NULL in a2
select n, n as a2 from t group by 1, rollup (2);

-- case: NULL in a2
select n as a1, n as a2 from t group by a1, rollup (a2) having count(*) > 0;

-- case: NULL in a2
select a2 from (select n as a1, n as a2 from t group by a1, rollup (a2)) s;

-- case: NULL in a2
select n as a1, n as a2, m from t group by a1, cube (a2, m);

-- case: NULL in a2
select upper(n::text) as a1, upper(n::text) as a2 from t group by a1, rollup (a2);
