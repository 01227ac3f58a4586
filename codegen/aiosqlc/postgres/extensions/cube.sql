create type cube;
create function cube_in(cstring) returns cube language internal immutable strict parallel safe as 'textin';
create function cube_out(cube) returns cstring language internal immutable strict parallel safe as 'textout';
create function cube_recv(internal) returns cube language internal stable strict parallel safe as 'textrecv';
create function cube_send(cube) returns bytea language internal stable strict parallel safe as 'textsend';
create type cube (input = cube_in, output = cube_out, receive = cube_recv, send = cube_send, internallength = variable,
    storage = extended);
create function cube_eq(cube, cube) returns boolean language internal immutable strict parallel safe as 'texteq';
create function cube_ne(cube, cube) returns boolean language internal immutable strict parallel safe as 'textne';
create function cube_lt(cube, cube) returns boolean language internal immutable strict parallel safe as 'text_lt';
create function cube_le(cube, cube) returns boolean language internal immutable strict parallel safe as 'text_le';
create function cube_gt(cube, cube) returns boolean language internal immutable strict parallel safe as 'text_gt';
create function cube_ge(cube, cube) returns boolean language internal immutable strict parallel safe as 'text_ge';
create function cube_cmp(cube, cube) returns integer language internal immutable strict parallel safe as 'bttextcmp';
create operator = (leftarg = cube, rightarg = cube, function = cube_eq, commutator = =, negator = <>, merges);
create operator <> (leftarg = cube, rightarg = cube, function = cube_ne, commutator = <>, negator = =);
create operator < (leftarg = cube, rightarg = cube, function = cube_lt, commutator = >, negator = >=);
create operator <= (leftarg = cube, rightarg = cube, function = cube_le, commutator = >=, negator = >);
create operator > (leftarg = cube, rightarg = cube, function = cube_gt, commutator = <, negator = <=);
create operator >= (leftarg = cube, rightarg = cube, function = cube_ge, commutator = <=, negator = <);
create operator class cube_ops default for type cube using btree as operator 1 <, operator 2 <=, operator 3 =,
    operator 4 >=, operator 5 >, function 1 cube_cmp(cube, cube);
do $$
declare f text[];
begin
    foreach f slice 1 in array array[
        ['cube(double precision[], double precision[])', 'cube'], ['cube(double precision[])', 'cube'],
        ['cube(double precision)', 'cube'], ['cube(double precision, double precision)', 'cube'],
        ['cube(cube, double precision)', 'cube'], ['cube(cube, double precision, double precision)', 'cube'],
        ['cube_dim(cube)', 'integer'], ['cube_ll_coord(cube, integer)', 'double precision'],
        ['cube_ur_coord(cube, integer)', 'double precision'], ['cube_coord(cube, integer)', 'double precision'],
        ['cube_coord_llur(cube, integer)', 'double precision'], ['cube_is_point(cube)', 'boolean'],
        ['cube_distance(cube, cube)', 'double precision'], ['distance_chebyshev(cube, cube)', 'double precision'],
        ['distance_taxicab(cube, cube)', 'double precision'], ['cube_subset(cube, integer[])', 'cube'],
        ['cube_union(cube, cube)', 'cube'], ['cube_inter(cube, cube)', 'cube'],
        ['cube_enlarge(cube, double precision, integer)', 'cube'], ['cube_size(cube)', 'double precision'],
        ['cube_overlap(cube, cube)', 'boolean'], ['cube_contains(cube, cube)', 'boolean'],
        ['cube_contained(cube, cube)', 'boolean']
    ] loop
        execute format('create function %s returns %s language sql immutable strict parallel safe return null::%2$s', f[1], f[2]);
    end loop;
end $$;
create operator && (leftarg = cube, rightarg = cube, function = cube_overlap, commutator = &&);
create operator @> (leftarg = cube, rightarg = cube, function = cube_contains, commutator = <@);
create operator <@ (leftarg = cube, rightarg = cube, function = cube_contained, commutator = @>);
create operator <-> (leftarg = cube, rightarg = cube, function = cube_distance, commutator = <->);
create operator <#> (leftarg = cube, rightarg = cube, function = distance_taxicab, commutator = <#>);
create operator <=> (leftarg = cube, rightarg = cube, function = distance_chebyshev, commutator = <=>);
create operator -> (leftarg = cube, rightarg = integer, function = cube_coord);
create operator ~> (leftarg = cube, rightarg = integer, function = cube_coord_llur)
