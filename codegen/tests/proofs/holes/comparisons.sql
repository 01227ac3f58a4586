-- Comparisons of the user's that give NULL of values.

create type money2;
create function money2_in(cstring) returns money2 language internal immutable strict as 'int4in';
create function money2_out(money2) returns cstring language internal immutable strict as 'int4out';
create type money2 (input = money2_in, output = money2_out, like = int4);
create cast (money2 as int4) without function;
create function m2_eq(money2, money2) returns bool language plpgsql immutable strict as $$ begin
    return null; end $$;
create function m2_lt(money2, money2) returns bool language plpgsql immutable strict as $$ begin
    return $1::int4 < $2::int4; end $$;
create function m2_le(money2, money2) returns bool language plpgsql immutable strict as $$ begin
    return $1::int4 <= $2::int4; end $$;
create function m2_gt(money2, money2) returns bool language plpgsql immutable strict as $$ begin
    return $1::int4 > $2::int4; end $$;
create function m2_ge(money2, money2) returns bool language plpgsql immutable strict as $$ begin
    return $1::int4 >= $2::int4; end $$;
create function m2_cmp(money2, money2) returns int4 language plpgsql immutable strict as $$ begin
    return null; end $$;
create operator = (leftarg = money2, rightarg = money2, function = m2_eq, commutator = =);
create operator < (leftarg = money2, rightarg = money2, function = m2_lt);
create operator <= (leftarg = money2, rightarg = money2, function = m2_le);
create operator > (leftarg = money2, rightarg = money2, function = m2_gt);
create operator >= (leftarg = money2, rightarg = money2, function = m2_ge);
create operator class money2_ops default for type money2 using btree as operator 1 <, operator 2
    <=, operator 3 =, operator 4 >=, operator 5 >, function 1 m2_cmp(money2, money2);

-- A user's comparison among the server's own, in their family.
create function int8_m2_lt(int8, money2) returns bool language plpgsql immutable strict as $$ begin
    return $1 < $2::int4; end $$;
create function int8_m2_cmp(int8, money2) returns int4 language plpgsql immutable strict as $$ begin
    return null; end $$;
create operator < (leftarg = int8, rightarg = money2, function = int8_m2_lt);
alter operator family integer_ops using btree add operator 1 < (int8, money2),
    function 1 (int8, money2) int8_m2_cmp(int8, money2);

-- case: NULL in c
select row(1::int8, 1) < row('2'::money2, 2) as c;

-- case: NULL in c
select '1'::money2 is distinct from '2'::money2 as c;

-- case: NULL in c
select '1'::money2 is not distinct from '2'::money2 as c;

-- case: NULL in c
select row('1'::money2, 1) < row('2'::money2, 2) as c;

-- case: NULL in c
select row('1'::money2, 1) is distinct from row('2'::money2, 1) as c;

-- case: NULL in c
select '1'::money2 = any (array['2'::money2]) as c;

-- case: NULL in c
select '1'::money2 in (select '2'::money2) as c;
