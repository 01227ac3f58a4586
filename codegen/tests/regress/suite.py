"""The order in which PostgreSQL runs its regression tests, and rows for their shared tables.

The names are those of src/test/regress/parallel_schedule. A missing file is skipped, and a file
without a name there comes last.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ORDER = (
    "test_setup", "boolean", "char", "name", "varchar", "text", "int2", "int4", "int8", "oid",
    "float4", "float8", "bit", "numeric", "txid", "uuid", "enum", "money", "rangetypes", "pg_lsn",
    "regproc", "strings", "md5", "numerology", "point", "lseg", "line", "box", "path", "polygon",
    "circle", "date", "time", "timetz", "timestamp", "timestamptz", "interval", "inet", "macaddr",
    "macaddr8", "multirangetypes", "geometry", "horology", "tstypes", "regex", "type_sanity",
    "opr_sanity", "misc_sanity", "comments", "expressions", "unicode", "xid", "mvcc", "copy",
    "copyselect", "copydml", "insert", "insert_conflict", "create_function_c", "create_misc",
    "create_operator", "create_procedure", "create_table", "create_type", "create_schema",
    "create_index", "create_index_spgist", "create_view", "index_including",
    "index_including_gist", "create_aggregate", "create_function_sql", "create_cast",
    "constraints", "triggers", "select", "inherit", "typed_table", "vacuum", "drop_if_exists",
    "updatable_views", "roleattributes", "create_am", "hash_func", "errors", "select_into",
    "select_distinct", "select_distinct_on", "select_implicit", "select_having", "subselect",
    "union", "case", "join", "aggregates", "transactions", "random", "portals", "arrays",
    "btree_index", "hash_index", "update", "delete", "namespace", "brin", "gin", "gist", "spgist",
    "privileges", "collate", "matview", "rowsecurity", "tablesample", "groupingsets",
    "drop_operator", "identity", "generated", "join_hash", "create_table_like", "alter_generic",
    "alter_operator", "misc", "merge", "misc_functions", "sysviews", "tsrf", "tid", "tidscan",
    "tidrangescan", "collate.utf8", "incremental_sort", "rules", "amutils", "stats_ext",
    "select_parallel", "portals_p2", "foreign_key", "cluster", "dependency", "guc", "bitmapops",
    "combocid", "tsearch", "tsdicts", "foreign_data", "window", "xmlmap", "functional_deps",
    "equivclass", "json", "jsonb", "json_encoding", "jsonpath", "jsonb_jsonpath", "sqljson",
    "sqljson_queryfuncs", "sqljson_jsontable", "plancache", "limit", "plpgsql", "copy2", "temp",
    "domain", "rangefuncs", "prepare", "conversion", "truncate", "alter_table", "sequence",
    "polymorphism", "rowtypes", "returning", "with", "xml", "partition_join", "partition_prune",
    "hash_part", "indexing", "partition_aggregate", "partition_info", "tuplesort", "memoize",
    "predicate", "fast_default",
)  # fmt: skip

# What would wait for others, needs another program, or takes the server along.
LEFT_OUT = frozenset({
    "tablespace", "prepared_xacts", "subscription", "publication", "stats", "infinite_recurse",
    "largeobject", "database", "event_trigger", "psql", "psql_crosstab", "vacuum_parallel", "async",
    "lock", "advisory_lock", "password", "oidjoins", "sanity_check", "write_parallel",
})  # fmt: skip

# The suite loads these from files of its own; ours have as many columns, and fewer rows.
_TENK = """
select n, (n * 7919) % 1000, n % 2, n % 4, n % 10, n % 20, n % 100, n % 1000, n % 2000, n % 5000,
       n, (n % 100) * 2, (n % 100) * 2 + 1, 'A' || n, 'B' || n, 'AAAAxx'
from generate_series(0, 999) n
"""
ROWS = (
    f"insert into onek {_TENK}",
    f"insert into tenk1 {_TENK}",
    "insert into person values ('mike', 40, '(3.1,6.2)'), ('joe', 20, null), (null, 34, '(1,1)')",
    "insert into emp values ('sharon', 25, '(15,12)', 1000, 'sam')",
    "insert into emp values ('sam', 30, '(10,5)', 2000, 'bill')",
    "insert into student values ('fred', 28, '(3.1,-1.5)', 3.7), ('larry', 60, '(21.8,4.9)', 3.1)",
    "insert into stud_emp values ('jeff', 23, '(8,7.7)', 600, 'sharon', 3.5, null)",
    "insert into road select 'road ' || n, path '[(0,0),(1,1)]' from generate_series(1, 20) n",
)


def in_order(files: Iterable[Path]) -> list[Path]:
    """Return the scripts in the suite's order, without the excluded ones."""
    place = {name: number for number, name in enumerate(ORDER)}
    named = [file for file in files if file.stem not in LEFT_OUT]
    return sorted(named, key=lambda file: (place.get(file.stem, len(place)), file.stem))
