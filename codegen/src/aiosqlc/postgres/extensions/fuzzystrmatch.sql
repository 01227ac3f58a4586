@functions
        ['levenshtein(text, text)', 'integer'], ['levenshtein(text, text, integer, integer, integer)', 'integer'],
        ['levenshtein_less_equal(text, text, integer)', 'integer'],
        ['levenshtein_less_equal(text, text, integer, integer, integer, integer)', 'integer'],
        ['soundex(text)', 'text'], ['text_soundex(text)', 'text'], ['difference(text, text)', 'integer'],
        ['metaphone(text, integer)', 'text'], ['dmetaphone(text)', 'text'], ['dmetaphone_alt(text)', 'text'],
        ['daitch_mokotoff(text)', 'text[]']
@null immutable
