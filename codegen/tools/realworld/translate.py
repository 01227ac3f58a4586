"""Translate the queries of other tools for sqlc; only annotations and parameters change.

    python -m tools.realworld.translate KIND FOLDER TO --schema GLOB... --queries GLOB...

KIND is aiosql (yesql and goyesql as well), hugsql, pugsql, pgtyped, squirrel or sqldelight.
TO becomes a project for `python -m tools.realworld --no-sqlc TO`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_CONFIG = """\
version: "2"
sql:
  - {engine: postgresql, schema: schema, queries: queries, gen: {json: {out: out}}}
"""
_SKIPPED = r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1|::"
_PARAM = re.compile(
    rf"{_SKIPPED}|(?<![\w:\]]):(?P<name>[A-Za-z_]\w*)(?P<sure>!?)|(?P<mark>\?)", re.DOTALL
)
_PATH = """\
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path TO {}, public', current_database());
END $$;
"""
_KOTLIN = re.compile(r"(?m)^import .*$|\s+AS\s+[A-Z]\w*(?:\.\w+)*(?:<[^>]*>)?(?=\s*(?:NOT|,|\n))")
_WORD = re.compile(r"\W")
_ROWS = re.compile(r"select|values|with|table|\(", re.IGNORECASE)
_SPREAD = re.compile(r"@param\s+(\w+)\s*->\s*(\([^@]*\))", re.DOTALL)
_INSERT = re.compile(r"INSERT\s+INTO\s+[^(]*\(([^)]*)\)\s*VALUES\s*\?", re.IGNORECASE)
_COMMANDS = {
    **dict.fromkeys(("^", "$", ":one", ":scalar"), ":one"),
    **dict.fromkeys(("!", "*!", ":raw"), ":exec"),
    **dict.fromkeys(("<!", ":insert"), ":one"),
    ":affected": ":execrows",
}

Query = tuple[str, str, str]  # name, its mark of what comes back, SQL


def main() -> int:
    """Write the translated project, and print its number of queries."""
    parser = argparse.ArgumentParser(prog="python -m tools.realworld.translate")
    parser.add_argument("kind", choices=sorted(_READERS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("to", type=Path)
    parser.add_argument("--schema", nargs="+", default=[])
    parser.add_argument("--queries", nargs="+", required=True)
    parser.add_argument("--path", help="default schema for names without a schema")
    asked = parser.parse_args()
    for name in ("schema", "queries"):
        (asked.to / name).mkdir(parents=True, exist_ok=True)
    (asked.to / "sqlc.yaml").write_text(_CONFIG, "utf-8")
    schema = [path for glob in asked.schema for path in sorted(asked.folder.glob(glob))]
    for number, path in enumerate(schema):
        shutil.copyfile(path, asked.to / "schema" / f"{number:04}_{path.stem}.sql")
        if asked.kind == "sqldelight":
            target = asked.to / "schema" / f"{number:04}_{path.stem}.sql"
            target.write_text(_KOTLIN.sub("", target.read_text("utf-8")), "utf-8")
    if asked.path:
        (asked.to / "schema" / "_.sql").write_text(f"CREATE SCHEMA IF NOT EXISTS {asked.path};\n")
        (asked.to / "schema" / "zz.sql").write_text(_PATH.format(asked.path), "utf-8")
    count, seen = 0, set[str]()
    for path in sorted({path for glob in asked.queries for path in asked.folder.glob(glob)}):
        found, tables = translate(asked.kind, path.stem, path.read_text("utf-8"))
        slug = re.sub(r"\W+", "_", str(path.relative_to(asked.folder).with_suffix("")))
        names = set(re.findall(r"(?m)^-- name: (\w+)", found))
        # If another file has a query with the same name, add the name of the file.
        for name in names & seen:
            found = re.sub(rf"(?m)^(-- name: ){name}\b", rf"\1{slug}_{name}", found)
        seen |= names
        if found:
            (asked.to / "queries" / f"{slug}.sql").write_text(found, "utf-8")
        if tables:
            (asked.to / "schema" / f"z_{slug}.sql").write_text(tables, "utf-8")
        count += found.count("-- name: ")
    sys.stdout.write(f"{count} queries, {len(schema)} schema files\n")
    return 0


def translate(kind: str, stem: str, text: str) -> tuple[str, str]:
    """Return a file's queries with sqlc's annotations, and its schema statements."""
    found, tables = [], []
    for name, mark, sql in _READERS[kind](stem, text):
        body = sql.strip().rstrip(";").rstrip()
        if not name or (not mark and re.match(r"create\s+table", body, re.IGNORECASE)):
            tables.append(f"{body};\n")
            continue
        bare = _outermost(body)
        writes = re.search(r"\b(insert|update|delete)\b", bare, re.IGNORECASE)
        reads = _ROWS.match(bare) and not writes
        returns = reads or re.search(r"\breturning\b", bare, re.IGNORECASE)
        command = _COMMANDS.get(mark) or (":many" if returns else ":exec")
        if command == ":one" and not returns:
            command = ":exec"
        found.append(f"-- name: {_WORD.sub('_', name)} {command}\n{body};\n")
    return "\n".join(found), "\n".join(tables)


def _outermost(sql: str) -> str:
    """Return a statement without its parenthesized parts: the rest shows the statement's kind."""
    bare = re.sub(r"(--[^\n]*(\n|$)|/\*.*?\*/|\s)+", " ", sql, flags=re.DOTALL).strip()
    inner = None
    while inner != bare:
        inner, bare = bare, re.sub(r"(?<!^)\([^()]*\)", " ", bare)
    return bare


