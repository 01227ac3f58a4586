-- name: types
select t.oid::int8 as oid, n.nspname as schema, t.typname as name, t.typtype::text as kind,
       coalesce(e.oid, 0)::int8 as element,
       t.typbasetype::int8 as base, t.typtypmod as typmod, t.typnotnull as not_null, t.typrelid::int8 as relation,
       t.typcollation::int8 as collation, t.typndims as dims,
       coalesce(r.rngsubtype, m.rngsubtype, 0)::int8 as subtype
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_type e on e.typarray = t.oid and t.typlen = -1
left join pg_range r on r.rngtypid = t.oid
left join pg_range m on m.rngmultitypid = t.oid

-- name: enum_labels
select enumtypid::int8 as type, array_agg(enumlabel order by enumsortorder) as labels from pg_enum group by enumtypid

-- name: relations
select c.oid::int8 as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind,
       c.relpersistence = 'p' as permanent, coalesce(d.description, '') as comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname not like 'pg_temp%'

-- name: attributes
select a.attrelid::int8 as relation, a.attnum as number, a.attname as name, a.atttypid::int8 as type,
       a.atttypmod as typmod, a.attnotnull as not_null, a.attndims as dims, a.attcollation::int8 as collation,
       (a.atthasdef or a.attidentity <> '') as has_default, a.attgenerated <> '' as generated,
       a.attgenerated = 'v' as virtual,
       coalesce(d.description, '') as comment
from pg_attribute a
join pg_class c on c.oid = a.attrelid
left join pg_description d
       on c.oid >= 16384 and d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = a.attnum
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
  and (c.oid >= 16384 or (a.attnotnull and c.relkind = 'r'))
order by a.attrelid, a.attnum

-- name: constraints
select con.oid::int8 as oid, n.nspname as schema, con.conname as name, con.contype::text as kind, con.conrelid::int8 as relation,
       con.confrelid::int8 as foreign_relation, coalesce(con.conkey, '{}')::int4[] as columns,
       coalesce(con.confkey, '{}')::int4[] as foreign_columns,
       con.convalidated and not exists (
         select from pg_trigger t where t.tgconstraint = con.oid and t.tgenabled in ('D', 'R')) as validated,
       coalesce(pg_get_constraintdef(con.oid), '') as definition,
       con.conbin is null or (
         con.conbin::text !~ 'SQLVALUEFUNCTION|COERCEVIAIO|NEXTVALUEEXPR'
         and not exists (
           select from regexp_matches(con.conbin::text, ':(?:op)?funcid (\d+)', 'g') f
           left join pg_proc p on p.oid = f[1]::oid
           where p.provolatile is distinct from 'i' or p.oid >= 16384)) as settled,
       con.condeferrable as deferrable,
       exists (select from pg_constraint k
               where k.oid = con.conparentid and k.contype = 'f' and k.confrelid <> con.confrelid) as of_partition
from pg_constraint con
join pg_namespace n on n.oid = con.connamespace
where con.conrelid <> 0 and n.nspname not in ('pg_catalog', 'information_schema')

-- name: domain_checks
select contypid::int8 as type, pg_get_constraintdef(oid) as definition
from pg_constraint where contypid >= 16384 and contype = 'c'

-- name: partition_bounds
select i.inhparent::int8 as relation, k::int4 as column, pg_get_expr(c.relpartbound, c.oid) as definition
from pg_inherits i
join pg_class c on c.oid = i.inhrelid
join pg_partitioned_table p on p.partrelid = i.inhparent
cross join unnest(p.partattrs::int2[]) k
where c.relispartition

-- name: indexes
select i.indrelid::int8 as relation, c.relname as name, (i.indkey::int2[])::int4[] as columns, i.indnkeyatts as keys,
       coalesce(i.indexprs::text, '') as expressions, coalesce(i.indpred::text, '') as predicate,
       i.indnullsnotdistinct as nulls_not_distinct,
       array(select k::int8 from unnest(i.indcollation::oid[]) k) as collations,
       array(select o.opcfamily::int8 from unnest(i.indclass::oid[]) with ordinality k(oid, n)
             join pg_opclass o on o.oid = k.oid order by k.n) as families,
       array(select o.opcintype::int8 from unnest(i.indclass::oid[]) with ordinality k(oid, n)
             join pg_opclass o on o.oid = k.oid order by k.n) as inputs
from pg_index i
join pg_class c on c.oid = i.indexrelid
where i.indisunique and i.indisvalid and i.indisready and i.indimmediate and not i.indisexclusion

-- name: inheritance
select inhparent::int8 as parent, inhrelid::int8 as child from pg_inherits

-- name: triggers
select tgrelid::int8 as relation, tgtype as type, tgfoid::int8 as function,
       array_remove(array[tgoldtable, tgnewtable], null)::text[] as transitions from pg_trigger
