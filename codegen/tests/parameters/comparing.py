"""Compare the claimed type of a parameter with the server, by descriptions and by calls.

The server names the type of each parameter. If this type is not specific enough, the generated
function is called with values that the generated reader decodes from literals of the claimed type.
Its result is compared with that of the same statement with the literal.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, get_type_hints

import asyncpg
import psycopg
from aiosqlc.config.load import load_project
from aiosqlc.ir import Analysis, TypedParam
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.compile import compile_parts
from aiosqlc.postgres import Analyzer
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.embedded import embedded_server

from tests.parameters.positions import (
    HERE,
    SCHEMA,
    VALUES,
    Position,
    of_clauses,
    of_functions,
    of_operators,
    table_of,
    tables,
    typed,
)
from tests.proofs.judge import scratch

_DRIVERS = ("asyncpg", "psycopg")
_ENTRY = """\
  - engine: postgresql
    schema: schema.sql
    queries: [values.sql, places.sql]
    gen:
      python: {{out: {0}, package: {0}, driver: {1}}}
"""
_ASSIGNED = frozenset(
    {"insert", "insert select", "insert rows", "update", "update row", "on conflict", "merge"}
)
_TYPE = """
select t.typname, e.typname from pg_type t
left join pg_type e on e.typarray = t.oid where t.oid = $1::oid
"""
# Types of which no driver passes a value: such a parameter is an error with a remedy.
_UNPASSABLE = frozenset({"record", "int2vector", "oidvector"})
_LONGEST = "3s"
_CANCELLED = "57014"
_TRIED = 3  # values at each position


@dataclass
class Tally:
    """The comparisons by kind of position: described, refused by the server, called, errors."""

    described: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    called: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=dict)

    @property
    def pairs(self) -> int:
        """Return the number of positions with a type, and of values passed at one."""
        return self.described.total() + self.called.total()

    @property
    def found(self) -> list[str]:
        """Return all errors."""
        return [text for texts in self.faults.values() for text in texts]

    def fault(self, kind: str, text: str) -> None:
        """Record an error."""
        self.faults.setdefault(kind, []).append(text)

    def report(self) -> str:
        """Return a table."""
        groups = {
            name: "clauses" if name not in {"functions", "aggregates", "operators"} else name
            for name in {*self.described, *self.refused, *self.called, *self.faults}
        }
        lines = ["| positions | described | refused by the server | values passed | faults |"]
        lines.append("|---|---|---|---|---|")
        for group in ("functions", "aggregates", "operators", "clauses"):
            members = [name for name, of in groups.items() if of == group]
            counts = [
                sum(counter[name] for name in members)
                for counter in (self.described, self.refused, self.called)
            ]
            faults = sum(len(self.faults.get(name, ())) for name in members)
            lines.append(f"| {group} | {' | '.join(f'{n:,}' for n in (*counts, faults))} |")
        return "\n".join([*lines, *(text for text in self.found[:40])])


def compare(folder: Path, seed: int, positions: int = 0, part: tuple[int, int] = (0, 1)) -> Tally:
    """Compare this number of positions, selected by the seed; 0 means all of them.

    `part` selects every n-th position, starting with one of the first n.
    """
    tally, random = Tally(), Random(seed)
    with embedded_server() as server, scratch(server, f"params_{seed % 10**6}") as connection:
        script = f"{SCHEMA}\n{tables()}"
        error = connection.run(script)
        assert error is None, error
        places = [*of_functions(connection), *of_operators(connection), *of_clauses(connection)]
        places = places[part[0] :: part[1]]
        if positions:
            places = random.sample(places, min(positions, len(places)))
        with Analyzer() as analyzer:
            analysis = _compile(folder, analyzer, script, places)
        written = (folder / package_of("asyncpg") / "places.py").read_text()
        params = {
            query.parsed.name: query.params
            for query in analysis.queries
            if f"async def {query.parsed.name.lower()}(" in written
        }
        _compare_types(connection, places, params, tally)
        url = server.conninfo(f"params_{seed % 10**6}")
        asyncio.run(_call_all(url, folder, places, params, tally, random))
    return tally


def _compile(folder: Path, analyzer: Analyzer, schema: str, places: Sequence[Position]) -> Analysis:
    folder.mkdir(parents=True, exist_ok=True)
    plain = "\n".join(line for line in schema.split("\n") if not line.startswith(" select"))
    (folder / "schema.sql").write_text(plain)
    (folder / "values.sql").write_text(
        "\n".join(
            f"-- name: V{number} :one\nSELECT v FROM {table_of(kind)} WHERE n = @n;"
            for number, kind in enumerate(VALUES)
        )
    )
    (folder / "places.sql").write_text(
        "\n".join(
            f"-- name: P{number} :many\n{place.text.replace(HERE, '@value')};"
            for number, place in enumerate(places)
        )
    )
    entries = "".join(_ENTRY.format(package_of(driver), driver) for driver in _DRIVERS)
    (folder / "sqlc.yaml").write_text(f'version: "2"\nsql:\n{entries}')
    project, problems = load_project(folder / "sqlc.yaml", environ={})
    assert project is not None, problems
    # The whole of each entry: the analyzer is not asked again for what the process remembers.
    parts = list(analyze_project(project, analyzer.analyze))
    compiled = compile_parts(project, parts, keep_going=True)
    assert len(compiled.files) > 3, compiled.diagnostics
    for file in compiled.files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text)
    return parts[0].analysis


def package_of(driver: str) -> str:
    """Return the package of a driver, because some types differ in Python between drivers."""
    return f"compared_{driver}"


# --- types ----------------------------------------------------------------------------------------


def _compare_types(
    connection: Connection,
    places: Sequence[Position],
    params: dict[str, tuple[TypedParam, ...]],
    tally: Tally,
) -> None:
    """Compare the claimed types with the types that the server describes."""
    known: dict[int, str] = {}
    for number, place in enumerate(places):
        oid = _described(connection, place.text.replace(HERE, "$1"))
        claimed = params.get(f"P{number}")
        if not oid:
            tally.refused[place.kind] += 1
            if claimed is not None:
                tally.fault(place.kind, f"taken, but refused by the server: {place.text}")
            continue
        if oid not in known:
            name, element = connection.rows(_TYPE, (str(oid),))[0]
            known[oid] = f"{element}[]" if element else str(name)
        if known[oid].removesuffix("[]") in _UNPASSABLE:
            tally.refused[place.kind] += 1
            if claimed is not None and known[oid].endswith("vector"):
                tally.fault(place.kind, f"{known[oid]} cannot be passed: {place.text}")
            continue
        tally.described[place.kind] += 1
        said = shown(claimed[0]) if claimed else "nothing"
        if said != known[oid]:
            tally.fault(place.kind, f"{said}, the server says {known[oid]}: {place.text}")


def shown(param: TypedParam) -> str:
    """Return a parameter's type in the form for comparisons."""
    return f"{param.type.name}{'[]' if param.type.array_dims else ''}"


