"""Convert a configuration for other generators of sqlc to a configuration for this compiler."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from msgspec import Struct, field

_ENGINES = ("postgresql", "mysql")
_KEPT = ("name", "engine", "schema", "queries", "strict", "not_null_functions", "shims")
# Ignored without a message, because the server checks these anyway.
_NEEDLESS = frozenset({"strict_function_checks", "strict_order_by", "analyzer"})
_MODELS = ("dataclass", "msgspec", "pydantic", "attrs")
# Options of the Python plugins with the same meaning here, or that always apply here.
_SAME = {"package": "package", "emit_classes": "emit_class"}
_ALWAYS = frozenset({"emit_async_querier", "emit_str_enum", "sql_driver", "emit_init_file"})


class Converted(Struct):
    """A converted configuration, and the dropped keys of the former configuration."""

    document: dict[str, Any] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)

    @property
    def outs(self) -> list[str]:
        """Return the folders that generated code is written to."""
        return [entry["gen"]["python"]["out"] for entry in self.document["sql"]]


def is_ours(document: Mapping[str, Any]) -> bool:
    """Return whether a configuration already uses this compiler."""
    return any("python" in _mapping(entry.get("gen")) for entry in _entries(document))


def convert(document: Mapping[str, Any], out: str) -> Converted:
    """Convert a configuration, and list the settings that were dropped.

    The engine, schema, queries and Python settings are kept.

    `out` is the folder for the generated code. If there are several entries, each of their old
    folders becomes a subfolder.
    """
    entries = _entries(document)
    converter = _Converter(Converted(), out, _folders([_old_out(entry) for entry in entries]))
    made = [converter.entry(number, entry) for number, entry in enumerate(entries)]
    found = converter.converted
    found.document = {"version": "2", "sql": _joined([entry for entry in made if entry])}
    found.dropped = _grouped(found.dropped)
    for key in document:
        if key not in {"version", "sql", "packages", "plugins"}:
            found.dropped.append(f"{key}: {_shown(document[key])}")
    return found


def _old_out(entry: Mapping[str, Any]) -> str:
    """Return the output folder that an entry names for another language's generator, or ''."""
    languages = [v for k, v in _mapping(entry.get("gen")).items() if k != "json"]
    plugins = _items(entry.get("codegen"))
    outs = (str(_mapping(item).get("out") or "") for item in (*languages, *plugins))
    return next((found for found in outs if found), "")


def _folders(outs: Sequence[str]) -> dict[str, str]:
    """Map each old output folder to a short, unique name from its path, or a single one to ''."""
    old = [found for found in dict.fromkeys(outs) if found]
    if len(outs) < 2:
        return dict.fromkeys(old, "")
    parts = [PurePosixPath(found).parts for found in old]
    if len({part[-1] for part in parts if part}) < len(old):
        shortest = min(len(part) for part in parts)
        ahead = _alike(parts, shortest - 1)
        behind = _alike([part[::-1] for part in parts], shortest - 1 - ahead)
        parts = [part[ahead : len(part) - behind] for part in parts]
    else:
        parts = [part[-1:] for part in parts]
    named: dict[str, str] = {}
    for found, own in zip(old, parts, strict=True):
        name = re.sub(r"\W+", "_", "_".join(part for part in own if part != "..")).strip("_")
        other = sum(1 for before in named.values() if before == name)
        named[found] = f"{name}_{other + 1}" if other else name
    return named


def _alike(parts: Sequence[Sequence[str]], most: int) -> int:
    """Return how many leading path components all folders have in common, at most `most`."""
    at = 0
    while at < most and len({part[at] for part in parts}) == 1:
        at += 1
    return at


def _joined(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge entries that differ only in name and query files, so that they share a folder."""
    found: list[dict[str, Any]] = []
    for entry in entries:
        alike = next((item for item in found if _but_queries(item) == _but_queries(entry)), None)
        if alike is None:
            found.append(entry)
            continue
        queries = dict.fromkeys([*_texts(alike.get("queries")), *_texts(entry.get("queries"))])
        alike["queries"] = list(queries) if len(queries) > 1 else next(iter(queries))
    return found


def _but_queries(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in {"queries", "name"}}


def _texts(value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value])]


_OF_ENTRY = re.compile(r"sql\[(\d+)\]")


def _grouped(dropped: Iterable[str]) -> list[str]:
    """Merge messages about dropped settings that are the same for several configuration entries."""
    found: dict[str, dict[int, None]] = {}
    for what in dropped:
        entry = _OF_ENTRY.match(what)
        if entry:
            found.setdefault(what[entry.end() :], {})[int(entry[1])] = None
    lines: dict[tuple[str, str], list[str]] = {}  # by entries and by key
    for rest, numbers in found.items():
        key, _, value = rest.partition(": ")
        lines.setdefault((_spans(list(numbers)), key), []).append(value)
    return [
        f"sql[{numbers}]{key}: {value}"
        for (numbers, key), values in lines.items()
        for value in _first(values)
    ]


_SHOWN = 3  # most message lines per key


def _first(values: Sequence[str]) -> Sequence[str]:
    """Shorten a long list of dropped values; the old file still contains all values."""
    if len(values) <= _SHOWN + 1:
        return values
    return [*values[:_SHOWN], f"{len(values) - _SHOWN} more"]


def _spans(numbers: Sequence[int]) -> str:
    """Format increasing numbers: `0-3, 5`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)


