create domain earth as cube;
create function earth() returns double precision language sql immutable parallel safe return 6378168::double precision;
@functions
        ['sec_to_gc(double precision)', 'double precision'], ['gc_to_sec(double precision)', 'double precision'],
        ['ll_to_earth(double precision, double precision)', 'earth'], ['latitude(earth)', 'double precision'],
        ['longitude(earth)', 'double precision'], ['earth_distance(earth, earth)', 'double precision'],
        ['earth_box(earth, double precision)', 'cube'], ['geo_distance(point, point)', 'double precision']
@null immutable
create operator <@> (leftarg = point, rightarg = point, function = geo_distance, commutator = <@>)
