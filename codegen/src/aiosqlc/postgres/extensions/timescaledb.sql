create function create_hypertable(relation regclass, time_column_name name, partitioning_column name default null,
    number_partitions integer default null, associated_schema_name name default null, associated_table_prefix name default null,
    chunk_time_interval anyelement default null::bigint, create_default_indexes boolean default true,
    if_not_exists boolean default false, partitioning_func text default null, migrate_data boolean default false,
    chunk_target_size text default null, chunk_sizing_func text default null, time_partitioning_func text default null,
    out hypertable_id integer, out schema_name name, out table_name name, out created boolean)
    returns setof record language plpgsql as 'begin return; end';
create type timescaledb_dimension as (dimension text);
create function by_range(column_name name, partition_interval anyelement default null::bigint, partition_func text default null)
    returns timescaledb_dimension language plpgsql volatile as 'begin return null; end';
create function by_hash(column_name name, number_partitions integer, partition_func text default null)
    returns timescaledb_dimension language sql volatile return null::timescaledb_dimension;
create function create_hypertable(relation regclass, dimension timescaledb_dimension, create_default_indexes boolean default true,
    if_not_exists boolean default false, migrate_data boolean default false, out hypertable_id integer, out created boolean)
    returns setof record language plpgsql as 'begin return; end';
create function add_dimension(hypertable regclass, dimension timescaledb_dimension, if_not_exists boolean default false)
    returns setof record language plpgsql as 'begin return; end';
create function add_dimension(hypertable regclass, column_name name, number_partitions integer default null,
    chunk_time_interval interval default null, partitioning_func text default null, if_not_exists boolean default false)
    returns setof record language plpgsql as 'begin return; end';
create function set_chunk_time_interval(hypertable regclass, chunk_time_interval anyelement, dimension_name name default null)
    returns void language plpgsql as 'begin end';
create function add_retention_policy(relation regclass, drop_after anycompatible default null::interval, if_not_exists boolean default false,
    schedule_interval interval default null, initial_start timestamptz default null, timezone text default null,
    drop_created_before interval default null) returns integer language plpgsql volatile as 'begin return null; end';
create function remove_retention_policy(relation regclass, if_exists boolean default false) returns void language plpgsql as 'begin end';
create function add_compression_policy(hypertable regclass, compress_after anycompatible default null::interval, if_not_exists boolean default false,
    schedule_interval interval default null, initial_start timestamptz default null, timezone text default null,
    compress_created_before interval default null) returns integer language plpgsql volatile as 'begin return null; end';
create function remove_compression_policy(hypertable regclass, if_exists boolean default false) returns boolean language sql
    volatile return null::boolean;
create procedure add_columnstore_policy(hypertable regclass, after interval default null, if_not_exists boolean default false)
    language plpgsql as 'begin end';
create function add_continuous_aggregate_policy(continuous_aggregate regclass, start_offset anycompatible, end_offset anycompatible,
    schedule_interval interval, if_not_exists boolean default false, initial_start timestamptz default null,
    timezone text default null) returns integer language plpgsql volatile as 'begin return null; end';
create function remove_continuous_aggregate_policy(continuous_aggregate regclass, if_exists boolean default false) returns void
    language plpgsql as 'begin end';
create function add_reorder_policy(hypertable regclass, index_name name, if_not_exists boolean default false) returns integer
    language sql volatile return null::integer;
create function add_job(proc regproc, schedule_interval interval, config jsonb default null) returns integer language sql volatile
    return null::integer;
create procedure refresh_continuous_aggregate(continuous_aggregate regclass, window_start anycompatible, window_end anycompatible)
    language plpgsql as 'begin end';
create function drop_chunks(relation regclass, older_than anycompatible default null::interval, newer_than anycompatible default null::interval) returns setof text
    language plpgsql as 'begin return; end';
create function show_chunks(relation regclass, older_than anycompatible default null::interval, newer_than anycompatible default null::interval)
    returns setof regclass language plpgsql as 'begin return; end';
create function compress_chunk(uncompressed_chunk regclass, if_not_compressed boolean default true) returns regclass language sql
    volatile return null::regclass;
create function decompress_chunk(uncompressed_chunk regclass, if_compressed boolean default true) returns regclass language sql
    volatile return null::regclass;
create function hypertable_size(regclass) returns bigint language sql volatile strict return null::bigint;
create function approximate_row_count(regclass) returns bigint language sql volatile strict return null::bigint;
do $$
declare t text;
begin
    foreach t in array array['timestamptz', 'timestamp', 'date'] loop
        execute format('create function time_bucket(bucket_width interval, ts %s) returns %1$s language sql immutable strict
            return null::%1$s', t);
        execute format('create function time_bucket(bucket_width interval, ts %s, origin %1$s) returns %1$s language sql immutable
            strict return null::%1$s', t);
        execute format('create function time_bucket_gapfill(bucket_width interval, ts %s, start %1$s default null,
            finish %1$s default null) returns %1$s language sql immutable return null::%1$s', t);
    end loop;
    execute 'create function time_bucket(bucket_width interval, ts timestamptz, timezone text, origin timestamptz default null,
        "offset" interval default null) returns timestamptz language sql immutable return null::timestamptz';
    foreach t in array array['smallint', 'integer', 'bigint'] loop
        execute format('create function time_bucket(bucket_width %s, ts %1$s) returns %1$s language sql immutable strict
            return null::%1$s', t);
    end loop;
end $$;
create function timescaledb_pick(state anyelement, value anyelement, at anycompatible) returns anyelement language plpgsql immutable as 'begin return value; end';
create aggregate first(anyelement, anycompatible) (sfunc = timescaledb_pick, stype = anyelement);
create aggregate last(anyelement, anycompatible) (sfunc = timescaledb_pick, stype = anyelement);
create function locf(value anyelement, prev anyelement default null, treat_null_as_missing boolean default false)
    returns anyelement language plpgsql immutable as 'begin return value; end';
create function interpolate(value anyelement, prev record default null, next record default null) returns anyelement
    language plpgsql immutable as 'begin return value; end'
