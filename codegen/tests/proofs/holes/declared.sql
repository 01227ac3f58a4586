-- What a schema declares, and the server does not keep.

create table unkept (arr int[] not null, check (array_position(arr, null) is null) not enforced);
create table later (arr int[] not null);
create table spans (id int4range, during daterange, primary key (id, during without overlaps));
create table made (a int, twice int generated always as (nullif(a, 1)) virtual);
create table changed (id int primary key, note text default 'x');
create function forget() returns trigger language plpgsql as $$ begin new.note := null; return new; end $$;
create trigger forget before insert or update on changed for each row execute function forget();
create table slot (id int not null, k int not null, note text);
create unique index slot_half on slot (id) where note is not null;
create unique index slot_abs on slot (abs(id), k);
create view shown as select id, note from changed;
create function answers() returns trigger language plpgsql as $$ begin new.id := null; return new; end $$;
create trigger answers instead of insert on shown for each row execute function answers();
insert into unkept values ('{NULL}');
insert into later values ('{NULL}');
alter table later add check (array_position(arr, null) is null) not valid;
insert into spans values ('[1,2)', '[2024-01-01,2024-02-01)'), ('[1,2)', '[2024-02-01,2024-03-01)');
insert into made values (1);
insert into changed values (1, 'x');
insert into slot values (1, 1, null), (1, 2, 'x'), (-1, 3, null);

-- case: NULL inside arr
select arr from unkept;

-- case: NULL inside arr
select arr from later;

-- case: many
select * from spans where id = '[1,2)';

-- case: NULL in twice
select twice from made;

-- case: NULL in note
insert into changed (id) values (2) returning note;

-- case: NULL in note
update changed set note = 'y' where note is null returning note;

-- case: NULL in id
insert into shown values (3, 'x') returning id;

-- case: many
select * from slot where id = 1;

-- case: many
select * from slot where abs(id) = 1;

-- case: NULL in x
select x from json_table('[{"a": null}]', '$[*]' columns (x int path '$.a')) t;

-- case: empty
with i as (insert into shown values (3, 'x') returning id) select id from i where id is not null;

-- case: empty
with i as (delete from slot where id = 99 returning id) select id from i;

-- case: NULL in c
select (select max(x) from unnest(arr) x) as c from unkept;

-- case: NULL in c
select mode() within group (order by id) as c from slot where id > 99;
