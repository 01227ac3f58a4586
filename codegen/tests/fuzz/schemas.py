"""Random schemas, with everything that has ever made a catalog flag wrong."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

# The generator's types, with their SQL names and a few values that collide often.
SQL_TYPES = {
    "int": "int",
    "text": "text",
    "bool": "bool",
    "num": "numeric",
    "arr": "int[]",
    "json": "jsonb",
    "date": "date",
    "mood": "mood",
    "code": "varchar(8)",
    "fixed": "char(4)",
    "folded": "folded",
    "local": "timestamp",
    "zoned": "timestamptz",
    "pair": "pair",
    "span": "int4range",
}
VALUES: dict[str, list[str]] = {
    "int": ["0", "1", "2", "3", "5", "-1"],
    "text": ["'lit'", "'Lit'", "'q'", "'n1'", "''"],
    "bool": ["true", "false"],
    "num": ["0", "1.0", "1.00", "2.5", "'NaN'"],
    "arr": ["'{}'", "'{1,2}'", "'{1,NULL}'", "'{3}'", "'{{1,2},{3,4}}'"],
    "json": ["'{}'", "'{\"k\": null}'", "'{\"k\": 1}'", "'[1, null]'", "'null'", "'\"s\"'"],
    "date": ["'2024-01-01'", "'2024-02-29'", "'infinity'", "'-infinity'"],
    "mood": ["'sad'", "'ok'", "'happy'"],
    # Equal for one type and not for another: by blanks, by case, by the clock that jumps.
    "code": ["'a'", "'a '", "'A'", "'b'"],
    "fixed": ["'a'", "'a '", "'A'", "'b'"],
    "folded": ["'a'", "'a '", "'A'", "'b'"],
    "local": ["'2024-03-31 02:30'", "'2024-03-31 03:30'", "'infinity'"],
    "zoned": ["'2024-03-31 03:30+02'", "'2024-03-31 02:30+02'", "'-infinity'"],
    "pair": ["'(1,2)'", "'(,2)'", "'(,)'", "'(3,)'"],
    "span": ["'[1,3)'", "'empty'", "'(,2)'", "'[2,)'", "'(,)'"],
}


@dataclass
class Relation:
    """A table or view to select from; a `writable` one can be the target of a write.

    `computed` columns can only be read. Rows are inserted directly only into `filled` ones.
    """

    name: str
    columns: dict[str, str]
    writable: bool = True
    nullable: set[str] = field(default_factory=set)
    keys: list[tuple[str, ...]] = field(default_factory=list)
    computed: dict[str, str] = field(default_factory=dict)
    filled: bool = True

    @property
    def all_columns(self) -> dict[str, str]:
        """Return all readable columns, including computed ones."""
        return {**self.columns, **self.computed}


@dataclass
class Schema:
    """The statements that create the schema, and the objects that queries may use."""

    statements: list[str]
    relations: list[Relation]


_PRELUDE = """
create type mood as enum ('sad', 'ok', 'happy');
create type pair as (l int, r int);
create type vague;
create function vague_in(cstring) returns vague language internal immutable strict as 'int4in';
create function vague_out(vague) returns cstring language internal immutable strict as 'int4out';
create type vague (input = vague_in, output = vague_out, like = int4);
create function vague_eq(vague, vague) returns bool language plpgsql immutable strict
    as $$ begin return null; end $$;
create operator = (leftarg = vague, rightarg = vague, function = vague_eq);
create function vaguely(int, int) returns bool language plpgsql immutable strict
    as $$ begin return case when $1 > 1 then $1 = $2 end; end $$;
create operator ~~~ (leftarg = int, rightarg = int, function = vaguely);
create function of_pair(pair) returns int language plpgsql immutable strict
    as $$ begin return nullif(($1).r, 2); end $$;
create cast (pair as int) with function of_pair(pair) as implicit;
create function to_pair(int) returns pair language plpgsql immutable strict
    as $$ begin return case when $1 > 1 then row($1, null)::pair end; end $$;
