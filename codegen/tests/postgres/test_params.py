"""Parameters: names from their context, types from the server, NULL if it has a meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.ir import Cardinality, Param, TypedQuery
from aiosqlc.parse.queries import parse_files
from aiosqlc.source import Dialect, SourceFile

from tests.postgres.asking import TABLES, answers, query, run

SCHEMA = (
    TABLES
    + """
create domain must as text not null;
create table p (
    id int primary key, tag varchar(10), code must default 'x', n numeric(10, 2) not null
);
create function greet(who text, times int) returns text language sql
    return repeat(who, times);
"""
)

# SQL: (name, type, optional) of each parameter.
CASES: dict[str, list[tuple[str, str, bool]]] = {
    "select * from a where id = $1": [("id", "int4", False)],
    "select * from a where bio = $1": [("bio", "text", False)],
    "select * from a where $1 < grp and grp <"
    " $2": [("grp", "int4", False), ("grp_2", "int4", False)],
    "select * from a where id = any ($1)": [("id", "int4", False)],
    "select * from a where id in ($1, $2)": [("id", "int4", False), ("id_2", "int4", False)],
    "select * from a where (grp, id) < ($1, $2)": [("grp", "int4", False), ("id", "int4", False)],
    "select * from a where (bio, $1) <= ($2, id)": [("id", "int4", False), ("bio", "text", False)],
    "select * from a where lower(bio) = $1": [("bio", "text", False)],
    "select * from a limit $1 offset $2": [("limit", "int8", False), ("offset", "int8", False)],
    "select * from a where bio is not distinct from $1": [("bio", "text", True)],
    "select * from a where $1::text is null or bio = $1": [("bio", "text", True)],
    "select coalesce($1, name) from a": [("name", "text", True)],
    "select * from a where bio = coalesce($1, bio)": [("bio", "text", True)],
    "select * from a where bio = coalesce($1, 'x')": [("bio", "text", True)],
    "select * from a where grp = greatest($1, 5)": [("grp", "int4", True)],
    "insert into p (id, tag, n) values ($1, coalesce($2, 'x'), 1)": [
        ("id", "int4", False),
        ("tag", "text", True),
    ],
    # named after the text's first column, which is not the table's
    "update b set aid = $1, id = $1": [("aid", "int4", False)],
    "insert into b (aid, id, title) values ($1, $1, 'x')": [("aid", "int4", False)],
    "insert into b (aid, id, title) values (1, 2, 'x'), ($1, $1, 'y')": [("aid", "int4", False)],
    "insert into b (aid, id, title) select $1::int, $1, 'x'": [("aid", "int4", False)],
    "select greet($1, $2)": [("who", "text", False), ("times", "int4", False)],
    "select make_interval(secs => $1)": [("secs", "float8", False)],
    "select mod(id, $1), left($2, $3) from a": [
        ("mod", "int4", False),
        ("p2", "text", False),
        ("p3", "int4", False),
    ],
    "select $1::uuid": [("p1", "uuid", False)],
    "insert into p values ($1, $2, $3, $4)": [
        ("id", "int4", False),
        ("tag", "varchar", True),
        ("code", "must", False),
        ("n", "numeric", False),
    ],
    "insert into p (id, tag, n) values ($1, $2, 1), ($3, 'x', 2)": [
        ("id", "int4", False),
        ("tag", "varchar", True),
        ("id_2", "int4", False),
    ],
    "insert into p (id, tag, n) select id, $1, $2 from a": [
        ("tag", "varchar", True),
        ("n", "numeric", False),
    ],
    "update p set tag = $1, n = $2 where id = $3": [
        ("tag", "varchar", True),
        ("n", "numeric", False),
        ("id", "int4", False),
    ],
    "update p set tag = coalesce($1, tag) where id = $2": [
        ("tag", "varchar", True),
        ("id", "int4", False),
    ],
    "insert into p (id, n) values ($1, 1) on conflict (id) do update set tag = $2": [
        ("id", "int4", False),
        ("tag", "varchar", True),
    ],
    "with w as (select id from a where grp = $1) select * from w where id = $2": [
        ("grp", "int4", False),
        ("id", "int4", False),
    ],
}  # fmt: skip


@pytest.mark.parametrize("sql", CASES)
def test_a_parameter_is_named_typed_and_optional_by_its_use(sql: str) -> None:
    typed, problems = answers(SCHEMA, tuple(CASES))
    assert [p.message for p in problems] == []
    found = [(p.name, p.type.name, not p.not_null) for p in typed[sql].params]
    assert found == CASES[sql]


def test_what_the_user_says_of_a_parameter_wins() -> None:
    said = (Param(1, "who", (), nullable=True), Param(2, "mark", (), nullable=False))
    asked = query("select id from a where name = $1 and coalesce($2, bio) = name", params=said)
    analysis, _ = run(SCHEMA, [asked])
    first, second = analysis.queries[0].params
    assert (first.name, first.not_null, first.is_named) == ("who", False, True)
    assert (second.name, second.not_null) == ("mark", True)


def test_a_parameter_knows_the_column_it_meets() -> None:
    typed, _ = answers(SCHEMA, tuple(CASES))
    (param,) = typed["select * from a where id = $1"].params
    assert param.origin is not None
    assert (param.origin.table, param.origin.column) == ("a", "id")


def test_a_parameter_for_an_array_column_has_its_dimensions() -> None:
    asked = (
        "insert into g (grid, flat) values ($1, $2)",
        "select id from g where grid = $1",
        "select id from g where id = any($1)",
    )
    typed, problems = answers("create table g (id int, grid int[][], flat int[])", asked)
    assert problems == ()
    assert [[p.type.array_dims for p in typed[sql].params] for sql in asked] == [[2, 1], [2], [1]]


def of_text(sql: str) -> TypedQuery:
    """Return the typed query of a text with macros."""
    text = f"-- name: Q :many\n{sql};\n"
    parsed, problems = parse_files([SourceFile(Path("q.sql"), text)], Dialect.POSTGRESQL)
    analysis, refused = run(SCHEMA, list(parsed))
    assert (problems, refused) == ([], ())
    return analysis.queries[0]


# What the query tests before it says the type: what the server gets, and the parameters.
TESTED = {
    "select id from a where @n is null or name = @n": ("$1::text is null or name = $1", "text"),
    "select id from a where name = @n or @n is null": ("name = $1 or $1 is null", "text"),
    "select id from a where ($1) is not null and id = $1": (
        "($1::integer) is not null and",
        "int4",
    ),
    "select case when @n isnull then 0 else 1 end from a where name = @n": (
        "case when $1::text isnull then",
        "text",
    ),
    "select id from a where @ids is null or id = any(@ids)": ("$1::integer[] is null", "int4"),
    "select id from p where @t is null and (@t is null or tag = @t)": (
        "$1::text is null and ($1::text is null or tag = $1)",
        "text",
    ),
    "select *, 'x$1 is null' from a where @n is null or j = @n": ("$1::jsonb is null or", "jsonb"),
}


@pytest.mark.parametrize("sql", TESTED)
def test_a_parameter_is_typed_where_a_test_for_null_comes_first(sql: str) -> None:
    typed = of_text(sql)
    written, kind = TESTED[sql]
    assert written in typed.sql
    assert [(param.type.name, param.not_null) for param in typed.params] == [(kind, False)]
    assert typed.parsed.sql.count("::") == sql.count("::")


def test_tests_for_null_of_optional_parts_are_cast_in_each_text() -> None:
    typed = of_text(
        "select id from a where @grp is null\n or grp > @low -- :if low\n or grp = @grp\n"
    )
    assert [("$1::integer is null" in variant.sql) for variant in typed.variants] == [True, True]


def test_a_list_of_rows_has_the_types_of_the_columns_it_meets() -> None:
    typed = of_text("select * from b where (id, title) in (sqlc.slice(pairs))")
    assert "in (SELECT * FROM unnest($1::integer[], $2::text[]))" in typed.sql
    shown = [(p.row, p.type.name, p.type.array_dims, p.not_null) for p in typed.params]
    assert shown == [("pairs", "int4", 1, True), ("pairs", "text", 1, True)]
    met = [p.origin and p.origin.column for p in typed.params]
    assert met == ["id", "title"]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from b where (id, aid) in (sqlc.slice(pairs))",
        "select * from b where (aid, title) in (sqlc.slice(pairs))",
        "select * from b where (aid, title) not in (sqlc.slice(pairs))",
        "select * from b where id = 1 or (aid, title) in (sqlc.slice(pairs))",
    ],
)
def test_a_list_of_rows_finds_many_rows(sql: str) -> None:
    assert of_text(sql).cardinality is Cardinality.MANY


@pytest.mark.parametrize("kind", ["int2vector", "oidvector", "int2vector[]"])
def test_a_vector_cannot_be_passed_but_made_of_an_array(kind: str) -> None:
    name = kind.removesuffix("[]")
    ((problem,), written) = (
        run(SCHEMA, [query(f"select $1::{kind}")])[1],
        "array_to_string($1::int2[], ' ')::int2vector",
    )
    assert problem.code == "E313"
    assert problem.hint.endswith(f"::{name}`")
    typed, problems = answers(SCHEMA, (f"select {written}", f"select null::{kind} as read"))
    assert problems == ()
    read = typed[f"select null::{kind} as read"].columns[0].type
    assert (read.name, read.array_dims) == (name, kind.count("["))


LISTS = """
create table held (id int primary key, bio text, name text not null, tags text[] not null,
    nicks text[], full_ones text[] check (array_position(full_ones, null) is null), musts must[]);
