do $$
declare f text[];
begin
    foreach f slice 1 in array array[
        ['levenshtein(text, text)', 'integer'], ['levenshtein(text, text, integer, integer, integer)', 'integer'],
        ['levenshtein_less_equal(text, text, integer)', 'integer'],
        ['levenshtein_less_equal(text, text, integer, integer, integer, integer)', 'integer'],
        ['soundex(text)', 'text'], ['text_soundex(text)', 'text'], ['difference(text, text)', 'integer'],
        ['metaphone(text, integer)', 'text'], ['dmetaphone(text)', 'text'], ['dmetaphone_alt(text)', 'text'],
        ['daitch_mokotoff(text)', 'text[]']
    ] loop
        execute format('create function %s returns %s language sql immutable strict parallel safe return null::%2$s', f[1], f[2]);
    end loop;
end $$
