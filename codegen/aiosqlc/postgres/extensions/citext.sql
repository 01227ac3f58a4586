create type citext;
create function citext_in(cstring) returns citext language internal immutable strict parallel safe as 'textin';
create function citext_out(citext) returns cstring language internal immutable strict parallel safe as 'textout';
create function citext_recv(internal) returns citext language internal stable strict parallel safe as 'textrecv';
create function citext_send(citext) returns bytea language internal stable strict parallel safe as 'textsend';
create type citext (input = citext_in, output = citext_out, receive = citext_recv, send = citext_send, internallength = variable,
    storage = extended, category = 'S', collatable = true);
create function citext_eq(citext, citext) returns boolean language internal immutable strict parallel safe as 'texteq';
create operator = (leftarg = citext, rightarg = citext, function = citext_eq, commutator = =, negator = <>, hashes, merges);
create function citext_ne(citext, citext) returns boolean language internal immutable strict parallel safe as 'textne';
create operator <> (leftarg = citext, rightarg = citext, function = citext_ne, commutator = <>, negator = =);
create function citext_lt(citext, citext) returns boolean language internal immutable strict parallel safe as 'text_lt';
create operator < (leftarg = citext, rightarg = citext, function = citext_lt, commutator = >, negator = >=);
create function citext_le(citext, citext) returns boolean language internal immutable strict parallel safe as 'text_le';
create operator <= (leftarg = citext, rightarg = citext, function = citext_le, commutator = >=, negator = >);
create function citext_gt(citext, citext) returns boolean language internal immutable strict parallel safe as 'text_gt';
create operator > (leftarg = citext, rightarg = citext, function = citext_gt, commutator = <, negator = <=);
create function citext_ge(citext, citext) returns boolean language internal immutable strict parallel safe as 'text_ge';
create operator >= (leftarg = citext, rightarg = citext, function = citext_ge, commutator = <=, negator = <);
create function citext_cmp(citext, citext) returns integer language internal immutable strict parallel safe as 'bttextcmp';
create function citext_hash(citext) returns integer language internal immutable strict parallel safe as 'hashtext';
create operator class citext_ops default for type citext using btree as operator 1 <, operator 2 <=, operator 3 =,
    operator 4 >=, operator 5 >, function 1 citext_cmp(citext, citext);
create operator class citext_hash_ops default for type citext using hash as operator 1 =, function 1 citext_hash(citext);
create cast (citext as text) without function as implicit;
create cast (citext as varchar) without function as implicit;
create cast (text as citext) without function as assignment;
create cast (varchar as citext) without function as assignment;
create function citext_like(citext, text) returns boolean language internal immutable strict parallel safe as 'textlike';
create operator ~~ (leftarg = citext, rightarg = text, function = citext_like);
create operator ~~* (leftarg = citext, rightarg = text, function = citext_like)
