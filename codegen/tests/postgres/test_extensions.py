"""Extensions that the embedded server lacks: schemas with them load, and queries are typed."""

from __future__ import annotations

import pytest
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.postgres import Analyzer, analyze, scripts

from tests.postgres.asking import query, schema_file

# What a schema makes with an extension, and queries on it.
USES: dict[str, tuple[str, list[str]]] = {
    "btree_gin": (
        "create index on base using gin (id)",
        [],
    ),
    "btree_gist": (
        """create index on base using gist (id);
            create table r (room int, during tstzrange, exclude using gist (room with =, during
            with &&))""",
        [
            "select room, during from r",
            "select id from base order by id <-> 5",
        ],
    ),
    "pgcrypto": (
        "create table k (id uuid primary key default public.gen_random_uuid(), s text)",
        [
            "select crypt(s, gen_salt('bf', 8)) from k",
            """select encode(digest(s, 'sha256'), 'hex'), encode(hmac(s, 'x', 'sha1'), 'hex')
                from k""",
            "select pgp_sym_decrypt(pgp_sym_encrypt(s, 'k'), 'k'), gen_random_bytes(4) from k",
        ],
    ),
    "citext": (
        """create table c (email citext not null unique check (email operator(public.~)
            '@'::public.citext))""",
        [
            "select email from c where email = $1",
            "select max(email), min(email) from c where email ~* $1 or email not ilike 'b%'",
            "select lower(email), email like 'a%' from c",
        ],
    ),
    '"uuid-ossp"': (
        "create table u (id uuid primary key default uuid_generate_v4())",
        [
            "select uuid_generate_v5(uuid_ns_dns(), 'a'), id from u",
        ],
    ),
    "pg_trgm": (
        """create index on base using gin (name gin_trgm_ops);
            create index on base using gist (name GIST_TRGM_OPS)""",
        [
            "select similarity(name, $1), word_similarity($1, name) from base where name % $1",
        ],
    ),
    "hstore": (
        "create table h (a hstore not null default '', b text); create index on h using gin (a)",
        [
            """select a -> 'x', a ? 'x', a || 'y=>1', a - 'x'::text, akeys(a),
                hstore_to_json(a)
                from h""",
            "select key, value from h, each(a)",
            "select hstore(b, 'x'), skeys(a) from h where a @> 'x=>1' and a ?| array['x']",
        ],
    ),
    "ltree": (
        "create table l (path ltree not null); create index on l using gist (path)",
        [
            """select nlevel(path), subpath(path, 0, 1), path || 'x'::text from l
                where path <@ $1""",
            "select path from l where path ~ 'a.*' or path @ 'a & b' order by path",
        ],
    ),
    "unaccent": (
        "",
        [
            "select unaccent(name), lower(unaccent('unaccent', name)) from base",
        ],
    ),
    "intarray": (
        "create table i (a int[] not null); create index on i using gin (a gin__int_ops)",
        [
            """select icount(a), sort(a), uniq(a), a & '{1}', a + 1, a - 1 from i
                where a && '{1}'""",
        ],
    ),
    "tablefunc": (
        "",
        [
            "select * from crosstab('select 1') as c(id int, one text)",
            "select normal_rand(1, 0, 1)",
        ],
    ),
    "cube": (
        "create table q (c cube)",
        [
            "select cube_distance(c, cube(array[1.0, 2])), c <-> '(1,2)', cube_dim(c) from q",
        ],
    ),
    "earthdistance": (
        """create table e (lat float8, lng float8);
            create index on e using gist (ll_to_earth(lat, lng))""",
        [
            """select earth_distance(ll_to_earth(lat, lng), ll_to_earth($1, $2)) from e
                where earth_box(ll_to_earth($1, $2), 10) @> ll_to_earth(lat, lng)""",
            "select point(lat, lng) <@> point(1, 2) from e",
        ],
    ),
    "pg_stat_statements": (
        "create view slow as select query, calls from pg_stat_statements",
        [
            "select query, mean_exec_time from pg_stat_statements",
            "select calls from slow",
        ],
    ),
    "postgis": (
        """create table g (id int, at geometry(Point, 4326) not null, area geography(Polygon),
            box geometry
            generated always as (st_envelope(at)) stored);
            create index on g using gist (at);
            select AddGeometryColumn('g', 'more', 4326, 'POINT', 2);
            create index on g using gist (area gist_geography_ops)""",
        [
            "select st_x(at), st_y(at), st_astext(at), st_asgeojson(at)::jsonb, more from g",
            "insert into g (id, at) values (1, st_setsrid(st_makepoint(1, $1), 4326)) returning 1",
            "insert into g (at) values (st_geomfromtext($1, 4326)) returning id, at",
            """select id from g
                where st_dwithin(at::geography, st_point($1, $2)::geography, $3)
                order by at <-> st_setsrid(st_makepoint(1, 2), 4326)""",
            "select st_union(at), st_collect(at), st_extent(at), count(*) from g group by id",
            """select st_asmvt(t, 'layer')
                from (select st_asmvtgeom(at, st_makeenvelope(1, 2, 3, 4)) from g) t""",
            "select (st_dump(at)).geom from g where at && st_makeenvelope($1, $2, $3, $4, 4326)",
            "select st_distance(area, $1::geography), st_area(area) from g where at = $2",
        ],
    ),
    "vector": (
        "create table v (e vector(3) not null); create index on v using hnsw (e vector_l2_ops)",
        [
            "select e, e <-> $1, cosine_distance(e, $1) from v order by e <=> $1 limit 5",
        ],
    ),
    "timescaledb": (
        """create table m (at timestamptz not null, v float8 not null);
            create index on m (at);
            select create_hypertable('m', 'at', if_not_exists => TRUE);
            select create_hypertable('m', by_range('at', interval '1 day'));
            alter table m set (timescaledb.compress, timescaledb.compress_segmentby = 'v');
            select add_retention_policy('m', interval '90 days');
            select add_compression_policy('m', interval '7 days', if_not_exists => true);
            create materialized view daily with (timescaledb.continuous)
            as select time_bucket('1 day', at) as day, avg(v) as v from m group by 1;
            select add_continuous_aggregate_policy('daily', start_offset => interval '3 days',
            end_offset => interval '1 hour', schedule_interval => interval '1 hour');
            call refresh_continuous_aggregate('daily', null, '2024-01-01')""",
        [
            """select time_bucket('5 minutes', at) as t, last(v, at), first(v, at) from m
                group by 1""",
            "select day, v from daily",
            "select time_bucket_gapfill('1 hour', at) as t, locf(avg(v)) from m group by 1",
        ],
    ),
    "pg_partman schema parts": (
        """create table p (at timestamptz not null) partition by range (at);
            select parts.create_parent(p_parent_table => 'public.p',
            p_control => 'at', p_interval => '1 day');
            update parts.part_config set retention = '1 month'
            where parent_table = 'public.p'""",
        [
            "select parent_table, premake from parts.part_config",
        ],
    ),
    "fuzzystrmatch": (
        "",
        [
            "select levenshtein(name, $1), soundex(name), metaphone(name, 4) from base",
        ],
    ),
    "pg_cron": (
        "select cron.schedule('x', '* * * * *', 'select 1')",
        [
            "select jobid from cron.job",
        ],
    ),
    "pg_uuidv7": (
        "create table w (id uuid primary key default uuid_generate_v7())",
        [
            "select uuid_v7_to_timestamptz(id) from w",
        ],
    ),
    "moddatetime": (
        "create trigger m before update on base for each row execute function moddatetime(name)",
        [
            "update base set name = 'x' returning id",
        ],
    ),
}