"""
# The lists that may hold None, of all that a statement takes.
MAY_HOLD_NONE = {
    "update held set tags = @a, nicks = @b, full_ones = @c, musts = @d": "a b",
    "insert into held (id, tags, name) values (1, @a, @b), (2, @c, 'x')": "a c",
    "update held set tags = tags || @a, nicks = coalesce(@b, nicks)": "a b",
    "update held set (tags, nicks) = (array_cat(@a, tags), array_append(@b, @c))": "a b",
    "insert into held (id, name, bio, tags) select u.id, u.name, u.bio, '{}'"
    " from unnest(@a::int[], @b::text[], @c::text[]) as u (id, name, bio)": "c",
    "insert into held (id, name, bio, tags)"
    " select unnest(@a::int[]), unnest(@b::text[]), unnest(@c::text[]), '{}'": "c",
    "update held set bio = u.bio, name = u.name from (select * from"
    " unnest(@a::text[], @b::text[]) as x (bio, name)) u": "a",
    "with x as (select * from unnest(@a::int[], @b::text[]) as x (id, bio)) update held set bio ="
    " x.bio from x where x.id = held.id": "b",
    "merge into held using unnest(@a::int[], @b::text[]) as x (id, bio) on held.id = x.id"
    " when matched then update set bio = x.bio": "b",
    "insert into held (id, name, tags) values (1, 'x', '{}') on conflict (id) do update set"
    " tags = @a": "a",
    "select id from held where tags = @a or nicks is distinct from @b or full_ones = @c": "a b",
    "select id from held where tags && @a and tags @> @b and name = any(@c)": "",
    "select unnest(@a::text[]), cardinality(@b::text[]), @c::text[]": "",
    "select id from held where id in (sqlc.slice(a))": "",
}


# The elements that may be None, of all that a statement puts into arrays.
MAY_BE_NONE = {
    "update held set tags = array_append(tags, @a), full_ones = array_append(full_ones, @b),"
    " musts = array_append(musts, @c)": "a",
    "update held set tags = array_prepend(@a, tags), nicks = @b::text || nicks": "a b",
    "insert into held (id, name, tags) values (1, 'x', array_append('{}', @a))": "a",
    "update held set tags = array_remove(tags, @a), nicks = array_replace(nicks, @b, @c)": "",
    "select array_append(tags, @a) from held where @b = any(tags)": "",
}


@pytest.mark.parametrize("sql", MAY_BE_NONE)
def test_an_element_may_be_none_where_a_column_keeps_it(sql: str) -> None:
    text = f"-- name: Q :exec\n{sql};\n"
    parsed, _ = parse_files([SourceFile(Path("q.sql"), text)], Dialect.POSTGRESQL)
    analysis, problems = run(SCHEMA + LISTS, list(parsed))
    assert problems == ()
    found = [p.name for p in analysis.queries[0].params if not p.not_null]
    assert found == MAY_BE_NONE[sql].split()


@pytest.mark.parametrize("sql", MAY_HOLD_NONE)
def test_a_list_may_hold_none_where_a_column_keeps_it(sql: str) -> None:
    text = f"-- name: Q :exec\n{sql};\n"
    parsed, _ = parse_files([SourceFile(Path("q.sql"), text)], Dialect.POSTGRESQL)
    analysis, problems = run(SCHEMA + LISTS, list(parsed))
    assert problems == ()
    found = [p.name for p in analysis.queries[0].params if not p.element_not_null]
    assert " ".join(found) == MAY_HOLD_NONE[sql]


PATHS = {
    "with recursive r (i, p) as (select id, array[id] from a union all select a.id, r.p || a.id"
    " from r join a on a.grp = r.i) select p from r": True,
    "with recursive r (i, p, n) as (select id, array[id], array[name] from a union all"
    " select a.id, a.id || r.p, array_cat(r.n, array[a.name]) from r join a on a.grp = r.i)"
    " select n, p from r": True,
    "with recursive r (i, p) as (select id, array[name] from a union all"
    " select a.id, r.p || a.bio from r join a on a.grp = r.i) select p from r": False,
    "select p from (select array[id] as p from a union all select array[aid] from b) q": True,
    "select p from (select array[id] as p from a union all select array[x] from b) q": False,
    "select array[id] || 1 || array[grp] from a": True,
}


@pytest.mark.parametrize("sql", PATHS)
def test_arrays_that_grow_hold_values_where_all_that_is_added_does(sql: str) -> None:
    typed, problems = answers(SCHEMA, tuple(PATHS))
    assert problems == ()
    assert {column.element_not_null for column in typed[sql].columns} == {PATHS[sql]}
