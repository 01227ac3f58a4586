create function geometry_typmod_in(cstring[]) returns integer language internal immutable strict parallel safe as 'array_ndims';
@type geometry, typmod_in = geometry_typmod_in
create function geography_typmod_in(cstring[]) returns integer language internal immutable strict parallel safe as 'array_ndims';
@type geography, typmod_in = geography_typmod_in
create function box2d_typmod_in(cstring[]) returns integer language internal immutable strict parallel safe as 'array_ndims';
@type box2d, typmod_in = box2d_typmod_in
create function box3d_typmod_in(cstring[]) returns integer language internal immutable strict parallel safe as 'array_ndims';
@type box3d, typmod_in = box3d_typmod_in
do $$
declare t text;
begin
    foreach t in array array['geometry', 'geography'] loop
        execute format('create function %s_eq(%1$s, %1$s) returns boolean language internal immutable strict parallel safe as %L', t, 'texteq');
        execute format('create function %s_lt(%1$s, %1$s) returns boolean language internal immutable strict parallel safe as %L', t, 'text_lt');
        execute format('create function %s_le(%1$s, %1$s) returns boolean language internal immutable strict parallel safe as %L', t, 'text_le');
        execute format('create function %s_gt(%1$s, %1$s) returns boolean language internal immutable strict parallel safe as %L', t, 'text_gt');
        execute format('create function %s_ge(%1$s, %1$s) returns boolean language internal immutable strict parallel safe as %L', t, 'text_ge');
        execute format('create function %s_cmp(%1$s, %1$s) returns integer language internal immutable strict parallel safe as %L', t, 'bttextcmp');
        execute format('create operator = (leftarg = %s, rightarg = %1$s, function = %1$s_eq, commutator = =)', t);
        execute format('create operator < (leftarg = %s, rightarg = %1$s, function = %1$s_lt, commutator = >)', t);
        execute format('create operator <= (leftarg = %s, rightarg = %1$s, function = %1$s_le, commutator = >=)', t);
        execute format('create operator > (leftarg = %s, rightarg = %1$s, function = %1$s_gt, commutator = <)', t);
        execute format('create operator >= (leftarg = %s, rightarg = %1$s, function = %1$s_ge, commutator = <=)', t);
        execute format('create operator class btree_%s_ops default for type %1$s using btree as operator 1 <, operator 2 <=,
            operator 3 =, operator 4 >=, operator 5 >, function 1 %1$s_cmp(%1$s, %1$s)', t);
    end loop;
end $$;
create type geometry_dump as (path integer[], geom geometry);
create type valid_detail as (valid boolean, reason varchar, location geometry);
create cast (geometry as geography) with inout as implicit;
create cast (geography as geometry) with inout;
create cast (text as geometry) with inout as implicit;
create cast (geometry as text) with inout as implicit;
create cast (geometry as box2d) with inout as implicit;
create cast (geometry as box3d) with inout as implicit;
create cast (box2d as geometry) with inout as implicit;
create cast (box3d as geometry) with inout as implicit;
create table spatial_ref_sys (srid integer not null primary key, auth_name varchar(256), auth_srid integer, srtext varchar(2048),
    proj4text varchar(2048));
create view geometry_columns as select null::varchar(256) as f_table_catalog, null::name as f_table_schema,
    null::name as f_table_name, null::name as f_geometry_column, null::integer as coord_dimension, null::integer as srid,
    null::varchar(30) as type where false;
create view geography_columns as select null::name as f_table_catalog, null::name as f_table_schema, null::name as f_table_name,
    null::name as f_geography_column, null::integer as coord_dimension, null::integer as srid, null::text as type where false;
@functions
        ['postgis_version()', 'text'], ['postgis_full_version()', 'text'], ['postgis_lib_version()', 'text'],
        -- making
        ['st_makepoint(float8, float8)', 'geometry'], ['st_makepoint(float8, float8, float8)', 'geometry'],
        ['st_makepoint(float8, float8, float8, float8)', 'geometry'], ['st_point(float8, float8)', 'geometry'],
        ['st_point(float8, float8, srid integer)', 'geometry'], ['st_pointz(float8, float8, float8, srid integer default 0)', 'geometry'],
        ['st_makeline(geometry, geometry)', 'geometry'], ['st_makeline(geometry[])', 'geometry'],
        ['st_makepolygon(geometry)', 'geometry'], ['st_makepolygon(geometry, geometry[])', 'geometry'],
        ['st_polygon(geometry, integer)', 'geometry'],
        ['st_makeenvelope(float8, float8, float8, float8, integer default 0)', 'geometry'],
        ['st_tileenvelope(zoom integer, x integer, y integer, bounds geometry default null, margin float8 default 0.0)', 'geometry'],
        ['st_makebox2d(geometry, geometry)', 'box2d'], ['st_collect(geometry, geometry)', 'geometry'],
        ['st_collect(geometry[])', 'geometry'],
        -- reading and writing texts
        ['st_geomfromtext(text)', 'geometry'], ['st_geomfromtext(text, integer)', 'geometry'],
        ['st_geometryfromtext(text)', 'geometry'], ['st_geometryfromtext(text, integer)', 'geometry'],
        ['st_geomfromewkt(text)', 'geometry'], ['st_geomfromwkb(bytea)', 'geometry'], ['st_geomfromwkb(bytea, integer)', 'geometry'],
        ['st_geomfromewkb(bytea)', 'geometry'], ['st_geomfromgeojson(text)', 'geometry'], ['st_geomfromgeojson(json)', 'geometry'],
        ['st_geomfromgeojson(jsonb)', 'geometry'], ['st_geomfromgeohash(text, integer default null)', 'geometry'],
        ['st_pointfromtext(text)', 'geometry'], ['st_pointfromtext(text, integer)', 'geometry'],
        ['st_linefromtext(text)', 'geometry'], ['st_linefromtext(text, integer)', 'geometry'],
        ['st_polygonfromtext(text)', 'geometry'], ['st_polygonfromtext(text, integer)', 'geometry'],
        ['st_pointfromgeohash(text, integer default null)', 'geometry'], ['st_geogfromtext(text)', 'geography'],
        ['st_geographyfromtext(text)', 'geography'], ['st_geogfromwkb(bytea)', 'geography'],
        ['st_linefromencodedpolyline(text, integer default 5)', 'geometry'],
        ['st_astext(geometry)', 'text'], ['st_astext(geometry, integer)', 'text'], ['st_astext(geography)', 'text'],
        ['st_astext(geography, integer)', 'text'], ['st_astext(text)', 'text'], ['st_asewkt(geometry)', 'text'],
        ['st_asewkt(geography)', 'text'], ['st_asbinary(geometry)', 'bytea'], ['st_asbinary(geometry, text)', 'bytea'],
        ['st_asbinary(geography)', 'bytea'], ['st_asewkb(geometry)', 'bytea'], ['st_asewkb(geometry, text)', 'bytea'],
        ['st_ashexewkb(geometry)', 'text'], ['st_asgeojson(geometry, integer default 9, integer default 8)', 'text'],
        ['st_asgeojson(geography, integer default 9, integer default 0)', 'text'],
        ['st_asgml(geometry, integer default 15, integer default 0)', 'text'], ['st_askml(geometry, integer default 15)', 'text'],
        ['st_assvg(geometry, integer default 0, integer default 15)', 'text'], ['st_geohash(geometry, integer default 0)', 'text'],
        ['st_asencodedpolyline(geometry, integer default 5)', 'text'], ['st_asmvtgeom(geometry, box2d, extent integer default 4096,
            buffer integer default 256, clip_geom boolean default true)', 'geometry'],
        -- parts
        ['st_x(geometry)', 'float8'], ['st_y(geometry)', 'float8'], ['st_z(geometry)', 'float8'], ['st_m(geometry)', 'float8'],
        ['st_xmin(box3d)', 'float8'], ['st_xmax(box3d)', 'float8'], ['st_ymin(box3d)', 'float8'], ['st_ymax(box3d)', 'float8'],
        ['st_srid(geometry)', 'integer'], ['st_srid(geography)', 'integer'], ['st_geometrytype(geometry)', 'text'],
        ['geometrytype(geometry)', 'text'], ['st_dimension(geometry)', 'integer'], ['st_ndims(geometry)', 'smallint'],
        ['st_npoints(geometry)', 'integer'], ['st_numpoints(geometry)', 'integer'], ['st_numgeometries(geometry)', 'integer'],
        ['st_geometryn(geometry, integer)', 'geometry'], ['st_pointn(geometry, integer)', 'geometry'],
        ['st_startpoint(geometry)', 'geometry'], ['st_endpoint(geometry)', 'geometry'], ['st_exteriorring(geometry)', 'geometry'],
        ['st_interiorringn(geometry, integer)', 'geometry'], ['st_numinteriorrings(geometry)', 'integer'],
        ['st_boundary(geometry)', 'geometry'], ['st_envelope(geometry)', 'geometry'], ['box2d(geometry)', 'box2d'],
        ['box3d(geometry)', 'box3d'], ['st_isempty(geometry)', 'boolean'], ['st_isvalid(geometry)', 'boolean'],
        ['st_isvalid(geometry, integer)', 'boolean'], ['st_isvalidreason(geometry)', 'text'], ['st_issimple(geometry)', 'boolean'],
        ['st_isclosed(geometry)', 'boolean'], ['st_isring(geometry)', 'boolean'], ['st_iscollection(geometry)', 'boolean'],
        -- changing
        ['st_setsrid(geometry, integer)', 'geometry'], ['st_setsrid(geography, integer)', 'geography'],
        ['st_transform(geometry, integer)', 'geometry'], ['st_transform(geometry, text)', 'geometry'],
        ['st_makevalid(geometry)', 'geometry'], ['st_makevalid(geometry, text)', 'geometry'], ['st_multi(geometry)', 'geometry'],
        ['st_force2d(geometry)', 'geometry'], ['st_force3d(geometry, float8 default 0.0)', 'geometry'],
        ['st_flipcoordinates(geometry)', 'geometry'], ['st_reverse(geometry)', 'geometry'],
        ['st_simplify(geometry, float8)', 'geometry'], ['st_simplify(geometry, float8, boolean)', 'geometry'],
        ['st_simplifypreservetopology(geometry, float8)', 'geometry'], ['st_simplifyvw(geometry, float8)', 'geometry'],
        ['st_snaptogrid(geometry, float8)', 'geometry'], ['st_segmentize(geometry, float8)', 'geometry'],
        ['st_segmentize(geography, float8)', 'geography'], ['st_removerepeatedpoints(geometry, float8 default 0.0)', 'geometry'],
        ['st_addpoint(geometry, geometry)', 'geometry'], ['st_translate(geometry, float8, float8)', 'geometry'],
        ['st_scale(geometry, float8, float8)', 'geometry'], ['st_rotate(geometry, float8)', 'geometry'],
        ['st_buffer(geometry, float8, text default '''')', 'geometry'], ['st_buffer(geometry, float8, integer)', 'geometry'],
        ['st_buffer(geography, float8)', 'geography'], ['st_buffer(geography, float8, text)', 'geography'],
        ['st_expand(geometry, float8)', 'geometry'], ['st_expand(box2d, float8)', 'box2d'], ['st_convexhull(geometry)', 'geometry'],
        ['st_concavehull(geometry, float8, boolean default false)', 'geometry'], ['st_centroid(geometry)', 'geometry'],
        ['st_centroid(geography, boolean default true)', 'geography'], ['st_pointonsurface(geometry)', 'geometry'],
        ['st_union(geometry, geometry)', 'geometry'], ['st_union(geometry[])', 'geometry'], ['st_unaryunion(geometry)', 'geometry'],
        ['st_intersection(geometry, geometry, float8 default -1)', 'geometry'],
        ['st_intersection(geography, geography)', 'geography'], ['st_difference(geometry, geometry, float8 default -1)', 'geometry'],
        ['st_symdifference(geometry, geometry, float8 default -1)', 'geometry'], ['st_linemerge(geometry)', 'geometry'],
        ['st_polygonize(geometry[])', 'geometry'], ['st_collectionextract(geometry, integer)', 'geometry'],
        ['st_lineinterpolatepoint(geometry, float8)', 'geometry'], ['st_linesubstring(geometry, float8, float8)', 'geometry'],
        ['st_linelocatepoint(geometry, geometry)', 'float8'], ['st_closestpoint(geometry, geometry)', 'geometry'],
        ['st_shortestline(geometry, geometry)', 'geometry'], ['st_project(geography, float8, float8)', 'geography'],
        ['st_project(geometry, float8, float8)', 'geometry'], ['st_generatepoints(geometry, integer)', 'geometry'],
        -- measuring
        ['st_distance(geometry, geometry)', 'float8'], ['st_distance(geography, geography, boolean default true)', 'float8'],
        ['st_distancesphere(geometry, geometry)', 'float8'], ['st_distancespheroid(geometry, geometry)', 'float8'],
        ['st_maxdistance(geometry, geometry)', 'float8'], ['st_3ddistance(geometry, geometry)', 'float8'],
        ['st_hausdorffdistance(geometry, geometry)', 'float8'], ['st_length(geometry)', 'float8'],
        ['st_length(geography, boolean default true)', 'float8'], ['st_length2d(geometry)', 'float8'],
        ['st_lengthspheroid(geometry, text)', 'float8'], ['st_perimeter(geometry)', 'float8'],
        ['st_perimeter(geography, boolean default true)', 'float8'], ['st_area(geometry)', 'float8'],
        ['st_area(geography, boolean default true)', 'float8'], ['st_azimuth(geometry, geometry)', 'float8'],
        ['st_azimuth(geography, geography)', 'float8'], ['st_angle(geometry, geometry, geometry)', 'float8'],
        -- comparing
        ['st_intersects(geometry, geometry)', 'boolean'], ['st_intersects(geography, geography)', 'boolean'],
        ['st_contains(geometry, geometry)', 'boolean'], ['st_containsproperly(geometry, geometry)', 'boolean'],
        ['st_within(geometry, geometry)', 'boolean'], ['st_covers(geometry, geometry)', 'boolean'],
        ['st_covers(geography, geography)', 'boolean'], ['st_coveredby(geometry, geometry)', 'boolean'],
        ['st_coveredby(geography, geography)', 'boolean'], ['st_crosses(geometry, geometry)', 'boolean'],
        ['st_overlaps(geometry, geometry)', 'boolean'], ['st_touches(geometry, geometry)', 'boolean'],
        ['st_disjoint(geometry, geometry)', 'boolean'], ['st_equals(geometry, geometry)', 'boolean'],
        ['st_relate(geometry, geometry)', 'text'], ['st_relate(geometry, geometry, text)', 'boolean'],
        ['st_dwithin(geometry, geometry, float8)', 'boolean'],
        ['st_dwithin(geography, geography, float8, boolean default true)', 'boolean'],
        ['st_dfullywithin(geometry, geometry, float8)', 'boolean'],
        ['st_3ddwithin(geometry, geometry, float8)', 'boolean'], ['st_orderingequals(geometry, geometry)', 'boolean'],
        ['geometry_overlaps(geometry, geometry)', 'boolean'], ['geometry_contains(geometry, geometry)', 'boolean'],
        ['geometry_within(geometry, geometry)', 'boolean'], ['geometry_same(geometry, geometry)', 'boolean'],
        ['geometry_distance(geometry, geometry)', 'float8'], ['geography_overlaps(geography, geography)', 'boolean'],
        ['geography_distance(geography, geography)', 'float8']
@null immutable
@functions
        ['st_dump(geometry)', 'geometry_dump'], ['st_dumppoints(geometry)', 'geometry_dump'], ['st_dumprings(geometry)', 'geometry_dump'],
        ['st_dumpsegments(geometry)', 'geometry_dump'], ['st_subdivide(geometry, integer default 256, float8 default -1)', 'geometry']
@empty immutable strict
do $$
declare f text[];
begin
    -- aggregates, and those over a window; NULL of no rows and of NULLs
    foreach f slice 1 in array array[
        ['st_collect(geometry)', 'geometry', 'geometry'], ['st_union(geometry)', 'geometry', 'geometry'],
        ['st_union(geometry, float8)', 'geometry', 'geometry, float8'], ['st_makeline(geometry)', 'geometry', 'geometry'],
        ['st_memunion(geometry)', 'geometry', 'geometry'], ['st_polygonize(geometry)', 'geometry', 'geometry'],
        ['st_extent(geometry)', 'box2d', 'geometry'], ['st_3dextent(geometry)', 'box3d', 'geometry'],
        ['st_asmvt(anyelement)', 'bytea', 'anyelement'], ['st_asmvt(anyelement, text)', 'bytea', 'anyelement, text'],
        ['st_asmvt(anyelement, text, integer)', 'bytea', 'anyelement, text, integer'],
        ['st_asmvt(anyelement, text, integer, text)', 'bytea', 'anyelement, text, integer, text'],
        ['st_clusterwithin(geometry, float8)', 'geometry[]', 'geometry, float8']
    ] loop
        execute format('create function %s(%s, %s) returns %2$s language plpgsql immutable as %4$L',
            quote_ident(split_part(f[1], '(', 1) || '_step'), f[2], f[3], 'begin return null; end');
        execute format('create aggregate %s (sfunc = %s, stype = %s)', f[1], quote_ident(split_part(f[1], '(', 1) || '_step'), f[2]);
    end loop;
end $$;
create operator && (leftarg = geometry, rightarg = geometry, function = geometry_overlaps, commutator = &&);
create operator && (leftarg = geography, rightarg = geography, function = geography_overlaps, commutator = &&);
create operator ~ (leftarg = geometry, rightarg = geometry, function = geometry_contains, commutator = @);
create operator @ (leftarg = geometry, rightarg = geometry, function = geometry_within, commutator = ~);
create operator ~= (leftarg = geometry, rightarg = geometry, function = geometry_same, commutator = ~=);
create operator <-> (leftarg = geometry, rightarg = geometry, function = geometry_distance, commutator = <->);
create operator <-> (leftarg = geography, rightarg = geography, function = geography_distance, commutator = <->);
create operator <#> (leftarg = geometry, rightarg = geometry, function = geometry_distance, commutator = <#>);
create function addgeometrycolumn(table_name varchar, column_name varchar, new_srid integer, new_type varchar, new_dim integer,
    use_typmod boolean default true) returns text language plpgsql as
    'begin execute format(''alter table %s add column %I geometry'', table_name, column_name); return ''''; end';
create function addgeometrycolumn(schema_name varchar, table_name varchar, column_name varchar, new_srid integer, new_type varchar,
    new_dim integer, use_typmod boolean default true) returns text language plpgsql as
    'begin execute format(''alter table %I.%I add column %I geometry'', schema_name, table_name, column_name); return ''''; end';
create function st_asgeojson(record, text default '', integer default 9, boolean default false) returns text
    language plpgsql stable strict as 'begin return null; end'