@pytest.mark.parametrize("extension", USES)
def test_a_schema_that_uses_an_extension_loads_and_its_queries_are_typed(
    extension: str, analyzer: Analyzer
) -> None:
    schema, asked = USES[extension]
    made = "create schema parts; create table base (id int not null, name text not null);"
    file = schema_file(f"{made} create extension if not exists {extension} cascade; {schema}")
    queries = [query(sql, f"Q{n}") for n, sql in enumerate(asked)]
    analysis, problems = analyzer.analyze([file], queries, AnalyzeOptions())
    assert [item for item in problems if item.code != "E217"] == []
    assert len(analysis.queries) == len(queries)
    opened = analyzer._schema([file], AnalyzeOptions())
    for typed in analysis.queries:  # nothing that is stood in for may bring the server down
        generic = typed.sql if "$" not in typed.sql else f"explain (generic_plan) {typed.sql}"
        assert opened.connection.run(generic) is None, typed.sql


def test_what_a_stand_in_makes_for_keys_differs_from_row_to_row() -> None:
    sql = """create extension pgcrypto; create extension pg_uuidv7;
        create table k (a bytea primary key default gen_random_bytes(20),
            b uuid not null unique default uuid_generate_v7(), n int);
        insert into k (n) select generate_series(1, 3);
        alter table k add check (length(a) = 20)"""
    asked = query("select gen_random_bytes(4), uuid_generate_v7()")
    analysis, problems = analyze([schema_file(sql)], [asked], AnalyzeOptions())
    assert problems == ()
    assert [column.not_null for column in analysis.queries[0].columns] == [True, True]


def test_what_a_stand_in_cannot_say_is_optional(analyzer: Analyzer) -> None:
    schema = "create extension postgis; create table g (at geometry(Point) not null)"
    asked = query("select at, st_x(at) as x, st_astext(at) as t from g")
    analysis, _ = analyzer.analyze([schema_file(schema)], [asked], AnalyzeOptions())
    assert [column.not_null for column in analysis.queries[0].columns] == [True, False, False]


def test_every_stand_in_is_used_here() -> None:
    assert set(scripts.names()) <= {name.split()[0].strip('"') for name in USES}