def _named(sql: str, spread: dict[str, str] | None = None) -> str:
    """Return SQL with `@name` in place of `:name`, and `$n` in place of `?`."""
    marks = 0

    def put(match: re.Match[str]) -> str:
        nonlocal marks
        if match["mark"]:
            marks += 1
            return f"${marks}"
        name = match["name"]
        if not name:
            return match[0]
        if spread and name in spread:
            return spread[name]
        return f"@{name}" if match["sure"] or spread is None else f"sqlc.narg('{name}')"

    return _PARAM.sub(put, sql)


def _by_comment(pattern: str) -> Callable[[str, str], Iterator[Query]]:
    head = re.compile(pattern, re.MULTILINE)

    def read(_stem: str, text: str) -> Iterator[Query]:
        places = [*head.finditer(text)]
        ends = [match.start() for match in places[1:]] + [len(text)]
        for match, end in zip(places, ends, strict=True):
            yield match[1], match[2] or "", _named(text[match.end() : end])

    return read


def _pgtyped(_stem: str, text: str) -> Iterator[Query]:
    for match in re.finditer(r"/\*(?:[^*]|\*(?!/))*@name\s+(\w+)(.*?)\*/(.*?);", text, re.DOTALL):
        spread = {}
        for name, shape in _SPREAD.findall(match[2]):
            inner = [part.strip(" !") for part in re.findall(r"[\w!]+", shape)]
            picked = ", ".join(f"@{part}" for part in inner)
            spread[name] = f"({picked})" if inner else f"(sqlc.slice('{name}'))"
        yield match[1], "", _named(match[3], spread)


_HUGSQL = re.compile(r"^--[ \t]*:name[ \t]+([\w!?*-]+)((?:[ \t]+:[^\s:]+)*)[ \t]*$", re.MULTILINE)
_HUG_PARAM = re.compile(
    rf"{_SKIPPED}|(?<![\w:\]]):(?:v(?:alue)?(?P<many>\*)?:)?(?P<name>[A-Za-z_][\w-]*)", re.DOTALL
)


def _hugsql(_stem: str, text: str) -> Iterator[Query]:
    """Translate a HugSQL file; optional parts in Clojure comments become unconditional."""

    def put(match: re.Match[str]) -> str:
        if not match["name"]:
            return match[0]
        name = _WORD.sub("_", match["name"])
        return f"sqlc.slice('{name}')" if match["many"] else f"@{name}"

    places = [*_HUGSQL.finditer(text)]
    ends = [match.start() for match in places[1:]] + [len(text)]
    for match, end in zip(places, ends, strict=True):
        marks = set(match[2].split())
        mark = ":one" if marks & {":1", ":one", ":<!", ":returning-execute"} else ""
        sql = re.sub(r"/\*~.*?\*/", "", text[match.end() : end], flags=re.DOTALL)
        yield match[1].strip("!?*"), mark, _HUG_PARAM.sub(put, sql)


def _sqldelight(_stem: str, text: str) -> Iterator[Query]:
    text = re.sub(r"^import .*$", "", text, flags=re.MULTILINE)
    label = re.compile(r"^\s*(\w+):\s*\n|^\s*(\w+):\s*$", re.MULTILINE)
    for part in re.split(r";\s*(?:\n|$)", text):
        match = label.search(part)
        sql = part[match.end() :] if match else part
        rows = _INSERT.search(sql)
        if rows:  # a whole row is one parameter
            values = ", ".join(f":{name.strip()}" for name in rows[1].split(","))
            sql = sql[: rows.end() - 1] + f"({values})" + sql[rows.end() :]
        if sql.strip():
            yield (match[1] or match[2]) if match else "", "", _named(sql)


_READERS: dict[str, Callable[[str, str], Iterator[Query]]] = {
    "aiosql": _by_comment(r"^--\s*name:\s*([\w-]+)(?:\([^)\n]*\))?(\^|\$|<!|\*!|!|#)?[ \t]*$"),
    "pugsql": _by_comment(r"^--\s*:name\s+(\w+)(?:[ \t]+(:\w+))?[ \t]*$"),
    "hugsql": _hugsql,
    "pgtyped": _pgtyped,
    "squirrel": lambda stem, text: iter([(stem, "", text)]),
    "sqldelight": _sqldelight,
}

if __name__ == "__main__":
    sys.exit(main())
