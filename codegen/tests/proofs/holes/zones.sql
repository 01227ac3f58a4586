-- A set operation casts its arms, and two local times can be one moment.

create table moments (t timestamp primary key);
set timezone = 'Europe/Berlin';
insert into moments values ('2024-03-31 02:30'), ('2024-03-31 03:30');

-- case: many with 2024-03-31 03:30+02
select t from (select t from moments except all select null::timestamptz) s where t = $1;

-- case: NULL in c
select nullif(timestamptz '2024-01-01 00:00+00', timestamptz '2024-01-01 01:00') as c;
