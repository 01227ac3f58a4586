"""The benchmark finds exactly what contradicts a claim."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiosqlc.postgres import Analyzer
from aiosqlc.servers.postgres.embedded import embedded_server

from bench.soundness.comparing import refutations
from bench.soundness.executing import Seen, database_of, execute
from bench.soundness.loopback import lent
from bench.soundness.model import ANY, Claim, Kind, Query, Suite
from bench.soundness.parameters import Sender
from bench.soundness.spelling import in_python, in_typescript, spelled
from bench.soundness.values import ASYNCPG, NODE, PSYCOPG, Driver, ServerType, unlike

_INTS = ServerType("_int4", ServerType("int4"))
_MOOD = ServerType("mood", None, ("sad", "ok"))
_JSON = ServerType("jsonb")


@pytest.mark.parametrize(
    ("annotation", "kind", "text", "driver", "category"),
    [
        ("int", "int4", "1", ASYNCPG, None),
        ("int", "int4", None, ASYNCPG, "null"),
        ("int | None", "int4", None, ASYNCPG, None),
        ("typing.Optional[int]", "int4", None, ASYNCPG, None),
        ("str", "int4", "1", ASYNCPG, "type"),
        ("float", "int4", "1", ASYNCPG, None),
        ("float", "numeric", "1.5", ASYNCPG, "type"),
        ("decimal.Decimal", "numeric", "NaN", ASYNCPG, None),
        ("datetime.date", "timestamptz", "2024-01-01", ASYNCPG, "type"),
        ("list[int]", _INTS, "{1,NULL}", ASYNCPG, "element"),
        ("list[int | None]", _INTS, "{1,NULL}", ASYNCPG, None),
        ("list[int]", _INTS, "{{1,2},{3,4}}", ASYNCPG, None),
        ("collections.abc.Sequence[str]", _INTS, "{1}", ASYNCPG, "type"),
        ("int", _INTS, "{1}", ASYNCPG, "type"),
        ("typing.Literal['sad', 'ok']", _MOOD, "sad", ASYNCPG, None),
        ("typing.Literal['sad']", _MOOD, "ok", ASYNCPG, "type"),
        ("typing.Literal[1]", "int4", "2", ASYNCPG, "type"),
        ("typing.Literal[-1, 0]", "int4", "-1", ASYNCPG, None),
        ("str", _JSON, '{"a": 1}', ASYNCPG, None),
        ("dict[str, int]", _JSON, '{"a": null}', PSYCOPG, "inside"),
        ("dict[str, int]", _JSON, '{"a": true}', PSYCOPG, "inside"),
        ("list[int | str]", _JSON, '[1, "x"]', PSYCOPG, None),
        ("typing.Any", "int4", None, ASYNCPG, None),
        ("Unknown", "int4", "1", ASYNCPG, None),
        ("str", "circle", "<(0,0),1>", ASYNCPG, None),
    ],
)
def test_annotation_of_python_is_compared_with_a_value(
    annotation: str, kind: str | ServerType, text: str | None, driver: Driver, category: str | None
) -> None:
    given = ServerType(kind) if isinstance(kind, str) else kind
    found = unlike(in_python(annotation), given, text, driver)
    assert (found and found.category) == category


@pytest.mark.parametrize(
    ("written", "kind", "text", "category"),
    [
        ("number", "int4", "1", None),
        ("number", "int8", "1", "type"),
        ("string", "int8", "1", None),
        ("string | null", "numeric", None, None),
        ("Date", "timestamptz", "2024-01-01", None),
        ("(number | null)[]", _INTS, "{NULL}", None),
        ("number[]", _INTS, "{NULL}", "element"),
        ("Array<number>", _INTS, "{1}", None),
        ("'sad' | 'ok'", _MOOD, "ok", None),
        ("'sad'", _MOOD, "ok", "type"),
        ("{ a: number; b?: string }", _JSON, '{"a": 1}', None),
        ("{ a: number; 'b': string }", _JSON, '{"a": 1}', "inside"),
        ("{ a: { c: string | null }[] }", _JSON, '{"a": [{"c": null}]}', None),
        ("{ a: { c: string }[] }", _JSON, '{"a": [{"c": null}]}', "inside"),
        ("{ a: number }[]", _JSON, '{"a": 1}', "inside"),
        ("[number, string]", _JSON, '[1, "x"]', None),
        ("[number, string]", _JSON, "[1, 2]", "inside"),
        ("Record<string, boolean>", _JSON, '{"a": 1}', "inside"),
        ("any", _JSON, "[]", None),
    ],
)
def test_type_of_typescript_is_compared_with_a_value(
    written: str, kind: str | ServerType, text: str | None, category: str | None
) -> None:
    given = ServerType(kind) if isinstance(kind, str) else kind
    found = unlike(in_typescript(written), given, text, NODE)
    assert (found and found.category) == category


def test_type_is_spelled_for_a_report() -> None:
    kind = in_typescript("{ a: number | null; b: ('x' | 'y')[] }")
    assert spelled(kind) == "{a: number or null, b: list[string in x, y]}"


_SUITE = Suite(
    "own",
    ("create table t (id int primary key, name text, many int[] not null)",),
    (
        Query("nulls", "select name from t", "random"),
        Query("some", "select 1 as one from t where id = $1", "random"),
        Query("echo", "select $1::text as said", "random"),
        Query("elements", "select many from t", "random"),
        Query("given", "select 1 as one where $1::int is not null", "random"),
        Query("date", "select $1::date as day", "random"),
    ),
)
_INT, _TEXT = Kind("int"), Kind("str")


@pytest.fixture(scope="module")
def seen() -> Iterator[tuple[dict[str, Seen], Sender]]:
    with Analyzer() as analyzer, database_of(analyzer, _SUITE) as rows:
        executed = execute(rows, _SUITE, 12)
    with embedded_server() as server, lent(server, _SUITE) as url:
        yield executed, Sender(url)


@pytest.mark.parametrize(
    ("name", "claim", "categories"),
    [
        ("nulls", Claim((Kind("str", nullable=True),)), set()),
        ("nulls", Claim((_TEXT,)), {"null"}),
        ("nulls", Claim((Kind("int", nullable=True),)), {"type"}),
        ("nulls", Claim((_INT,)), {"null", "type"}),
        ("nulls", Claim(()), {"type"}),
        ("nulls", Claim((ANY,), (), 1), {"rows"}),
        ("nulls", Claim((ANY,), (), 0, 1), {"rows"}),
        ("some", Claim((_INT,), (_INT,), 0, 1), set()),
        ("some", Claim((_INT,), (_INT,), 1, 1), {"rows"}),
        # An argument is NULL only if the claim says that it may be.
        ("echo", Claim((_TEXT,), (_TEXT,), 1, 1), set()),
        ("echo", Claim((_TEXT,), (Kind("str", nullable=True),)), {"null"}),
        ("echo", Claim((_TEXT,), (_INT,)), {"parameter"}),
        ("given", Claim((_INT,), (_INT,), 1, 1), set()),
        ("given", Claim((_INT,), (Kind("int", nullable=True),), 1, 1), {"rows"}),
        ("elements", Claim((Kind("list", items=(Kind("int", nullable=True),)),)), set()),
        ("elements", Claim((Kind("list", items=(_INT,)),)), {"element"}),
        ("date", Claim((Kind("date"),), (Kind("date"),)), set()),
        ("date", Claim((Kind("date"),), (_TEXT,)), {"parameter"}),
    ],
)
def test_claim_is_refuted_by_executions(
    seen: tuple[dict[str, Seen], Sender], name: str, claim: Claim, categories: set[str]
) -> None:
    executed, sender = seen
    query = next(query for query in _SUITE.queries if query.name == name)
    found = refutations(_SUITE, query, "tool", claim, executed[name], ASYNCPG, sender)
    assert {one.category for one in found} == categories
