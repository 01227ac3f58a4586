"""Find functions that never return NULL: `python -m aiosqlc.postgres.totality.build [URI …]`.

Every strict built-in function is called with unusual values. A function is not total if one result
is NULL or if no call succeeds. Some groups of functions return NULL depending on the state of the
server, which sample calls cannot show. These functions are excluded by name.
"""

from __future__ import annotations

import itertools
import random
import re
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from aiosqlc.postgres.totality.samples import KINDS, POLYMORPHIC, SAMPLES
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError
from aiosqlc.servers.postgres.embedded import binaries, embedded_server

TABLE = Path(__file__).with_name("functions.txt")
_MOST_CALLS = 600
# Functions whose NULL depends on existing objects, the user or earlier statements.
_STATEFUL = re.compile(
    r"pg_.*|has_.*|to_reg.*|txid_.*|inet_(?:client|server)_.*|binary_upgrade_.*|.*_description"
    r"|row_security.*|current_(?:setting|schema)|lo_.*|lo(?:read|write)|.*sequence.*|icu_.*"
    r"|system_user|ts_(?:lexize|parse|stat|token_type)|(?:query|table|schema|database|cursor)_to_.*"
    r"|xml.*|xpath.*|dsnowball_.*|currtid.*|be_lo.*|.*_support|.*_handler|RI_.*|suppress_.*|.*trigger.*"
    r"|.*_recv|.*_send|brin.*|gin_.*|gist_.*|spg_.*|bt(?!rim).*|.*sel|.*joinsel|close_.*"
    r"|.*_sortsupport|.*_transfn|.*_accum.*|.*_final.*|.*_combine.*|.*_serialize|.*_deserialize"
    r"|amvalidate|index_.*|jsonb?_populate_.*|jsonb_path_(?:exists|match|query_first).*"
)
# Functions that raise instead of returning NULL, according to the server's documentation.
_ARGUED = frozenset({
    "nextval", "setval", "currval", "lastval", "pg_size_pretty", "pg_backend_pid", "pg_notify",
    "pg_sleep", "pg_advisory_xact_lock", "pg_try_advisory_lock", "pg_try_advisory_xact_lock",
    "pg_advisory_lock", "pg_advisory_unlock", "pg_advisory_xact_lock_shared",
    "pg_current_xact_id", "pg_is_in_recovery", "pg_postmaster_start_time", "txid_current",
})  # fmt: skip
# Functions with documented NULL results that the samples do not trigger.
_KNOWN_NULL = frozenset({"regexp_substr", "regexp_match", "uuid_extract_timestamp", "parse_ident"})


class _Signature(Struct):
    oid: int
    name: str
    args: list[str]
    variadic: bool


_STRICT = """
select p.oid::int8 as oid, p.proname as name, p.provariadic <> 0 as variadic,
       array(select t.typname::text from unnest(p.proargtypes::oid[]) with ordinality a(oid, n)
             join pg_type t on t.oid = a.oid order by a.n) as args
from pg_proc p
where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and p.proisstrict
  and not p.proretset order by 1
"""


def main() -> int:
    """Regenerate the list for each embedded server version and for the servers of the URIs."""
    found: dict[int, dict[int, str]] = {}
    for uri in sys.argv[1:]:
        with Connection(uri) as connection:
            major = connection.major
        found[major] = _examine(uri)
    for major in (16, 18):
        binaries(major)
        with tempfile.TemporaryDirectory(prefix="aiosqlc-totality-") as folder:
            Path(folder).chmod(0o755)
            with embedded_server(Path(folder), major=major) as server:
                found[major] = _examine(server.conninfo("postgres"))
        sys.stdout.write(f"PostgreSQL {major}: {len(found[major])} total\n")
    TABLE.write_text(_written(found), encoding="utf-8")
    return 0


def _written(found: Mapping[int, Mapping[int, str]]) -> str:
    """Return the results by server version, as the text of a file."""
    by_line: dict[tuple[int, str], list[str]] = {}
    for major, facts in sorted(found.items()):
        for item in facts.items():
            by_line.setdefault(item, []).append(str(major))
    majors = " ".join(map(str, sorted(found)))
    head = (
        "# Strict functions that never give NULL for values; of some the versions that have them.\n"
        "# Made by `python -m aiosqlc.postgres.totality.build`; do not edit.\n"
        f"PostgreSQL {majors}\n"
    )
    return head + "".join(
        f"{oid} {signature}{'' if len(of) == len(found) else ' ' + ' '.join(of)}\n"
        for (oid, signature), of in sorted(by_line.items())
    )


def _examine(conninfo: str) -> dict[int, str]:
    total: dict[int, str] = {}
    connection = _connect(conninfo)
    signatures = connection.decode(_STRICT, _Signature)
    connection.run("set statement_timeout = '200ms'")
    for one in signatures:
        signature = f"{one.name}({','.join(one.args)})"
        if one.name in _KNOWN_NULL:
            continue
        if one.name in _ARGUED:
            total[one.oid] = signature
            continue
        if _STATEFUL.fullmatch(one.name):
            continue
        try:
            if _is_total(connection, one):
                total[one.oid] = signature
        except ConnectionFailedError:
            connection = _connect(conninfo)
            connection.run("set statement_timeout = '200ms'")
    connection.close()
    return total


def nulls_among(conninfo: str, oids: Collection[int]) -> list[str]:
    """Call functions with sample values, and return the names of those that return NULL."""
    connection = _connect(conninfo)
    signatures = [s for s in connection.decode(_STRICT, _Signature) if s.oid in set(oids)]
    connection.run("set statement_timeout = '200ms'")
    called = [s for s in signatures if s.name not in _ARGUED]
    found = [s.name for s in called if not _is_total(connection, s)]
    connection.close()
    return found


def _connect(conninfo: str) -> Connection:
    connection = Connection(conninfo)
    connection.run("create sequence a_sequence")
    connection.run("create type a_enum as enum ('low', 'high')")
    return connection


def _is_total(connection: Connection, one: _Signature) -> bool:
    """Call a function with sample values, and return whether it never returns NULL for them."""
    answered = False
    for args in _arguments(one):
        call = f"select pg_catalog.{_quoted(one.name)}({', '.join(args)}) is null"
        try:
            rows = connection.rows(call)
        except RuntimeError:
            continue
        answered = True
        if rows[0][0] == "t":
            return False
    return answered


def _quoted(name: str) -> str:
    return '"' + name + '"'


def _arguments(one: _Signature) -> Iterator[tuple[str, ...]]:
    for row in POLYMORPHIC if set(one.args) & set(KINDS) else POLYMORPHIC[:1]:
        choices = [_values(kind, row) for kind in one.args]
        if not all(choices):
            return
        if one.variadic:
            choices[-1] = [f"variadic {value}" for value in choices[-1]]
        combinations = list(itertools.islice(itertools.product(*choices), 200_000))
        if len(combinations) > _MOST_CALLS:
            combinations = random.Random(one.oid).sample(combinations, _MOST_CALLS)  # noqa: S311 - not a secret
        yield from combinations


def _values(kind: str, row: dict[str, list[str]]) -> list[str]:
    if kind in KINDS:
        return row[KINDS[kind]]
    if kind == "record":
        return SAMPLES["record"]
    cast = f'"{kind}"' if kind in {"char", "bit"} else kind
    return [f"{value}::{cast}" for value in SAMPLES.get(kind, [])]


if __name__ == "__main__":
    sys.exit(main())
