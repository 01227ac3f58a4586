create function similarity(text, text) returns real language sql immutable strict parallel safe return length($1 || $2)::real;
create function word_similarity(text, text) returns real language sql immutable strict parallel safe return length($1 || $2)::real;
create function strict_word_similarity(text, text) returns real language sql immutable strict parallel safe
    return length($1 || $2)::real;
create function show_trgm(text) returns text[] language sql immutable strict parallel safe return array[$1];
create function show_limit() returns real language sql stable strict parallel safe return 0.3;
create function set_limit(real) returns real language sql volatile strict parallel safe return $1;
create function similarity_op(text, text) returns boolean language sql stable strict parallel safe return $1 = $2;
create function similarity_dist(text, text) returns real language sql immutable strict parallel safe
    return length($1 || $2)::real;
create operator % (leftarg = text, rightarg = text, function = similarity_op);
create operator <% (leftarg = text, rightarg = text, function = similarity_op);
create operator %> (leftarg = text, rightarg = text, function = similarity_op);
create operator <<% (leftarg = text, rightarg = text, function = similarity_op);
create operator %>> (leftarg = text, rightarg = text, function = similarity_op);
create operator <-> (leftarg = text, rightarg = text, function = similarity_dist);
create operator <<-> (leftarg = text, rightarg = text, function = similarity_dist);
create operator <->> (leftarg = text, rightarg = text, function = similarity_dist)
