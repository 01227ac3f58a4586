create table part_config (parent_table text primary key, control text not null, partition_interval text not null,
    partition_type text not null, premake integer not null default 4, automatic_maintenance text not null default 'on',
    template_table text, retention text, retention_schema text, retention_keep_index boolean not null default true,
    retention_keep_table boolean not null default true, epoch text not null default 'none', constraint_cols text[],
    optimize_constraint integer not null default 30, infinite_time_partitions boolean not null default false,
    datetime_string text, jobmon boolean not null default true, sub_partition_set_full boolean not null default false,
    undo_in_progress boolean not null default false, inherit_privileges boolean default false,
    constraint_valid boolean not null default true, ignore_default_data boolean not null default true,
    default_table boolean default true, date_trunc_interval text, maintenance_order integer,
    retention_keep_publication boolean not null default false, maintenance_last_run timestamptz);
create table part_config_sub (sub_parent text primary key, sub_control text not null, sub_partition_interval text not null,
    sub_partition_type text not null, sub_premake integer not null default 4, sub_retention text);
create function create_parent(p_parent_table text, p_control text, p_interval text, p_type text default 'range',
    p_epoch text default 'none', p_premake integer default 4, p_start_partition text default null,
    p_default_table boolean default true, p_automatic_maintenance text default 'on', p_constraint_cols text[] default null,
    p_template_table text default null, p_jobmon boolean default true, p_date_trunc_interval text default null,
    p_control_not_null boolean default true, p_time_encoder text default null, p_time_decoder text default null)
    returns boolean language sql volatile return null::boolean;
create function create_parent(p_parent_table text, p_control text, p_type text, p_interval text, p_constraint_cols text[],
    p_premake integer default 4) returns boolean language sql volatile return null::boolean;
create function create_sub_parent(p_top_parent text, p_control text, p_interval text, p_type text default 'range')
    returns boolean language sql volatile return null::boolean;
create function run_maintenance(p_parent_table text default null, p_analyze boolean default false, p_jobmon boolean default true)
    returns void language plpgsql as 'begin end';
create procedure run_maintenance_proc(p_wait integer default 0, p_analyze boolean default null, p_jobmon boolean default true)
    language plpgsql as 'begin end';
create procedure partition_data_proc(p_parent_table text, p_loop_count integer default null, p_interval text default null)
    language plpgsql as 'begin end';
create function partition_data_time(p_parent_table text, p_batch_count integer default 1) returns bigint language sql volatile
    return null::bigint;
create function partition_data_id(p_parent_table text, p_batch_count integer default 1) returns bigint language sql volatile
    return null::bigint;
create function drop_partition_time(p_parent_table text, p_retention interval default null) returns integer language sql volatile
    return null::integer;
create function drop_partition_id(p_parent_table text, p_retention bigint default null) returns integer language sql volatile
    return null::integer;
create function show_partitions(p_parent_table text, p_order text default 'ASC', p_include_default boolean default false,
    out partition_schemaname text, out partition_tablename text) returns setof record language plpgsql as 'begin return; end'
