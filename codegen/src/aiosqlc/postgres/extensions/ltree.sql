@type ltree
@ordered ltree, hashes, merges
create function ltree_hash(ltree) returns integer language internal immutable strict parallel safe as 'hashtext';
create operator class ltree_hash_ops default for type ltree using hash as operator 1 =, function 1 ltree_hash(ltree);
@type lquery
@type ltxtquery
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
@functions
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
@null immutable
create operator || (leftarg = text, rightarg = ltree, function = ltree_textadd);
create operator ? (leftarg = ltree, rightarg = lquery[], function = lt_q_regex);
create operator @> (leftarg = ltree[], rightarg = ltree, function = _ltree_isparent);
create operator <@ (leftarg = ltree[], rightarg = ltree, function = _ltree_risparent);
create operator ~ (leftarg = ltree[], rightarg = lquery, function = _ltq_regex)
