-- What RETURNING shows is the new row; what SET and WHERE see is the old one.

create table t (id int primary key, a int, b int, g int generated always as (nullif(a, 7)) stored);
create table sliced (id int, v int) partition by list (id);
create table one partition of sliced for values in (1);
create table two partition of sliced for values in (2);
create function unset() returns trigger language plpgsql as $$ begin new.v := null; return new; end $$;
create trigger unset before insert on two for each row execute function unset();
create view seen as select id, a from t;
create function unset_a() returns trigger language plpgsql as $$ begin new.a := null; return new; end $$;
create view handled as select id, a from t;
create trigger unset_a instead of insert on handled for each row execute function unset_a();
insert into t (id, a, b) values (1, null, null), (2, 7, 5);
insert into sliced values (1, 5);

-- case: NULL in b
update t set a = 1 where a is null returning b;

-- case: NULL in a
update t set a = b, b = 1 where id = 1 returning a;

-- case: NULL in a
update t set a = (select x.b from t x where x.id = t.id), b = 2 where b is null returning a;

-- case: NULL in a
update t set a = 1 where a is null returning old.a as a;

-- case: NULL in g
update t set a = 7 where id = 2 returning g;

-- case: NULL in g
update t set b = 1 where a = 7 and g is null returning g;

-- case: NULL in v
update sliced set id = 2 where v = 5 returning v;

-- case: NULL in v
update sliced set id = 2, v = 9 returning v;

-- case: NULL in a
insert into handled values (9, 9) returning a;

-- case: NULL in a
insert into t (id, a) values (1, 5) on conflict (id) do update set a = t.b returning a;

-- case: NULL in b
insert into t (id, a, b) values (1, 5, 6) on conflict (id) do update set a = excluded.a returning b;

-- case: NULL in b
insert into t (id, a) values (1, 5) on conflict (id) do update set b = excluded.b returning b;

-- case: NULL in c
insert into t (id, a) values (9, 5) returning (select x.a from t x where x.id = 1) as c;

-- case: NULL in c
merge into t using (values (1), (9)) v (k) on v.k = t.id
when matched then delete when not matched then insert values (9, 1, 1) returning new.id as c;

-- case: NULL in c
merge into t using (values (1), (9)) v (k) on v.k = t.id
when matched then update set a = 2 when not matched then insert values (9, 1, 1) returning old.id as c;
