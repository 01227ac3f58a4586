create type hstore;
create function hstore_in(cstring) returns hstore language internal immutable strict parallel safe as 'textin';
create function hstore_out(hstore) returns cstring language internal immutable strict parallel safe as 'textout';
create function hstore_recv(internal) returns hstore language internal stable strict parallel safe as 'textrecv';
create function hstore_send(hstore) returns bytea language internal stable strict parallel safe as 'textsend';
create type hstore (input = hstore_in, output = hstore_out, receive = hstore_recv, send = hstore_send, internallength = variable,
    storage = extended);
create cast (hstore as text) without function;
create cast (text as hstore) without function;
create function hstore(text, text) returns hstore language sql immutable parallel safe return ($1 || $2)::hstore;
create function fetchval(hstore, text) returns text language sql immutable strict parallel safe
    return nullif($1::text, $2);
create function exist(hstore, text) returns boolean language sql immutable strict parallel safe return $1::text = $2;
create function akeys(hstore) returns text[] language sql immutable strict parallel safe return array[$1::text];
create function avals(hstore) returns text[] language sql immutable strict parallel safe return array[$1::text, null];
create function hs_concat(hstore, hstore) returns hstore language internal immutable strict parallel safe as 'textcat';
create function hs_contains(hstore, hstore) returns boolean language internal immutable strict parallel safe as 'texteq';
create operator -> (leftarg = hstore, rightarg = text, function = fetchval);
create operator ? (leftarg = hstore, rightarg = text, function = exist);
create operator || (leftarg = hstore, rightarg = hstore, function = hs_concat);
create operator @> (leftarg = hstore, rightarg = hstore, function = hs_contains);
create operator <@ (leftarg = hstore, rightarg = hstore, function = hs_contains);
do $$
declare f text[];
begin
    foreach f slice 1 in array array[
        ['defined(hstore, text)', 'boolean'],
        ['slice(hstore, text[])', 'hstore'],
        ['slice_array(hstore, text[])', 'text[]'],
        ['hstore_to_array(hstore)', 'text[]'],
        ['hstore_to_matrix(hstore)', 'text[]'],
        ['hstore_to_json(hstore)', 'json'],
        ['hstore_to_jsonb(hstore)', 'jsonb'],
        ['hstore_to_json_loose(hstore)', 'json'],
        ['hstore_to_jsonb_loose(hstore)', 'jsonb'],
        ['delete(hstore, text)', 'hstore'],
        ['delete(hstore, text[])', 'hstore'],
        ['delete(hstore, hstore)', 'hstore'],
        ['hstore(text[])', 'hstore'],
        ['hstore(text[], text[])', 'hstore'],
        ['exists_any(hstore, text[])', 'boolean'],
        ['exists_all(hstore, text[])', 'boolean']
    ] loop
        execute format('create function %s returns %s language sql immutable strict parallel safe return null::%2$s', f[1], f[2]);
    end loop;
end $$;
create function skeys(hstore) returns setof text language plpgsql immutable strict as 'begin return; end';
create function svals(hstore) returns setof text language plpgsql immutable strict as 'begin return; end';
create function each(hs hstore, out key text, out value text) returns setof record language plpgsql immutable strict as
    'begin return; end';
create cast (hstore as json) with function hstore_to_json(hstore);
create cast (hstore as jsonb) with function hstore_to_jsonb(hstore);
create operator -> (leftarg = hstore, rightarg = text[], function = slice_array);
create operator ?| (leftarg = hstore, rightarg = text[], function = exists_any);
create operator ?& (leftarg = hstore, rightarg = text[], function = exists_all);
create operator - (leftarg = hstore, rightarg = text, function = delete);
create operator - (leftarg = hstore, rightarg = text[], function = delete);
create operator - (leftarg = hstore, rightarg = hstore, function = delete);
create operator %% (rightarg = hstore, function = hstore_to_array);
create operator %# (rightarg = hstore, function = hstore_to_matrix);
create function hstore(record) returns hstore language plpgsql immutable as 'begin return null; end'
