create type ltree;
create function ltree_in(cstring) returns ltree language internal immutable strict parallel safe as 'textin';
create function ltree_out(ltree) returns cstring language internal immutable strict parallel safe as 'textout';
create function ltree_recv(internal) returns ltree language internal stable strict parallel safe as 'textrecv';
create function ltree_send(ltree) returns bytea language internal stable strict parallel safe as 'textsend';
create type ltree (input = ltree_in, output = ltree_out, receive = ltree_recv, send = ltree_send, internallength = variable,
    storage = extended);
create function ltree_eq(ltree, ltree) returns boolean language internal immutable strict parallel safe as 'texteq';
create operator = (leftarg = ltree, rightarg = ltree, function = ltree_eq, commutator = =, negator = <>, hashes, merges);
create function ltree_ne(ltree, ltree) returns boolean language internal immutable strict parallel safe as 'textne';
create operator <> (leftarg = ltree, rightarg = ltree, function = ltree_ne, commutator = <>, negator = =);
create function ltree_lt(ltree, ltree) returns boolean language internal immutable strict parallel safe as 'text_lt';
create operator < (leftarg = ltree, rightarg = ltree, function = ltree_lt, commutator = >, negator = >=);
create function ltree_le(ltree, ltree) returns boolean language internal immutable strict parallel safe as 'text_le';
create operator <= (leftarg = ltree, rightarg = ltree, function = ltree_le, commutator = >=, negator = >);
create function ltree_gt(ltree, ltree) returns boolean language internal immutable strict parallel safe as 'text_gt';
create operator > (leftarg = ltree, rightarg = ltree, function = ltree_gt, commutator = <, negator = <=);
create function ltree_ge(ltree, ltree) returns boolean language internal immutable strict parallel safe as 'text_ge';
create operator >= (leftarg = ltree, rightarg = ltree, function = ltree_ge, commutator = <=, negator = <);
create function ltree_cmp(ltree, ltree) returns integer language internal immutable strict parallel safe as 'bttextcmp';
create function ltree_hash(ltree) returns integer language internal immutable strict parallel safe as 'hashtext';
create operator class ltree_ops default for type ltree using btree as operator 1 <, operator 2 <=, operator 3 =,
    operator 4 >=, operator 5 >, function 1 ltree_cmp(ltree, ltree);
create operator class ltree_hash_ops default for type ltree using hash as operator 1 =, function 1 ltree_hash(ltree);
create type lquery;
create function lquery_in(cstring) returns lquery language internal immutable strict parallel safe as 'textin';
create function lquery_out(lquery) returns cstring language internal immutable strict parallel safe as 'textout';
create function lquery_recv(internal) returns lquery language internal stable strict parallel safe as 'textrecv';
create function lquery_send(lquery) returns bytea language internal stable strict parallel safe as 'textsend';
create type lquery (input = lquery_in, output = lquery_out, receive = lquery_recv, send = lquery_send, internallength = variable,
    storage = extended);
create type ltxtquery;
create function ltxtquery_in(cstring) returns ltxtquery language internal immutable strict parallel safe as 'textin';
create function ltxtquery_out(ltxtquery) returns cstring language internal immutable strict parallel safe as 'textout';
create function ltxtquery_recv(internal) returns ltxtquery language internal stable strict parallel safe as 'textrecv';
create function ltxtquery_send(ltxtquery) returns bytea language internal stable strict parallel safe as 'textsend';
create type ltxtquery (input = ltxtquery_in, output = ltxtquery_out, receive = ltxtquery_recv, send = ltxtquery_send, internallength = variable,
    storage = extended);
create function nlevel(ltree) returns integer language internal immutable strict parallel safe as 'textlen';
create function subpath(path ltree, start int, len int) returns ltree language sql immutable strict parallel safe return path;
create function subpath(path ltree, start int) returns ltree language sql immutable strict parallel safe return path;
create function subltree(path ltree, first int, last int) returns ltree language sql immutable strict parallel safe return path;
create cast (ltree as text) without function as assignment;
create cast (text as ltree) without function as assignment;
create function ltree2text(ltree) returns text language sql immutable strict parallel safe return $1::text;
create function text2ltree(text) returns ltree language sql immutable strict parallel safe return $1::ltree;
create function ltree_addltree(ltree, ltree) returns ltree language internal immutable strict parallel safe as 'textcat';
create function ltree_addtext(ltree, text) returns ltree language internal immutable strict parallel safe as 'textcat';
create function ltree_isparent(ltree, ltree) returns boolean language internal immutable strict parallel safe as 'texteq';
create function ltree_matches(ltree, lquery) returns boolean language internal immutable strict parallel safe as 'texteq';
create function ltree_matches(ltree, ltxtquery) returns boolean language internal immutable strict parallel safe as 'texteq';
create operator || (leftarg = ltree, rightarg = ltree, function = ltree_addltree);
create operator || (leftarg = ltree, rightarg = text, function = ltree_addtext);
create operator @> (leftarg = ltree, rightarg = ltree, function = ltree_isparent);
create operator <@ (leftarg = ltree, rightarg = ltree, function = ltree_isparent);
create operator ~ (leftarg = ltree, rightarg = lquery, function = ltree_matches);
create operator @ (leftarg = ltree, rightarg = ltxtquery, function = ltree_matches);
do $$
declare f text[];
begin
    foreach f slice 1 in array array[
        ['index(ltree, ltree)', 'integer'],
        ['index(ltree, ltree, integer)', 'integer'],
        ['lca(ltree[])', 'ltree'],
        ['lca(ltree, ltree)', 'ltree'],
        ['lca(ltree, ltree, ltree)', 'ltree'],
        ['ltree_textadd(text, ltree)', 'ltree'],
        ['lt_q_regex(ltree, lquery[])', 'boolean'],
        ['_ltree_isparent(ltree[], ltree)', 'boolean'],
        ['_ltree_risparent(ltree[], ltree)', 'boolean'],
        ['_ltq_regex(ltree[], lquery)', 'boolean']
    ] loop
        execute format('create function %s returns %s language sql immutable strict parallel safe return null::%2$s', f[1], f[2]);
    end loop;
end $$;
create operator || (leftarg = text, rightarg = ltree, function = ltree_textadd);
create operator ? (leftarg = ltree, rightarg = lquery[], function = lt_q_regex);
create operator @> (leftarg = ltree[], rightarg = ltree, function = _ltree_isparent);
create operator <@ (leftarg = ltree[], rightarg = ltree, function = _ltree_risparent);
create operator ~ (leftarg = ltree[], rightarg = lquery, function = _ltq_regex)