def _entries(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the entries of a configuration; entries of version 1 are converted to version 2."""
    entries = [_mapping(entry) for entry in _items(document.get("sql"))]
    for package in (_mapping(entry) for entry in _items(document.get("packages"))):
        kept = {key: package[key] for key in _KEPT if key in package}
        options = {k: v for k, v in package.items() if k not in {*_KEPT, "path"}}
        go = {"out": package.get("path", ""), **options}
        entries.append({"engine": "postgresql", **kept, "gen": {"go": go}})
    return entries


class _Converter(Struct):
    converted: Converted
    out: str
    folders: Mapping[str, str]

    def entry(self, number: int, entry: Mapping[str, Any]) -> dict[str, Any] | None:
        where = f"sql[{number}]"
        if entry.get("engine") not in _ENGINES:
            self._drop(f"{where}: the engine {entry.get('engine')} is not supported")
            return None
        made = {key: entry[key] for key in _KEPT if key in entry}
        uri = _mapping(entry.get("database")).get("uri")
        if uri:
            made["database"] = {"uri": uri}
        handled = {*_KEPT, *_NEEDLESS, "database", "gen", "codegen"}
        for key in entry:
            if key not in handled:
                self._drop(f"{where}.{key}: {_shown(entry[key])}")
        made["gen"] = self._gen(where, entry)
        return made

    def _gen(self, where: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        gen = _mapping(entry.get("gen"))
        made: dict[str, Any] = {"python": {}}
        for language, options in gen.items():
            if language == "json":
                made["json"] = options
            else:
                self._drop_options(f"{where}.gen.{language}", _mapping(options))
        for plugin in (_mapping(item) for item in _items(entry.get("codegen"))):
            name = str(plugin.get("plugin", ""))
            at = f"{where}.codegen.{name}"
            if name.startswith("py") or "python" in name:
                made["python"] = {"out": plugin.get("out") or self.out}
                made["python"] |= self._python(at, _mapping(plugin.get("options")))
            else:
                self._drop_options(at, _mapping(plugin.get("options")))
        if not made["python"]:
            folder = self.folders.get(_old_out(entry), "")
            made["python"] = {"out": str(PurePosixPath(self.out) / folder)}
        return made

    def _drop_options(self, where: str, options: Mapping[str, Any]) -> None:
        self._drop(f"{where}: the options are for another programming language")
        for key, value in options.items():
            if key in {"overrides", "rename"}:
                for item in _items(value) or [value]:
                    self._drop(f"{where}.{key}: {_shown(item)}")

    def _python(self, where: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Translate the options of sqlc-gen-python and sqlc-gen-better-python."""
        made: dict[str, Any] = {}
        for key, value in options.items():
            if key in _SAME:
                made[_SAME[key]] = value
            elif key == "model_type" and value in _MODELS:
                made["models"] = value
            elif key == "emit_pydantic_models":
                made |= {"models": "pydantic"} if value else {}
            elif key == "overrides":
                made["overrides"] = [
                    o for item in _items(value) if (o := self._override(where, item))
                ]
            elif key not in _ALWAYS:
                self._drop(f"{where}.{key}: {_shown(value)}")
        return {key: value for key, value in made.items() if value not in ([], False, "")}

    def _override(self, where: str, item: Any) -> dict[str, str] | None:
        """Translate `{column | db_type, py_type: {import, type}}`, without converters."""
        override, python = _mapping(item), _mapping(_mapping(item).get("py_type"))
        target = next((key for key in ("column", "db_type") if override.get(key)), None)
        if target is None or not python.get("type") or override.get("converter"):
            self._drop(f"{where}.overrides: {_shown(item)}")
            return None
        parts = [str(python[key]) for key in ("import", "type") if python.get(key)]
        name = parts[-1] if "." in parts[-1] else ".".join(parts)
        return {target: str(override[target]), "type": name}

    def _drop(self, what: str) -> None:
        self.converted.dropped.append(what)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _shown(value: Any) -> str:
    """Return a value as one line of text, shortened if it is long."""
    if isinstance(value, dict):
        text = ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
    elif isinstance(value, Iterable) and not isinstance(value, str):
        text = ", ".join(_shown(inner) for inner in value)
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 70 else text[:69] + "…"