def _described(connection: Connection, sql: str) -> int:
    """Return the OID of the only parameter of a text, or 0 if the server rejects the text."""
    pg = connection.pg
    pg.prepare(b"", sql.encode())
    result = pg.describe_prepared(b"")
    return result.param_type(0) if result.nparams == 1 else 0


# --- calls ----------------------------------------------------------------------------------------


@contextmanager
def _imported(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in [n for n in sys.modules if n.partition(".")[0] in map(package_of, _DRIVERS)]:
            del sys.modules[name]


async def _call_all(
    conninfo: str,
    folder: Path,
    places: Sequence[Position],
    params: dict[str, tuple[TypedParam, ...]],
    tally: Tally,
    random: Random,
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    plain = await psycopg.AsyncConnection.connect(conninfo, autocommit=False)
    native = await asyncpg.connect(
        host=parts["host"], port=parts.get("port"), user=parts["user"], database=parts["dbname"]
    )
    other = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
    chosen = [
        (number, place, kind, at)
        for number, place in enumerate(places)
        if place.callable
        and (claimed := params.get(f"P{number}"))
        and (kind := shown(claimed[0])) in VALUES
        for at in sorted(random.sample(range(len(VALUES[kind])), min(_TRIED, len(VALUES[kind]))))
    ]
    await plain.execute(f"set statement_timeout = '{_LONGEST}'")
    await plain.commit()
    with _imported(folder):
        wrapped = importlib.import_module(f"{package_of('psycopg')}.adapter").PsycopgExecutor(other)
        for driver, db, connection in (("asyncpg", native, native), ("psycopg", wrapped, other)):
            await connection.execute(f"set statement_timeout = '{_LONGEST}'")
            readers = importlib.import_module(f"{package_of(driver)}.values")
            module = importlib.import_module(f"{package_of(driver)}.places")
            values = {kind: await _values(readers, db, kind) for kind in VALUES}
            for number, place, kind, at in chosen:
                if at in values[kind]:
                    function = getattr(module, f"p{number}")
                    said = await _call(
                        connection, plain, db, function, place, kind, at, values[kind][at]
                    )
                    tally.called[place.kind] += said is not None
                    if said:
                        tally.fault(place.kind, f"{driver}: {said}: {place.text}")
    await native.close()
    await plain.close()
    await other.close()


async def _values(readers: Any, db: Any, kind: str) -> dict[int, object]:
    """Return the decoded value of each literal of a type; Python cannot represent some."""
    read = getattr(readers, f"v{list(VALUES).index(kind)}")
    found: dict[int, object] = {}
    for at in range(len(VALUES[kind])):
        try:
            found[at] = await read(db, n=at)
        except (ValueError, OverflowError, psycopg.DataError):
            continue
    return found


async def _call(
    connection: Any,
    plain: psycopg.AsyncConnection[Any],
    db: Any,
    function: Any,
    place: Position,
    kind: str,
    at: int,
    value: object,
) -> str | None:
    """Call a function with a value; return how its result differs, or '' if it does not.

    Return None if nothing can be compared, as for a None element that the hint excludes.
    """
    hint = str(get_type_hints(function)["value"])
    if _holds_none(value) and "| None" not in hint and "Optional" not in hint.partition("[")[2]:
        if place.kind in _ASSIGNED:
            return f"{value!r} of the reader is no {hint}"
        return None
    literal = typed(kind, VALUES[kind][at])
    expected = await _answer(plain, place.text.replace(HERE, f"({literal})"))
    if expected == _CANCELLED:  # a number of a million digits, a text of a billion signs
        return None
    found: object
    await connection.execute("begin")
    try:
        found = sorted(map(str, await function(db, value=value)))
    except asyncpg.PostgresError as error:
        found = error.sqlstate
    except psycopg.Error as error:
        found = error.sqlstate or f"{type(error).__name__}: {error}"
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    finally:
        await connection.execute("rollback")
    if found in (expected, _CANCELLED):
        return ""
    return f"{found!r} for {value!r}, the literal {literal} gives {expected!r}"


async def _answer(plain: psycopg.AsyncConnection[Any], sql: str) -> object:
    try:
        cursor = await plain.execute(sql.encode())
        return sorted(str(row[0]) for row in await cursor.fetchall())
    except psycopg.Error as error:
        return error.sqlstate
    finally:
        await plain.rollback()


def _holds_none(value: object) -> bool:
    return isinstance(value, list) and any(item is None or _holds_none(item) for item in value)
