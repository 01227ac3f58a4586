create function unaccent(text) returns text language sql stable strict parallel safe return $1;
create function unaccent(regdictionary, text) returns text language sql stable strict parallel safe return $2;
create text search dictionary unaccent (template = simple)
