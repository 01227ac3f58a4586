-- Operator classes of GiST cannot be stood in for; what can be named are the distances.
do $$
declare t text[];
begin
    foreach t slice 1 in array array[
        ['smallint', 'smallint'], ['integer', 'integer'], ['bigint', 'bigint'], ['real', 'real'],
        ['double precision', 'double precision'], ['oid', 'oid'], ['money', 'money'], ['date', 'integer'],
        ['time', 'interval'], ['timestamp', 'interval'], ['timestamptz', 'interval'], ['interval', 'interval']
    ] loop
        execute format('create function %s(%s, %2$s) returns %s language sql immutable strict parallel safe return null::%3$s',
            quote_ident(replace(t[1], ' ', '_') || '_dist'), t[1], t[2]);
        execute format('create operator <-> (leftarg = %s, rightarg = %1$s, function = %s, commutator = <->)',
            t[1], quote_ident(replace(t[1], ' ', '_') || '_dist'));
    end loop;
end $$