create cast (int as pair) with function to_pair(int) as assignment;
create function sure(x int) returns int language plpgsql immutable
    as $$ begin return coalesce(x, 0); end $$;
create type folded;
create function folded_in(cstring) returns folded language internal immutable strict as 'textin';
create function folded_out(folded) returns cstring language internal immutable strict as 'textout';
create type folded (input = folded_in, output = folded_out, like = text);
create cast (text as folded) without function;
create cast (folded as text) without function;
create cast (varchar as folded) without function;
create function folded_lt(folded, folded) returns bool language sql immutable strict as
    'select lower($1::text) < lower($2::text)';
create function folded_eq(folded, folded) returns bool language sql immutable strict as
    'select lower($1::text) = lower($2::text)';
create function folded_cmp(folded, folded) returns int language sql immutable strict as
    'select bttextcmp(lower($1::text), lower($2::text))';
create operator < (leftarg = folded, rightarg = folded, function = folded_lt);
create operator = (leftarg = folded, rightarg = folded, function = folded_eq);
create operator class folded_ops default for type folded using btree as
    operator 1 <, operator 3 =, function 1 folded_cmp(folded, folded);
create domain positive as int not null check (value > -100);
create domain label as text check (value <> 'never');
create function twice(x int) returns int language sql immutable return x * 2;
create function pick(x int, y int) returns int language sql immutable strict return x + y;
create function first_or(x int, y int) returns int language sql immutable as
    'select coalesce(x, y)';
create function odd_or_null(x int) returns int language sql immutable
    return case when x % 2 = 1 then x end;
create function plain_null(x int) returns int language plpgsql immutable strict
    as $$ begin return case when x > 1 then null else x end; end $$;
create function wobble(x int) returns int language plpgsql volatile
    as $$ begin return case when random() < 0.5 then null else x end; end $$;
create function few(x int) returns setof int language sql immutable
    begin atomic select v from (values (1), (null), (x)) t(v); end;
create function full_set(x int) returns table (y int) language sql immutable strict as
    'select v from (values (1), ($1)) t(v) where v <> 2; -- never NULL';
create function half_set(x int) returns setof int language sql immutable as
    'select v from (values (1), (x)) t(v) where v is null or v <> 2'
