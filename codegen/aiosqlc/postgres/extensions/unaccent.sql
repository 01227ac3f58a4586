create function unaccent(text) returns text language sql stable strict parallel safe return $1
