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
create operator <@ (leftarg = hstore, rightarg = hstore, function = hs_contains)
