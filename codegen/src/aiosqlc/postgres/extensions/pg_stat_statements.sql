create function pg_stat_statements(showtext boolean, out userid oid, out dbid oid, out toplevel boolean, out queryid bigint,
    out query text, out plans bigint, out total_plan_time double precision, out min_plan_time double precision,
    out max_plan_time double precision, out mean_plan_time double precision, out stddev_plan_time double precision,
    out calls bigint, out total_exec_time double precision, out min_exec_time double precision,
    out max_exec_time double precision, out mean_exec_time double precision, out stddev_exec_time double precision,
    out rows bigint, out shared_blks_hit bigint, out shared_blks_read bigint, out shared_blks_dirtied bigint,
    out shared_blks_written bigint, out local_blks_hit bigint, out local_blks_read bigint, out local_blks_dirtied bigint,
    out local_blks_written bigint, out temp_blks_read bigint, out temp_blks_written bigint,
    out shared_blk_read_time double precision, out shared_blk_write_time double precision,
    out local_blk_read_time double precision, out local_blk_write_time double precision,
    out temp_blk_read_time double precision, out temp_blk_write_time double precision, out wal_records bigint,
    out wal_fpi bigint, out wal_bytes numeric, out stats_since timestamptz, out minmax_stats_since timestamptz)
    returns setof record language plpgsql volatile strict as 'begin return; end';
create view pg_stat_statements as select * from pg_stat_statements(true);
create view pg_stat_statements_info as select null::bigint as dealloc, null::timestamptz as stats_reset;
create function pg_stat_statements_reset(userid oid default 0, dbid oid default 0, queryid bigint default 0,
    minmax_only boolean default false) returns timestamptz language sql strict return null::timestamptz
