@type hstore
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
@functions
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
@null immutable
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
