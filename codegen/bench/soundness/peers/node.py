"""SafeQL, a rule of ESLint, and PgTyped: both ask a database, and write TypeScript."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.soundness.model import Claim, Kind, Query, Refusal, Suite, Verdict, Verdicts
from bench.soundness.peers.port import Peer, Place, ran
from bench.soundness.spelling import in_typescript
from bench.soundness.values import NODE, ServerType, scalar_of

_PLACE = re.compile(r"\$(\d+)")


def _modules(tools: Path) -> Path:
    return tools / "node" / "node_modules"


def _absent(name: str, tools: Path) -> str:
    found = _modules(tools) / name
    return "" if found.exists() else f"{found} is missing"


def _version(name: str, tools: Path) -> str:
    return str(json.loads((_modules(tools) / name / "package.json").read_text())["version"])


# --- SafeQL ------------------------------------------------------------------------------------

_SAFEQL = "@ts-safeql/eslint-plugin"
_ESLINT = """
const safeql = require("@ts-safeql/eslint-plugin");
const tseslint = require("typescript-eslint");
module.exports = [{
  files: ["*.ts"],
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: { project: "./tsconfig.json", tsconfigRootDir: __dirname },
  },
  plugins: { "@ts-safeql": safeql },
  rules: { "@ts-safeql/check-sql": ["error", { connections: {
    databaseUrl: URL, targets: [{ tag: "sql", transform: "{type}" }] } }] },
}];
"""
_TSCONFIG = {
    "compilerOptions": {"strict": True, "target": "es2022", "skipLibCheck": True},
    "include": ["*.ts"],
}


def _ask_safeql(suite: Suite, place: Place) -> Verdicts:
    (place.folder / "node_modules").symlink_to(_modules(place.tools))
    config = _ESLINT.replace("URL", json.dumps(place.url))
    (place.folder / "eslint.config.cjs").write_text(config)
    (place.folder / "tsconfig.json").write_text(json.dumps(_TSCONFIG))
    (place.folder / "package.json").write_text("{}")
    for query in suite.queries:
        text = _template(query, place.params.get(query.name, ()))
        (place.folder / f"{query.name}.ts").write_text(text)
    command = ["node_modules/.bin/eslint", "--fix", "-f", "json", "."]
    found = ran(command, place.folder, 900)
    said: dict[str, str] = {}
    for file in json.loads(found.stdout or "[]"):
        messages = [item["message"] for item in file["messages"]]
        if messages:
            said[Path(file["filePath"]).stem] = messages[0]
    if not found.stdout:
        raise RuntimeError(found.stderr)
    return {
        q.name: Refusal(said[q.name]) if q.name in said
        else _of_tag((place.folder / f"{q.name}.ts").read_text(), place.names.get(q.name, ()))
        for q in suite.queries
    }  # fmt: skip


def _template(query: Query, params: tuple[ServerType, ...] | list[ServerType] | object) -> str:
    """Return a file in which a tag has the query; each parameter is a variable of its type."""
    kinds = list(params) if isinstance(params, tuple | list) else []
    declared = "".join(
        f"declare const p{number}: {_typescript(kind)};\n" for number, kind in enumerate(kinds, 1)
    )
    body = query.sql.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    body = _PLACE.sub(lambda found: f"${{p{found[1]}}}", body)
    tag = "declare function sql<T>(text: TemplateStringsArray, ...values: unknown[]): T;"
    return f"export {{}};\n{tag}\n{declared}export const query = sql`{body}`;\n"


def _typescript(kind: ServerType) -> str:
    if kind.element:
        return f"{_typescript(kind.element)}[]"
    return scalar_of(kind, NODE) or "string"


def _of_tag(text: str, names: Sequence[str]) -> Verdict:
    found = re.search(r"export const query = sql<(.*?)>`", text, re.DOTALL)
    if not found:
        return Claim(())  # a statement without rows needs no type
    kind = in_typescript(found[1])
    if kind.name == "list":
        kind = kind.items[0]
    return Claim(_in_order(dict(zip(kind.keys, kind.items, strict=True)), names))


def _in_order(columns: Mapping[str, Kind], names: Sequence[str]) -> tuple[Kind, ...]:
    """Return the members of a row's object in the order of the columns: it is sorted by name.

    Columns of one name are one member.
    """
    if set(columns) != set(names):
        return tuple(columns.values())
    return tuple(columns[name] for name in names)


SAFEQL = Peer(
    "SafeQL",
    lambda tools: _version(_SAFEQL, tools),
    lambda tools: _absent(_SAFEQL, tools),
    _ask_safeql,
    NODE,
)


# --- PgTyped -----------------------------------------------------------------------------------

_PGTYPED = "@pgtyped/cli"
_TYPE = re.compile(r"^export type (\w+) = (.*?);$", re.MULTILINE)
_INTERFACE = re.compile(r"^export interface (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_NOTHING = re.compile(r"^export type (\w+) = void;", re.MULTILINE)


def _ask_pgtyped(suite: Suite, place: Place) -> Verdicts:
    (place.folder / "node_modules").symlink_to(_modules(place.tools))
    source = place.folder / "src"
    source.mkdir()
    files = {"mode": "sql", "include": "**/*.sql", "emitTemplate": "{{dir}}/{{name}}.ts"}
    config = {
        "transforms": [files],
        "srcDir": "./src/",
        "failOnError": False,
        "maxWorkerThreads": 1,
        "dbUrl": place.url,
    }
    (place.folder / "config.json").write_text(json.dumps(config))
    for query in suite.queries:
        text = _PLACE.sub(r":p\1", query.sql)
        (source / f"{query.name}.sql").write_text(f"/* @name {query.name} */\n{text};\n")
    found = ran(["node_modules/.bin/pgtyped", "-c", "config.json"], place.folder, 900)
    (place.folder / "said").write_text(found.stdout + found.stderr)
    return {
        q.name: _of_module(q, source / f"{q.name}.ts", place.names.get(q.name, ()))
        for q in suite.queries
    }


def _of_module(query: Query, path: Path, names: Sequence[str]) -> Verdict:
    if not path.exists():
        return Refusal("no output")
    text = path.read_text()
    named = {name: in_typescript(body) for name, body in _TYPE.findall(text) if name != "Json"}
    parts = dict(_INTERFACE.findall(text))
    stem = f"I{query.name[0].upper()}{query.name[1:]}"
    if f"{stem}Query" not in parts and f"{stem}Result" not in parts:
        return Refusal("no type")
    result, params = parts.get(f"{stem}Result", ""), parts.get(f"{stem}Params", "")
    columns, given = _members(result, named), _members(params, named)
    if "Query contains an error" in text or columns == {"": Kind("never")}:
        return Refusal("an error in the query")
    return Claim(_in_order(columns, names), tuple(given[key] for key in sorted(given, key=_number)))


def _number(name: str) -> int:
    digits = re.sub(r"\D", "", name)
    return int(digits or 0)


def _members(body: str, named: dict[str, Kind]) -> dict[str, Kind]:
    found = in_typescript("{" + re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL) + "}", named)
    return dict(zip(found.keys, found.items, strict=True))


PGTYPED = Peer(
    "PgTyped",
    lambda tools: _version(_PGTYPED, tools),
    lambda tools: _absent(_PGTYPED, tools),
    _ask_pgtyped,
    NODE,
)
