create type query_int;
create function bqarr_in(cstring) returns query_int language internal immutable strict parallel safe as 'textin';
create function bqarr_out(query_int) returns cstring language internal immutable strict parallel safe as 'textout';
create type query_int (input = bqarr_in, output = bqarr_out, internallength = variable, storage = extended);
@functions
        ['icount(integer[])', 'integer'], ['sort(integer[], text)', 'integer[]'], ['sort(integer[])', 'integer[]'],
        ['sort_asc(integer[])', 'integer[]'], ['sort_desc(integer[])', 'integer[]'], ['uniq(integer[])', 'integer[]'],
        ['idx(integer[], integer)', 'integer'], ['subarray(integer[], integer, integer)', 'integer[]'],
        ['subarray(integer[], integer)', 'integer[]'], ['intset(integer)', 'integer[]'],
        ['intarray_push_elem(integer[], integer)', 'integer[]'], ['intarray_push_array(integer[], integer[])', 'integer[]'],
        ['intarray_del_elem(integer[], integer)', 'integer[]'], ['intset_union_elem(integer[], integer)', 'integer[]'],
        ['intset_subtract(integer[], integer[])', 'integer[]'], ['_int_union(integer[], integer[])', 'integer[]'],
        ['_int_inter(integer[], integer[])', 'integer[]'], ['boolop(integer[], query_int)', 'boolean'],
        ['rboolop(query_int, integer[])', 'boolean'], ['_int_contains(integer[], integer[])', 'boolean'],
        ['_int_contained(integer[], integer[])', 'boolean'], ['_int_overlap(integer[], integer[])', 'boolean']
@null immutable
create operator && (leftarg = integer[], rightarg = integer[], function = _int_overlap, commutator = &&);
create operator @> (leftarg = integer[], rightarg = integer[], function = _int_contains, commutator = <@);
create operator <@ (leftarg = integer[], rightarg = integer[], function = _int_contained, commutator = @>);
create operator @@ (leftarg = integer[], rightarg = query_int, function = boolop, commutator = ~~);
create operator ~~ (leftarg = query_int, rightarg = integer[], function = rboolop, commutator = @@);
create operator # (rightarg = integer[], function = icount);
create operator # (leftarg = integer[], rightarg = integer, function = idx);
create operator + (leftarg = integer[], rightarg = integer, function = intarray_push_elem);
create operator + (leftarg = integer[], rightarg = integer[], function = intarray_push_array);
create operator - (leftarg = integer[], rightarg = integer, function = intarray_del_elem);
create operator - (leftarg = integer[], rightarg = integer[], function = intset_subtract);
create operator | (leftarg = integer[], rightarg = integer, function = intset_union_elem);
create operator | (leftarg = integer[], rightarg = integer[], function = _int_union, commutator = |);
create operator & (leftarg = integer[], rightarg = integer[], function = _int_inter, commutator = &)
