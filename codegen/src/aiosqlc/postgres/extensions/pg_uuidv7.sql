create function uuid_generate_v7() returns uuid language sql volatile return gen_random_uuid();
create function uuid_v7_to_timestamptz(uuid) returns timestamptz language sql immutable strict return null::timestamptz;
create function uuid_timestamptz_to_v7(timestamptz, zero boolean default false) returns uuid language sql immutable strict
    return null::uuid