where not tgisinternal and tgenabled <> 'D'

-- name: functions
select p.oid::int8 as oid, n.nspname as schema, p.proname as name, p.proisstrict as strict, p.proretset as set,
       p.provolatile::text as volatility, p.prokind::text as kind, p.prorettype::int8 as result,
       case when p.proargmodes is null then coalesce(p.proargnames, '{}') else
           array(select coalesce(a.name, '') from unnest(p.proargnames, p.proargmodes) with ordinality a(name, mode, n)
                 where a.mode in ('i', 'b', 'v') order by a.n) end as arguments,
       exists (select from unnest(p.proconfig) s where s not like 'search_path=%') as configured,
       (select substr(s, 13) from unnest(p.proconfig) s where s like 'search_path=%') as path,
       case when p.oid < 16384 then '' else coalesce(p.prosqlbody::text, '') end as body,
       case when p.oid < 16384 then '' else l.lanname end as language,
       case when p.oid < 16384 then '' else coalesce(p.prosrc, '') end as source,
       case when p.oid < 16384 then '{}' else
           array(select o.type::int8 from unnest(p.proallargtypes, p.proargmodes) with ordinality o(type, mode, n)
                 where o.mode in ('o', 'b', 't') order by o.n) end as outputs,
       p.pronargs::int4 as inputs
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang

-- name: equalities
select op.oid::int8 as operator, array_agg(am.amopfamily::int8) as families,
       op.oprleft::int8 as left, op.oprright::int8 as right
from pg_operator op
join pg_amop am on am.amopopr = op.oid
join pg_am on pg_am.oid = am.amopmethod
where (pg_am.amname = 'btree' and am.amopstrategy = 3) or (pg_am.amname = 'hash' and am.amopstrategy = 1)
group by op.oid

-- name: untrusted_families
select a.amprocfamily::int8 as oid from pg_amproc a join pg_proc p on p.oid = a.amproc
join pg_language l on l.oid = p.prolang where l.lanname not in ('internal', 'c')
union
select a.amopfamily::int8 from pg_amop a join pg_operator o on o.oid = a.amopopr join pg_proc p on p.oid = o.oprcode
join pg_language l on l.oid = p.prolang where l.lanname not in ('internal', 'c')

-- name: nondeterministic
select oid::int8 as oid from pg_collation where not collisdeterministic

-- name: json_casts
select castsource::int8 as oid from pg_cast
where castmethod = 'f' and casttarget in ('json'::regtype, 'jsonb'::regtype) and castsource >= 16384

-- name: reserved_words
select word as name from pg_get_keywords() where catcode in ('R', 'T')

-- name: operators
select oid::int8 as oid, oprname as name, oprcode::int8 as function from pg_operator where oid >= 16384

-- name: trees
select contypid::int8 as owner, conbin::text as tree from pg_constraint where contypid >= 16384 and contype = 'c'
union all
select polrelid::int8, polqual::text from pg_policy where polcmd in ('r', '*') and polqual is not null

-- name: set_off
with classes as (
  select opcintype as owner, opcfamily from pg_opclass where oid >= 16384 and opcdefault
  union all
  select r.rngtypid, o.opcfamily from pg_range r join pg_opclass o on o.oid = r.rngsubopc where o.oid >= 16384
  union all
  select i.indrelid, o.opcfamily from pg_index i cross join unnest(i.indclass::oid[]) k
  join pg_opclass o on o.oid = k where k >= 16384
  union all
  select t.partrelid, o.opcfamily from pg_partitioned_table t cross join unnest(t.partclass::oid[]) k
  join pg_opclass o on o.oid = k where k >= 16384
  union all
  select amopopr, amopfamily from pg_amop where amopopr >= 16384
)
select distinct owner::int8 as owner, function::int8 as function from (
  select aggfnoid::oid as owner, function from pg_aggregate
  cross join unnest(array[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn,
                          aggminvtransfn, aggmfinalfn]::oid[]) function where aggfnoid >= 16384
  union all
  select oid, function from pg_type
  cross join unnest(array[typinput, typoutput, typreceive, typsend, typsubscript]::oid[]) function where oid >= 16384
  union all
  select owner, castfunc from pg_cast cross join unnest(array[castsource, 0]) owner where pg_cast.oid >= 16384
  union all
  select rngtypid, function from pg_range
  cross join unnest(array[rngcanonical, rngsubdiff]::oid[]) function where rngtypid >= 16384
  union all
  select c.owner, p.amproc from classes c join pg_amproc p on p.amprocfamily = c.opcfamily
  union all
  select c.owner, o.oprcode from classes c join pg_amop a on a.amopfamily = c.opcfamily
  join pg_operator o on o.oid = a.amopopr
) found
where function >= 16384 or (owner >= 16384 and owner in (select aggfnoid::oid from pg_aggregate) and function <> 0)
