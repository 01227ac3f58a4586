@type cube
@ordered cube, merges
@functions
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
@null immutable
create operator && (leftarg = cube, rightarg = cube, function = cube_overlap, commutator = &&);
create operator @> (leftarg = cube, rightarg = cube, function = cube_contains, commutator = <@);
create operator <@ (leftarg = cube, rightarg = cube, function = cube_contained, commutator = @>);
create operator <-> (leftarg = cube, rightarg = cube, function = cube_distance, commutator = <->);
create operator <#> (leftarg = cube, rightarg = cube, function = distance_taxicab, commutator = <#>);
create operator <=> (leftarg = cube, rightarg = cube, function = distance_chebyshev, commutator = <=>);
create operator -> (leftarg = cube, rightarg = integer, function = cube_coord);
create operator ~> (leftarg = cube, rightarg = integer, function = cube_coord_llur)
