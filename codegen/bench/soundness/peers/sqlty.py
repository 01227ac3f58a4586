"""sqlty, which writes types into Python files. It needs Python 3.14."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from bench.soundness.model import ANY, Claim, Kind, Refusal, Suite, Verdict, Verdicts
from bench.soundness.peers.port import Peer, Place, ran
from bench.soundness.spelling import in_python
from bench.soundness.values import PSYCOPG

_CONFIG = '[tool.sqlty]\nschema = "schema.sql"\njson-types = "typing.TypedDict"\n'
_PLACE = re.compile(r"\$(\d+)")


def _python(tools: Path) -> Path:
    return tools / "py314"


def _ask(suite: Suite, place: Place) -> Verdicts:
    (place.folder / "pyproject.toml").write_text(_CONFIG)
    (place.folder / "schema.sql").write_text(suite.sql)
    for query in suite.queries:  # psycopg's parameters are named; a per cent sign is doubled
        text = _PLACE.sub(lambda found: f"%(p{found[1]})s", query.sql.replace("%", "%%"))
        (place.folder / f"{query.name}.py").write_text(f"QUERY = {'--sql' + chr(10) + text!r}\n")
    ran([_python(place.tools), "-m", "sqlty", "rewrite", "."], place.folder)
    checked = ran([_python(place.tools), "-m", "sqlty", "check", "."], place.folder).stdout
    said = dict(re.findall(r"^(\w+)\.py:\d+: (.*)", checked, re.MULTILINE))
    return {
        query.name: _read((place.folder / f"{query.name}.py").read_text(), said.get(query.name, ""))
        for query in suite.queries
    }


def _read(text: str, said: str) -> Verdict:
    tree = ast.parse(text)
    classes: dict[str, Kind] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            classes[node.name] = _typed_dict(node, classes)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if node.targets[0].id == "QUERY":
                return _claim(node.value, classes, said)
            classes[node.targets[0].id] = _functional(node.value, classes)
    return Refusal(said or "no type")


def _typed_dict(node: ast.ClassDef, classes: dict[str, Kind]) -> Kind:
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    texts = [ast.unparse(item.annotation) for item in fields]
    keys = tuple(ast.unparse(item.target) for item in fields)
    absent = frozenset(k for k, text in zip(keys, texts, strict=True) if "NotRequired" in text)
    return Kind("object", False, tuple(in_python(t, classes) for t in texts), keys, absent)


def _functional(value: ast.expr, classes: dict[str, Kind]) -> Kind:
    if not isinstance(value, ast.Call) or not isinstance(value.args[-1], ast.Dict):
        return ANY
    pairs = list(zip(value.args[-1].keys, value.args[-1].values, strict=True))
    keys = tuple(str(key.value) for key, _ in pairs if isinstance(key, ast.Constant))
    return Kind("object", False, tuple(in_python(ast.unparse(v), classes) for _, v in pairs), keys)


def _claim(value: ast.expr, classes: dict[str, Kind], said: str) -> Verdict:
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Subscript):
        return Refusal(said or "no type")
    generic = value.func.slice
    row = generic.elts[0] if isinstance(generic, ast.Tuple) else generic
    kind = in_python(ast.unparse(row), classes)
    params: tuple[Kind, ...] = ()
    if isinstance(generic, ast.Tuple) and len(generic.elts) > 1:
        given = in_python(ast.unparse(generic.elts[1]), classes)
        params = given.items if given.name == "object" else ()
    return Claim(kind.items, params) if kind.name == "tuple" else Claim(())


def _version(tools: Path) -> str:
    return ran([_python(tools), "-m", "sqlty", "version"], tools).stdout.strip().split()[-1]


PEER = Peer(
    "sqlty",
    _version,
    lambda tools: "" if _python(tools).exists() else f"{_python(tools)} (Python 3.14) is missing",
    _ask,
    PSYCOPG,
)
