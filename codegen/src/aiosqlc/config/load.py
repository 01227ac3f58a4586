"""Find and read the configuration file, in sqlc's version 2 format with `gen: python:`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from aiosqlc.config.policy import McpPolicy, read_policy
from aiosqlc.config.project import (
    DeclaredColumn,
    DeclaredTable,
    JsonTarget,
    ModelKind,
    Override,
    Production,
    Project,
    PythonTarget,
    QuerySet,
)
from aiosqlc.config.reader import Reader, merged_pairs
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.messages.files import reason
from aiosqlc.parse.typenames import is_dotted, is_type, type_hint, unknown_type
from aiosqlc.source import Dialect, SourceFile
from aiosqlc.store.disk import read_bytes

if TYPE_CHECKING:
    from aiosqlc.ir import StoredJson, Tenant

DEFAULT_NAMES = ("sqlc.yaml", "sqlc.yml", "sqlc.json")

_TOP = (
    "version", "sql", "cloud", "project", "plugins", "rules", "servers", "overrides", "options",
    "mcp",
)  # fmt: skip
_TOP_OF_VERSION_1 = ("version", "packages", "overrides", "rename", "cloud", "rules")
_SET = (
    "name", "engine", "schema", "queries", "gen", "codegen", "database", "managed", "analyzer",
    "rules", "strict", "strict_function_checks", "strict_order_by", "not_null_functions", "shims",
    "server", "tenant", "production",
)  # fmt: skip
_PYTHON = (
    "out", "package", "driver", "models", "executor", "emit_class", "emit_protocol",
    "emit_exceptions", "emit_helpers", "overrides", "readers", "same_as", "contract", "typed_json",
    "json",
)  # fmt: skip
# Options of sqlc's own Python generator that always apply here or have no meaning here.
_PYTHON_OF_SQLC = (
    "emit_async_querier", "emit_exact_table_names", "emit_init_file", "emit_pydantic_models",
    "emit_str_enum", "emit_sync_querier", "inflection_exclude_table_names", "query_parameter_limit",
)  # fmt: skip
_OTHER_LANGUAGES = ("go", "kotlin", "typescript")
_OVERRIDE = ("db_type", "column", "query", "type", "decode", "encode")
_STORED_HINT = "such as `app.models.Preferences`, or `{schema: schemas/preferences.json}`"
_SERVERS = ("mysql", "mariadb")
_ENGINES = {"postgresql": Dialect.POSTGRESQL, "mysql": Dialect.MYSQL}
_SERVER_HINTS = {
    "mariadb": "write `engine: mysql` and `server: mariadb`",
    **dict.fromkeys(("pg", "psql", "pgsql", "postgre"), "did you mean `postgresql`?"),
}
_OTHER_ENGINES = ("sqlite", "clickhouse", "googlesql")


def find_config(path: Path | None, start: Path) -> Path | Diagnostic:
    """Return the configuration file: `path`, or the first default file name in `start`.

    If `path` is a folder, it replaces `start`.
    """
    if path is not None:
        folder = path if path.is_dir() else None
        if folder is None:
            return path if path.is_file() else _missing(f"no such configuration file: {path}")
        start = folder
    for name in DEFAULT_NAMES:
        if (start / name).is_file():
            return start / name
    *others, last = DEFAULT_NAMES
    where = "this folder" if start == Path() else str(start)
    return _missing(f"no {', '.join(others)} or {last} in {where}")


def _missing(message: str) -> Diagnostic:
    return Diagnostic(
        "E001",
        message,
        hint="pass a configuration file with `-f PATH`, or create a project with `aiosqlc init`",
    )


def load_project(
    path: Path, environ: Mapping[str, str] | None = None
) -> tuple[Project | None, list[Diagnostic]]:
    """Read a configuration file.

    Return None instead of a project if the configuration has errors.
    """
    try:
        text = read_bytes(path).decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        return None, [Diagnostic("E001", f"cannot read {path}: {reason(error)}")]
    file = SourceFile(Path(path.name), text)
    reader = Reader(file)
    root = reader.root()
    if root is None:
        return None, reader.problems
    loader = _Loader(reader, path.parent, os.environ if environ is None else environ)
    sets = loader.project(root)
    policy = loader.policy
    problems = sorted(reader.problems, key=lambda problem: problem.sort_key)
    return Project(file, path.parent, sets, policy), problems


class _Loader:
    """Reads the sections of one configuration file."""

    def __init__(self, reader: Reader, folder: Path, environ: Mapping[str, str]) -> None:
        self._reader = reader
        self._folder = folder
        self._environ = environ
        self._missed: set[str] = set()
        self.policy: McpPolicy | None = None

    def project(self, root: yaml.Node) -> tuple[QuerySet, ...]:
        reader = self._reader
        pairs = merged_pairs(root) if isinstance(root, yaml.MappingNode) else []
        before = any(key.value == "packages" for key, _ in pairs)
        top = reader.mapping(root, _TOP_OF_VERSION_1 if before else _TOP, "the configuration")
        version = reader.string(top.get("version"), "version")
        if version != "2" and isinstance(root, yaml.MappingNode):
            report = reader.error if "version" in top else reader.lacks
            report(
                top.get("version", root),
                f"the version is {version or 'missing'}, but aiosqlc supports only version 2",
                hint="`aiosqlc init` converts the file, and saves the old file under another name"
                if before
                else 'write `version: "2"`',
            )
            return ()
        for name in ("cloud", "servers"):
            if name in top:
                reader.warn(top[name], f"`{name}` has no effect in aiosqlc", "ignored")
        self.policy = read_policy(reader, top["mcp"]) if "mcp" in top else None
        shared = self._overrides(top.get("overrides"))
        entries = reader.items(top.get("sql"), "sql")
        if not entries and not reader.problems:
            reader.error(
                root,
                "`sql` has no entry",
                hint="add an entry with `engine`, `schema`, `queries` and `gen`",
            )
        known = [(index, entry) for index, entry in enumerate(entries) if not self._other(entry)]
        sets = [self._set(index, entry, shared) for index, entry in known]
        return tuple(found for found in sets if found)

    def _other(self, node: yaml.Node) -> bool:
        """Return whether an entry is for an engine of sqlc that this compiler does not support."""
        pairs = merged_pairs(node) if isinstance(node, yaml.MappingNode) else []
        for key, value in pairs:
            if key.value == "engine" and value.value in _OTHER_ENGINES:
                message = f"{value.value} is not supported: this entry is skipped"
                self._reader.warn(value, message, "the supported engines are PostgreSQL and MySQL")
                return True
        return False

    def _overrides(self, node: yaml.Node | None) -> tuple[Override, ...]:
        """Read the overrides for all entries: `overrides: {python: [...]}`."""
        known = ("python", *_OTHER_LANGUAGES)
        by_language = self._reader.mapping(node, known, "overrides")
        return self._override_list(by_language.get("python"))

    def _set(self, index: int, node: yaml.Node, shared: tuple[Override, ...]) -> QuerySet | None:
        reader = self._reader
        before = len(reader.problems)
        found = reader.mapping(node, _SET, "this entry")
        engine = reader.choice(found.get("engine"), _ENGINES, "engine", "", _SERVER_HINTS)
        for name in ("engine", "queries"):  # without a schema, the database itself is used
            if name not in found and len(reader.problems) == before:
                reader.error(node, f"`{name}` is missing", f"this entry needs `{name}`")
        schema = reader.strings(found.get("schema"), "schema")
        queries = reader.strings(found.get("queries"), "queries")
        database = reader.mapping(found.get("database"), ("uri", "managed", "auto"), "database")
        python, json = self._gen(found.get("gen"), shared, engine)
        if "codegen" in found:
            reader.warn(
                found["codegen"],
                "aiosqlc does not run plugins",
                "ignored",
                "use `gen: python:` or `gen: json:`",
            )
        uri = self._uri(database.get("uri"), has_schema="schema" in found)
        nothing = "schema" in found and not (schema or uri)
        if not engine or not queries or nothing:
            if len(reader.problems) == before:
                name = "schema" if queries else "queries"
                reader.error(found.get(name, node), f"`{name}` is empty: list the files")
            return None
        return QuerySet(
            index=index,
            span=reader.span(node),
            engine=_ENGINES[engine],
            schema=tuple(schema),
            queries=tuple(queries),
            schema_span=reader.span(found.get("schema", node)),
            queries_span=reader.span(found["queries"]),
            name=reader.string(found.get("name"), "name") or "",
            database_uri=uri,
            strict=reader.flag(found.get("strict"), "strict"),
            not_null_functions=tuple(reader.strings(found.get("not_null_functions"), "functions")),
            shims=tuple(reader.strings(found.get("shims"), "shims")),
            vet_rules=tuple(reader.strings(found.get("rules"), "rules")),
            server=reader.choice(found.get("server"), _SERVERS, "server", ""),
            tenant=self._tenant(found.get("tenant")),
            tenant_at=reader.place(found.get("tenant")),
            production=self._production(found.get("production"), engine),
            python=python,
            json=json,
        )

    def _tenant(self, node: yaml.Node | None) -> Tenant | None:
        """Read the key `tenant`: the tenant column, its parameter, and the shared tables."""
        from aiosqlc.ir import Tenant  # imported late, because most projects declare no tenants

        reader = self._reader
        if node is None:
            return None
        keys = ("column", "parameter", "shared", "table", "trust_foreign_keys")
        found = reader.mapping(node, keys, "tenant")
        column, *more = reader.strings(found.get("column"), "column") or [""]
        if not column:
            reader.lacks(node, "`tenant` needs `column`", "such as `column: tenant_id`")
            return None
        parameter = reader.string(found.get("parameter"), "parameter") or column
        return Tenant(
            column,
            parameter,
            tuple(reader.strings(found.get("shared"), "shared")),
            reader.flag(found.get("trust_foreign_keys"), "trust_foreign_keys"),
            reader.string(found.get("table"), "table") or "",
            tuple(more),
        )

    def _production(self, node: yaml.Node | None, engine: str) -> Production | None:
        """Read the key `production`: the path of the statistics, and declared numbers of rows."""
        reader = self._reader
        if node is None:
            return None
        found = reader.mapping(node, ("statistics", "tables"), "production")
        if engine != "postgresql":
            hint = "remove `production`, or move it to an entry with `engine: postgresql`"
            reader.error(node, "`production` works for PostgreSQL only", hint=hint)
        path = reader.string(found.get("statistics"), "statistics")
        tables = reader.mapping(found.get("tables"), (), "tables")
        declared = [self._declared(name, value) for name, value in tables.items()]
        return Production(self._folder / path if path else None, tuple(declared))

    def _declared(self, name: str, node: yaml.Node) -> DeclaredTable:
        """Read the declared size of a table: its number of rows, or a mapping with columns."""
        reader = self._reader
        if not isinstance(node, yaml.MappingNode):
            return DeclaredTable(name, reader.span(node), self._count(node, "rows"))
        found = reader.mapping(node, ("rows", "columns"), f"`{name}`")
        columns = reader.mapping(found.get("columns"), (), "columns")
        read = [self._column(column, value) for column, value in columns.items()]
        rows = self._count(found["rows"], "rows") if "rows" in found else None
        return DeclaredTable(name, reader.span(node), rows, tuple(read))

    def _column(self, name: str, node: yaml.Node) -> DeclaredColumn:
        """Read a column's distribution: frequencies of values, distinct values and NULL."""
        reader = self._reader
        found = reader.mapping(node, ("values", "distinct", "nulls"), f"`{name}`")
        values = reader.mapping(found.get("values"), (), "values")
        self._refuse_null(found.get("values"))
        shares = tuple((value, self._share(share)) for value, share in values.items())
        nulls = self._share(found["nulls"]) if "nulls" in found else None
        total = sum(share for _, share in shares) + (nulls or 0.0)
        if total > 1 + 1e-9:
            hint = "write fractions of all rows, such as `0.25`, whose sum is at most 1"
            reader.error(node, f"the fractions of `{name}` add up to {total:g}", hint=hint)
        distinct = (
            self._count(found["distinct"], "distinct values") if "distinct" in found else None
        )
        places = tuple((key, reader.span(value)) for key, value in found.items())
        return DeclaredColumn(name, reader.span(node), shares, distinct, nulls, places)

    def _refuse_null(self, node: yaml.Node | None) -> None:
        """Report the key NULL in `values`, because the key `nulls` has the fraction of NULL."""
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.tag == "tag:yaml.org,2002:null":
                share = value.value if isinstance(value, yaml.ScalarNode) else "0.5"
                hint = f"write `nulls: {share}` beside `values`, or quote the text `'null'`"
                self._reader.error(key, "`values` cannot contain NULL", hint=hint)

    def _count(self, node: yaml.Node, what: str) -> int:
        """Read a number such as `50000000` or `50_000_000`."""
        text = self._reader.string(node, f"a number of {what}")
        if text is not None and re.fullmatch(r"\d[\d_]{0,18}", text):
            return int(text)
        if text is not None:
            hint = "write a whole number, such as `50_000_000`"
            self._reader.error(node, f"`{text}` is not a number of {what}", hint=hint)
        return 0

    def _share(self, node: yaml.Node) -> float:
        """Read a fraction of all rows: a number from 0 to 1."""
        text = self._reader.string(node, "a fraction of rows")
        if text is not None and re.fullmatch(r"0?\.\d{1,15}|[01](\.0*)?", text):
            return float(text)
        if text is not None:
            hint = "write a number from 0 to 1, such as `0.25` for a quarter of all rows"
            self._reader.error(node, f"`{text}` is not a fraction of rows", hint=hint)
        return 0.0

    def _uri(self, node: yaml.Node | None, *, has_schema: bool) -> str | None:
        """Read the server's URI; `${NAME}` is taken from the environment.

        A missing variable is reported once, even if several entries use it.
        """
        uri = self._reader.string(node, "database.uri")
        if node is None or uri is None:
            return None
        missing = [name for name in re.findall(r"\$\{(\w+)\}", uri) if name not in self._environ]
        unsaid = [name for name in dict.fromkeys(missing) if name not in self._missed]
        if unsaid:
            self._missed |= set(unsaid)
            *others, last = unsaid
            said = (
                f"environment variables {', '.join(others)} and {last} are not set"
                if others
                else f"environment variable {last} is not set"
            )
            instead = "leave `database` out to use the embedded server"
            if not has_schema:
                instead = f"list the schema files under `schema`, and {instead}"
            it = "them" if others else "it"
            self._reader.error(node, said, "needed here", f"set {it}, or {instead}")
        if missing:
            return None
        return re.sub(r"\$\{(\w+)\}", lambda match: self._environ[match[1]], uri)

    def _gen(
        self, node: yaml.Node | None, shared: tuple[Override, ...], engine: str
    ) -> tuple[PythonTarget | None, JsonTarget | None]:
        reader = self._reader
        known = ("python", "json", *_OTHER_LANGUAGES)
        found = reader.mapping(node, known, "gen")
        for language in _OTHER_LANGUAGES:
            if language in found:
                reader.warn(
                    found[language],
                    f"no {language} code is generated",
                    "ignored",
                    (
                        "`aiosqlc init` converts the entry to `gen: python`; use `gen: json` for "
                        "another generator"
                    ),
                )
        python = self._python(found["python"], shared, engine) if "python" in found else None
        return python, self._json(found["json"]) if "json" in found else None

    def _drivers(self, node: yaml.Node | None, engine: str) -> list[str]:
        """Read the drivers: one name, or a list of names."""
        items = list(node.value) if isinstance(node, yaml.SequenceNode) else [node] if node else []
        found: list[str] = []
        for item in items:
            name = self._driver(item, engine)
            if name in found:
                self._reader.error(item, f"`{name}` is named twice")
            found.append(name)
        return found or [""]

    def _driver(self, node: yaml.Node, engine: str) -> str:
        """Read a driver's name, and report a name that the engine has no driver for."""
        # Imported late, because most projects name no driver.
        from aiosqlc.drivers import DRIVERS, NAMES

        found = self._reader.choice(node, NAMES, "driver", "")
        if found and engine and found not in (fitting := DRIVERS[_ENGINES[engine]]):
            message = f"`{found}` is not a driver for {engine}"
            self._reader.error(node, message, hint=f"one of {', '.join(fitting)}")
        return found

    def _python(
        self, node: yaml.Node, shared: tuple[Override, ...], engine: str
    ) -> PythonTarget | None:
        reader = self._reader
        found = reader.mapping(node, (*_PYTHON, *_PYTHON_OF_SQLC), "gen.python")
        for key in _PYTHON_OF_SQLC:
            if key in found and key != "emit_pydantic_models":
                reader.warn(found[key], f"`{key}` has no effect in aiosqlc", "ignored")
        pydantic = reader.flag(found.get("emit_pydantic_models"), "emit_pydantic_models")
        out = reader.string(found.get("out"), "out")
        if not out:
            reader.lacks(
                node,
                "`gen.python.out` is missing",
                "set `out` to the folder of the generated code",
            )
            return None
        package = reader.string(found.get("package"), "package") or ""
        if package and not is_dotted(package):
            reader.error(found["package"], f"`{package}` is not a dotted package name")
        executor = reader.string(found.get("executor"), "executor") or ""
        if executor and not is_dotted(executor):
            reader.error(found["executor"], f"`{executor}` is not the name of a module")
        same_as = reader.string(found.get("same_as"), "same_as") or ""
        if "contract" in found and not same_as:
            reader.error(
                found["contract"],
                (
                    "`contract` compares this entry with the entry of the other engine, so "
                    "`same_as` must name that entry"
                ),
            )
        contract = reader.mapping(found.get("contract"), ("out", "values"), "contract")
        test = reader.string(contract.get("out"), "contract.out")
        values = reader.mapping(contract.get("values"), (), "contract.values")
        usual = ModelKind.PYDANTIC if pydantic else ModelKind.DATACLASS
        models = reader.choice(found.get("models"), ModelKind, "models", usual)
        driver, *beside = self._drivers(found.get("driver"), engine)
        return PythonTarget(
            out=self._folder / out,
            span=reader.span(node),
            package=package,
            driver=driver,
            beside=tuple(beside),
            models=ModelKind(models),
            executor=executor,
            emit_class=reader.flag(found.get("emit_class"), "emit_class"),
            emit_protocol=reader.flag(found.get("emit_protocol"), "emit_protocol"),
            emit_exceptions=reader.flag(found.get("emit_exceptions"), "emit_exceptions"),
            emit_helpers=reader.flag(found.get("emit_helpers"), "emit_helpers"),
            readers=reader.flag(found.get("readers"), "readers"),
            typed_json=reader.flag(found.get("typed_json"), "typed_json"),
            json=self._stored(found.get("json"), pydantic=models == ModelKind.PYDANTIC),
            same_as=same_as,
            contract=self._folder / test if test else None,
            contract_values=tuple(
                (name, tuple(reader.strings(given, name))) for name, given in values.items()
            ),
            overrides=(*self._override_list(found.get("overrides")), *shared),
        )

    def _stored(self, node: yaml.Node | None, *, pydantic: bool) -> tuple[StoredJson, ...]:
        """Read the key `json`: a Python type, or a JSON Schema file, for each JSON column."""
        from aiosqlc.ir import StoredJson  # imported late, because most projects declare none

        reader = self._reader
        found = []
        for column, value in reader.mapping(node, (), "json").items():
            python, schema = "", None
            if isinstance(value, yaml.MappingNode):
                said = reader.mapping(value, ("schema",), f"json.{column}")
                schema = reader.string(said.get("schema"), "schema")
                if not schema:
                    reader.lacks(value, f"`{column}` needs a `schema`", hint=_STORED_HINT)
                    continue
            else:
                python = reader.string(value, f"json.{column}") or ""
                if not self._is_python(value, python):
                    continue
            found.append(
                StoredJson(
                    column=column,
                    file=reader.file,
                    span=reader.span(value),
                    folder=self._folder,
                    python=python,
                    schema=self._folder / schema if schema else None,
                    pydantic=pydantic,
                )
            )
        return tuple(found)

    def _is_python(self, node: yaml.Node, text: str) -> bool:
        """Return whether a text is a Python type with its module, and report any other text."""
        if not text or not is_type(text):
            self._reader.error(node, f"`{text}` is not a Python type", hint=_STORED_HINT)
            return False
        if name := unknown_type(text):
            message = f"`{name}` is not a built-in type: write the module before the type name"
            self._reader.error(node, message, hint=type_hint(name))
            return False
        return True

    def _override_list(self, node: yaml.Node | None) -> tuple[Override, ...]:
        read = [self._override(item) for item in self._reader.items(node, "overrides")]
        return tuple(override for override in read if override)

    def _override(self, node: yaml.Node) -> Override | None:
        reader = self._reader
        found = reader.mapping(node, _OVERRIDE, "this override")
        values = {key: reader.string(value, key) or "" for key, value in found.items()}
        targets = [key for key in ("db_type", "column", "query") if values.get(key)]
        if len(targets) != 1:
            reader.lacks(
                node,
                "an override needs exactly one target",
                "set exactly one of `db_type`, `column` and `query`",
            )
            return None
        if not values.get("type"):
            reader.lacks(
                node, "an override needs a `type`", hint="such as `type: app.models.Prefs`"
            )
            return None
        if not is_type(values["type"]):
            message = f"`{values['type']}` is not a type"
            reader.error(found["type"], message, hint="such as `list[app.models.Tag]`")
            return None
        if name := unknown_type(values["type"]):
            message = f"`{name}` is not a built-in type: write the module before the type name"
            reader.error(found["type"], message, hint=type_hint(name))
            return None
        for key in ("decode", "encode"):
            if values.get(key) and not is_dotted(values[key]):
                message = f"`{values[key]}` is not the name of a function"
                reader.error(found[key], message, hint="such as `app.models.decode_tag`")
                return None
        return Override(
            span=reader.span(node),
            python_type=values["type"],
            db_type=values.get("db_type", ""),
            column=values.get("column", ""),
            query=values.get("query", ""),
            decode=values.get("decode", ""),
            encode=values.get("encode", ""),
        )

    def _json(self, node: yaml.Node) -> JsonTarget | None:
        reader = self._reader
        found = reader.mapping(node, ("out", "filename", "indent"), "gen.json")
        out = reader.string(found.get("out"), "out")
        if not out:
            reader.lacks(
                node,
                "`gen.json.out` is missing",
                "set `out` to the folder of the generated document",
            )
            return None
        return JsonTarget(
            out=self._folder / out,
            filename=reader.string(found.get("filename"), "filename") or "codegen_request.json",
            indent=reader.string(found.get("indent"), "indent") or "",
        )
