@type citext, category = 'S', collatable = true
@ordered citext, hashes, merges
create function citext_hash(citext) returns integer language internal immutable strict parallel safe as 'hashtext';
create operator class citext_hash_ops default for type citext using hash as operator 1 =, function 1 citext_hash(citext);
create cast (citext as text) without function as implicit;
create cast (citext as varchar) without function as implicit;
create cast (text as citext) without function as assignment;
create cast (varchar as citext) without function as assignment;
do $$
declare f text[]; other text;
begin
    foreach f slice 1 in array array[
        ['citext_like(citext', '~~', 'textlike'], ['citext_nlike(citext', '!~~', 'textnlike'],
        ['citext_iclike(citext', '~~*', 'texticlike'], ['citext_icnlike(citext', '!~~*', 'texticnlike'],
        ['citext_regexeq(citext', '~', 'textregexeq'], ['citext_regexne(citext', '!~', 'textregexne'],
        ['citext_icregexeq(citext', '~*', 'texticregexeq'], ['citext_icregexne(citext', '!~*', 'texticregexne']
    ] loop
        foreach other in array array['citext', 'text'] loop
            execute format('create function %s, %s) returns boolean language internal immutable strict parallel safe as %L',
                f[1], other, f[3]);
            execute format('create operator %s (leftarg = citext, rightarg = %s, function = %s)',
                f[2], other, split_part(f[1], '(', 1));
        end loop;
    end loop;
end $$;
create function citext_larger(citext, citext) returns citext language internal immutable strict parallel safe as 'text_larger';
create function citext_smaller(citext, citext) returns citext language internal immutable strict parallel safe as 'text_smaller';
create aggregate max(citext) (sfunc = citext_larger, stype = citext, sortop = >, parallel = safe);
create aggregate min(citext) (sfunc = citext_smaller, stype = citext, sortop = <, parallel = safe)