"""
_STATEMENT_END = re.compile(r";\n")
_SKIP_ROW = (
    "create function skip_{t}() returns trigger language plpgsql as"
    " $$ begin if new.{c} = 2 then return null; end if; return new; end $$"
)
_MUTATE_ROW = (
    "create function mutate_{t}() returns trigger language plpgsql as"
    " $$ begin new.{c} := null; return new; end $$"
)


def make_schema(seed: int) -> Schema:
    """Make the schema of a seed; equal seeds give equal schemas."""
    r = random.Random(seed)
    statements = _STATEMENT_END.split(_PRELUDE.strip())
    relations: list[Relation] = []
    relations += [_table(r, f"t{number}", statements) for number in range(r.randrange(3, 5))]
    if r.random() < 0.6:
        relations.append(_inheritance(r, statements))
    if r.random() < 0.6:
        relations.append(_partitioned(r, statements))
    relations.append(_odd(r, statements))
    relations += [
        _view(r, f"v{number}", relations, statements) for number in range(r.randrange(1, 4))
    ]
    if r.random() < 0.5:
        relations.append(_updatable_view(r, relations[0], statements))
    if r.random() < 0.5:
        relations.append(_trigger_view(r, relations[1], statements))
    return Schema(statements, relations)


def _table(  # noqa: C901 - a list of independent chances
    r: random.Random, name: str, statements: list[str]
) -> Relation:
    columns = {"id": "int", "k": "int"}
    for number in range(r.randrange(3, 6)):
        kind = r.choice([*SQL_TYPES, *["int", "text"] * 4])
        columns[f"{kind[0]}{number}"] = kind
    nullable = {c for c in columns if c != "id" and r.random() < 0.5}
    lines = []
    computed = {}
    if r.random() < 0.3:
        computed["g"] = "int"
        style = r.choice(["stored", "virtual"])
        lines.append(f"g int generated always as (nullif(k, 1)) {style}")
    for column, kind in columns.items():
        declared = SQL_TYPES[kind]
        if kind == "int" and column not in {"id", "k"} and r.random() < 0.15:
            declared = "positive"
        if kind == "text" and r.random() < 0.15:
            declared = "label"
        lines.append(f"{column} {declared}{'' if column in nullable else ' not null'}")
    relation = Relation(name, columns, True, nullable, computed=computed)
    key = r.random()
    if key < 0.6:
        lines.append("primary key (id)")
        relation.keys.append(("id",))
    elif key < 0.8:
        lines.append("primary key (id, k)")
        relation.keys.append(("id", "k"))
        nullable.discard("k")
    elif key < 0.9:
        lines.append("unique (id) deferrable initially deferred")
    if r.random() < 0.4:
        style = r.choice(["", " nulls not distinct"])
        lines.append(f"unique{style} (k, {r.choice(list(columns))})")
    for column, kind in columns.items():
        if kind in {"code", "fixed", "folded", "local", "zoned"} and r.random() < 0.6:
            lines.append(f"unique ({column})")
    statements.append(f"create table {name} ({', '.join(lines)})")
    text = next((c for c, kind in columns.items() if kind == "text"), None)
    flag = next((c for c, kind in columns.items() if kind == "bool"), None)
    if text and r.random() < 0.4:
        statements.append(f"create unique index on {name} (lower({text}), k)")
    if text and r.random() < 0.3:
        statements.append(f'create unique index on {name} ({text} collate "C")')
    if r.random() < 0.4:
        condition = r.choice([f"{flag}", f"not {flag}", f"{flag} = true"] if flag else ["k > 1"])
        condition = r.choice([condition, "k is not null", "k = 2"])
        statements.append(f"create unique index on {name} (id) where {condition}")
    if "k" in nullable and r.random() < 0.3:
        statements.append(f"alter table {name} add constraint {name}_nn not null k not valid")
    if r.random() < 0.15:
        statements.append(_SKIP_ROW.format(t=name, c="k"))
        when = r.choice(["insert", "update", "insert or update"])
        statements.append(
            f"create trigger skip before {when} on {name} for each row"
            f" execute function skip_{name}()"
        )
    loose = sorted(nullable - {"id", "k"})
    if loose and r.random() < 0.15:
        statements.append(_MUTATE_ROW.format(t=name, c=r.choice(loose)))
        statements.append(
            f"create trigger mutate before insert or update on {name} for each row"
            f" execute function mutate_{name}()"
        )
    return relation


def _odd(r: random.Random, statements: list[str]) -> Relation:
    """Return a table with enforced and unenforced constraints, and with side effects."""
    key = r.choice(
        ["primary key (id, s without overlaps)", "primary key (id)", "unique (k, s)",
         "unique (id) deferrable initially deferred"]
    )  # fmt: skip
    kind = "int4range" if "overlaps" in key else "int"
    checked = r.choice(["", " not enforced"])
    statements.append(
        f"create table odd (id {kind} not null, k int, s int4range not null, p pair,"
        f" a int[] not null check (array_position(a, null) is null){checked},"
        f" n int check (n is not null){r.choice(['', ' not enforced'])},"
        f" {key}, h int generated always as (k) virtual)"
    )
    if r.random() < 0.3:
        statements.append(
            "create rule beside as on update to odd do also delete from odd where k = 3"
        )
    elif r.random() < 0.2:
        statements.append("create rule instead as on delete to odd do instead nothing")
    if r.random() < 0.3:
        statements.append("alter table odd enable row level security, force row level security")
        statements.append("create policy some_rows on odd using (k > 1)")
    columns = {"k": "int", "s": "span", "p": "pair", "a": "arr", "n": "int"}
    id_kind = "span" if kind == "int4range" else "int"
    return Relation("odd", {"id": id_kind, **columns}, True, {"k", "p", "n"}, computed={"h": "int"})


def _inheritance(r: random.Random, statements: list[str]) -> Relation:
    statements.append("create table parent (id int primary key, k int not null, note text)")
    statements.append("create table child (extra int) inherits (parent)")
    if r.random() < 0.5:
        statements.append("alter table parent add constraint pk_k not null note no inherit")
    return Relation("parent", {"id": "int", "k": "int", "note": "text"}, True, {"note"})


def _partitioned(r: random.Random, statements: list[str]) -> Relation:
    statements.append(
        "create table part (id int not null, k int not null, note text, primary key (id, k))"
        " partition by range (id)"
    )
    statements.append("create table part_low partition of part for values from (minvalue) to (2)")
    statements.append("create table part_high partition of part for values from (2) to (maxvalue)")
    if r.random() < 0.3:
        statements.append("create unique index on part_low (k)")
    return Relation(
        "part", {"id": "int", "k": "int", "note": "text"}, True, {"note"}, [("id", "k")]
    )


def _view(
    r: random.Random, name: str, relations: list[Relation], statements: list[str]
) -> Relation:
    left, right = r.choice(relations), r.choice(relations)
    join = r.choice(["join", "left join", "full join", "right join"])
    lc, rc = r.choice(list(left.columns)), r.choice(list(right.columns))
    shape = r.randrange(4)
    if shape == 0:
        body = f"select id, {lc} as c from {left.name} where id is not null"
        columns = {"id": "int", "c": left.columns[lc]}
    elif shape == 1:
        body = (
            f"select a.id, b.id as bid, b.{rc} as c"
            f" from {left.name} a {join} {right.name} b on a.id = b.id"
        )
        columns = {"id": "int", "bid": "int", "c": right.columns[rc]}
    elif shape == 2:
        body = f"select id, count(*)::int as n, max({lc}::text) as m from {left.name} group by id"
        columns = {"id": "int", "n": "int", "m": "text"}
    else:
        body = f"select id, {lc} as c from {left.name} union all select id, null from {right.name}"
        columns = {"id": "int", "c": left.columns[lc]}
    statements.append(f"create view {name} as {body}")
    return Relation(name, columns, False)


def _updatable_view(r: random.Random, table: Relation, statements: list[str]) -> Relation:
    """Return a view that can be written, sometimes with a condition that new rows need not meet."""
    check = r.choice(["", " with check option"])
    names = ", ".join(table.columns)
    statements.append(
        f"create view through as select {names} from {table.name} where k is not null{check}"
    )
    return Relation("through", table.columns, True, table.nullable, filled=False)


def _trigger_view(r: random.Random, table: Relation, statements: list[str]) -> Relation:
    """Return a view whose triggers return anything, because the server does not check it."""
    answer = r.choice(["new.k := null; return new;", "return null;", "new.id := null; return new;"])
    statements.append(f"create view answers as select id, k from {table.name}")
    statements.append(
        "create function answer() returns trigger language plpgsql as"
        f" $$ begin if tg_op = 'DELETE' then return old; end if; {answer} end $$"
    )
    statements.append(
        "create trigger answer instead of insert or update or delete on answers for each row"
        " execute function answer()"
    )
    return Relation("answers", {"id": "int", "k": "int"}, True, {"k"}, filled=False)


def random_rows(r: random.Random, relation: Relation, count: int, nulls: float = 0.5) -> list[str]:
    """Return a number of INSERT statements; the caller ignores those that violate a constraint.

    `nulls` is the share of NULLs in columns that allow NULL.
    """
    statements = []
    for _ in range(count):
        values = []
        for column, kind in relation.columns.items():
            if column in relation.nullable and r.random() < nulls:
                values.append("null")
            else:
                values.append(r.choice(VALUES[kind]))
        names = ", ".join(relation.columns)
        target = "child" if relation.name == "parent" and r.random() < 0.5 else relation.name
        statements.append(f"insert into {target} ({names}) values ({', '.join(values)})")
    return statements
