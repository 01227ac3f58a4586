"""iron_sql, which types strings in Python files by sqlc with a database. It needs Python 3.13."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

from bench.soundness.model import Claim, Kind, Query, Refusal, Suite, Verdict, Verdicts
from bench.soundness.peers.port import Peer, Place, ran
from bench.soundness.peers.sqlc import generated, write
from bench.soundness.spelling import in_python, module_of
from bench.soundness.values import PSYCOPG

# It fails for a whole module, so the calls are halved until each module has no error.
_SCRIPT = """
import json, shutil, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
sys.path.insert(0, ".")
from iron_sql.codegen import render_sql_module

refused = {}

def render(texts, part):
    folder = Path(part)
    (folder / "my").mkdir(parents=True, exist_ok=True)
    shutil.copy("schema.sql", folder)
    calls = [f"db_sql({text!r})" for text in texts.values()]
    (folder / "app.py").write_text("from my.db import db_sql\\n" + "\\n".join(calls) + "\\n")
    try:
        render_sql_module(
            schema_path=Path("schema.sql"), module_full_name="my.db", dsn_expr="conf:DSN",
            src_path=folder,
        ).write()
    except Exception as error:
        (folder / "app.py").unlink()
        if len(texts) == 1:
            refused[next(iter(texts))] = str(error)[:200]
            return
        names = list(texts)
        for number, half in enumerate((names[: len(names) // 2], names[len(names) // 2 :])):
            render({name: texts[name] for name in half}, f"{part}{number}")

texts = json.loads(Path("texts.json").read_text())
if texts:
    render(texts, "part")
Path("refused.json").write_text(json.dumps(refused))
"""


def _python(tools: Path) -> Path:
    return tools / "py313" / "bin" / "python"


def _ask(suite: Suite, place: Place) -> Verdicts:
    write(suite, place.folder, {"gen": {"json": {"out": ".", "filename": "out.json"}}}, place.url)
    refused, _ = generated(place.folder)
    texts = {q.name: q.sql for q in suite.queries if q.name not in refused}
    (place.folder / "texts.json").write_text(json.dumps(texts))
    (place.folder / "conf.py").write_text(f"DSN = {place.url!r}\n")
    (place.folder / "render.py").write_text(_SCRIPT)
    found = ran([_python(place.tools), "render.py"], place.folder)
    if found.returncode:
        raise RuntimeError(found.stderr)
    refused |= json.loads((place.folder / "refused.json").read_text())
    modules = [_Module(path.read_text()) for path in place.folder.glob("part*/my/db.py")]
    return {query.name: _verdict(query, modules, refused) for query in suite.queries}


def _verdict(query: Query, modules: list[_Module], refused: dict[str, str]) -> Verdict:
    if query.name in refused:
        return Refusal(refused[query.name])
    claims = [claim for module in modules if (claim := module.claim(query.sql))]
    return claims[0] if claims else Refusal("no function")


class _Module:
    """A generated module: the classes of its rows, and the class of each text."""

    def __init__(self, text: str) -> None:
        tree = module_of(text)
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        self._queries: dict[str, ast.ClassDef] = {}
        bases = {node.name: [ast.unparse(base) for base in node.bases] for node in classes}
        self._enums = {name: Kind("str") for name, base in bases.items() if base == ["StrEnum"]}
        self._rows = {
            node.name: [
                ast.unparse(item.annotation)
                for item in node.body
                if isinstance(item, ast.AnnAssign)
            ]
            for node in classes
            if node.name not in self._enums
        }
        by_name = {node.name: node for node in classes}
        for node in tree.body:
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_QUERIES":
                self._queries = {
                    str(ast.literal_eval(key)): by_name[ast.unparse(value)]
                    for key, value in _pairs(node.value)
                    if ast.unparse(value) in by_name  # none is written for `;` before a statement
                }

    def claim(self, sql: str) -> Claim | None:
        """Return what the module says of a text, None if it does not have it."""
        node = self._queries.get(sql)
        if node is None:
            return None
        methods = [item for item in node.body if isinstance(item, ast.AsyncFunctionDef)]
        arguments = [a for a in methods[0].args.args[1:] if a.annotation] if methods else []
        params = tuple(
            in_python(ast.unparse(a.annotation), self._enums) for a in arguments if a.annotation
        )
        row = re.sub(r"^Query\[(.*)\]$", r"\1", ast.unparse(node.bases[0]))
        if row == "None":
            return Claim((), params)
        fields = self._rows.get(row) or [row]
        return Claim(tuple(in_python(field, self._enums) for field in fields), params)


def _pairs(node: Any) -> list[tuple[ast.expr, ast.expr]]:
    return list(zip(node.keys, node.values, strict=True))


def _version(tools: Path) -> str:
    code = "from importlib.metadata import version; print(version('iron-sql'))"
    return ran([_python(tools), "-c", code], tools).stdout.strip()


PEER = Peer(
    "iron_sql",
    _version,
    lambda tools: "" if _python(tools).exists() else f"{_python(tools)} is missing",
    _ask,
    PSYCOPG,
)
