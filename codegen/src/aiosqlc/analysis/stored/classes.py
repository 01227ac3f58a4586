"""Read the structure of a Python class from its source, without importing the module.

An import may have side effects, and a module of the application may import the generated code,
which does not exist yet.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.stored.scalars import anything, scalar
from aiosqlc.ir import JsonKind, JsonShape, Shared
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.parse.typenames import BARE
from aiosqlc.store.disk import read_bytes, signature

_SCALARS = {
    "str": "text", "int": "int8", "float": "float8", "bool": "bool", "decimal.Decimal": "numeric",
    "datetime.datetime": "timestamptz", "datetime.date": "date", "datetime.time": "time",
    "uuid.UUID": "uuid",
}  # fmt: skip
_LISTS = frozenset({"list", "typing.List", "collections.abc.Sequence", "typing.Sequence"})
_MAPS = frozenset({"dict", "typing.Dict", "collections.abc.Mapping", "typing.Mapping"})
_STRUCT, _MODEL = "msgspec.Struct", "pydantic.BaseModel"
_TYPED_DICT = "typing.TypedDict"
_PLAIN_BASES = frozenset({_STRUCT, _MODEL, _TYPED_DICT})
# Class arguments that do not change the JSON form of the members.
_KEYWORDS = frozenset({
    "frozen", "kw_only", "omit_defaults", "forbid_unknown_fields", "gc", "eq", "order",
    "cache_hash", "weakref", "total", "extra", "slots",
})  # fmt: skip
_WRAPPERS = frozenset({"typing.Annotated", "typing.Required", "typing.NotRequired"})
_FIELDS = frozenset({"pydantic.Field", "pydantic.fields.Field"})
_MOST_REEXPORTS = 10


class ClassProblem(Struct, frozen=True):
    """The reason why a Python type cannot describe stored JSON, with a correction."""

    message: str
    hint: str


class _Module(Struct, frozen=True):
    """A module's source file, its syntax tree, and its imported names."""

    name: str
    path: Path
    tree: ast.Module

    def imported(self) -> dict[str, str]:
        """Return the full dotted name of each object that the module imports, by imported name."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {(a.asname or a.name): a.name for a in node.names}
            if isinstance(node, ast.ImportFrom):
                source = self._source(node)
                found |= {(a.asname or a.name): f"{source}.{a.name}" for a in node.names}
        return found

    def _source(self, node: ast.ImportFrom) -> str:
        """Return the full name of the module from which `from … import` imports."""
        if not node.level:
            return node.module or ""
        package = self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        return f"{package}.{node.module}" if node.module else package

    def names(self) -> Iterator[str]:
        """Yield the names that the module defines at its top level."""
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield node.name
            for target in node.targets if isinstance(node, ast.Assign) else ():
                if isinstance(target, ast.Name):
                    yield target.id
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield node.target.id
            alias = getattr(node, "name", None)
            if type(node).__name__ == "TypeAlias" and isinstance(alias, ast.Name):
                yield alias.id  # from Python 3.12 on


def python_shape(text: str, folder: Path, *, pydantic: bool) -> JsonShape | ClassProblem:
    """Return the structure of a Python type such as `app.models.Prefs` or `list[app.models.Tag]`.

    `folder` is the project's folder. `pydantic` means that pydantic decodes the values. If the
    source of a class does not show the members, the structure has no members.
    """
    reader = _Classes(folder, pydantic=pydantic)
    tree = ast.parse(text, mode="eval").body
    try:
        return reader.annotation(tree, None)
    except _Unusable as found:
        return found.problem
    except RecursionError:
        message = f"the structure of `{text}` is nested too deeply"
        return ClassProblem(message, "write `Any` for the values below some depth")


def module_files(text: str, folder: Path) -> list[Path]:
    """Return the source files that decide the structure of a Python type."""
    reader = _Classes(folder, pydantic=False)
    with contextlib.suppress(_Unusable, RecursionError):
        reader.annotation(ast.parse(text, mode="eval").body, None)
    return sorted(reader.read)


class _Unusable(Exception):  # noqa: N818 - it becomes a diagnostic, and leaves no module
    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.problem = ClassProblem(message, hint)


def _path(module: str, folder: Path) -> Path | None:
    """Return the source file of a module, in the project or in an installed package."""
    parts = module.split(".")
    for root in (folder, folder / "src", Path.cwd(), *map(Path, sys.path)):
        inside = root.joinpath(*parts)
        for path in (inside.with_suffix(".py"), inside / "__init__.py"):
            if signature(path) is not None:
                return path
    return None


class _Classes:
    """Reads classes from source files, and collects the paths of the files in `read`.

    `within` detects a class that contains itself. `known` are the classes that were already read.
    """

    def __init__(self, folder: Path, *, pydantic: bool) -> None:
        self.folder = folder
        self.pydantic = pydantic
        self.within: list[str] = []
        self.known: dict[tuple[str, str], JsonShape] = {}
        self.read: set[Path] = set()

    def annotation(self, node: ast.expr, module: _Module | None) -> JsonShape:
        """Return the structure of the values that an annotation allows."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):  # a quoted annotation
            return self.annotation(_unquoted(node, module), module)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union([node.left, node.right], module)
        if isinstance(node, ast.Subscript):
            return self._generic(_full(node.value, module), _arguments(node), module)
        name = _full(node, module)
        if name in _SCALARS:
            return scalar(_SCALARS[name])
        if name in _LISTS | {"tuple", "set", "frozenset"}:
            return JsonShape(JsonKind.ARRAY, members=(("", anything()),), declared=True)
        if name in _MAPS:
            return JsonShape(JsonKind.MAP, members=(("", anything()),), declared=True)
        if name in {"typing.Any", "object"} or "." not in name:
            return anything()
        return self._named(name)

    def _union(self, nodes: list[ast.expr], module: _Module | None) -> JsonShape:
        some = [node for node in nodes if not _is_none(node)]
        if len(some) != 1:
            return anything()
        found = self.annotation(some[0], module)
        return replace(found, nullable=found.nullable or len(some) < len(nodes))

    def _generic(self, name: str, arguments: list[ast.expr], module: _Module | None) -> JsonShape:
        if name in {"typing.Optional", "typing.Union"}:
            none = [ast.Constant(None)] if name == "typing.Optional" else []
            return self._union([*arguments, *none], module)
        if name in _WRAPPERS and arguments:
            return self.annotation(arguments[0], module)
        if name == "typing.Literal":
            values = [item.value for item in arguments if isinstance(item, ast.Constant)]
            texts = tuple(value for value in values if isinstance(value, str))
            return scalar("text", texts) if len(texts) == len(arguments) else anything()
        if name in _LISTS and len(arguments) == 1:
            item = self.annotation(arguments[0], module)
            return JsonShape(JsonKind.ARRAY, members=(("", item),), declared=True)
        if name in _MAPS and len(arguments) == 2:
            item = self.annotation(arguments[1], module)
            return JsonShape(JsonKind.MAP, members=(("", item),), declared=True)
        return anything()

    def _named(self, name: str, reexports: int = 0, shown: str = "") -> JsonShape:
        """Return the structure of a class by its full name; `shown` is the name for messages."""
        shown = shown or name
        opaque = JsonShape(JsonKind.ANY, declared=True, name=shown)
        package, _, last = name.rpartition(".")
        module = self._module(package)
        if module is None:
            if package.partition(".")[0] in sys.stdlib_module_names:
                return opaque
            hint = "correct the name, or run the command where Python can import the module"
            raise _Unusable(f"there is no module `{package}`", hint)
        found = next((c for c in _classes(module.tree) if c.name == last), None)
        if found is None:
            origin = module.imported().get(last)
            if origin and reexports < _MOST_REEXPORTS and "." in origin:
                return self._named(origin, reexports + 1, shown)
            known = list(module.names())
            if last not in known and "*" not in module.imported():
                hint = did_you_mean(last, known, otherwise="write the name of a class in it")
                raise _Unusable(f"the module `{package}` has no `{last}`", hint)
            return opaque
        if name in self.within:
            return opaque
        if (name, shown) in self.known:
            return self.known[name, shown]
        self.within.append(name)
        members = self._members(found, module)
        self.within.pop()
        if members is None:
            return opaque
        whole = JsonShape(JsonKind.OBJECT, members=Shared(members), declared=True, name=shown)
        self.known[name, shown] = whole
        return whole

    def _module(self, name: str) -> _Module | None:
        path = _path(name, self.folder)
        if path is None:
            return None
        self.read.add(path)
        try:
            return _Module(name, path, ast.parse(read_bytes(path)))
        except (OSError, SyntaxError, ValueError) as error:
            said = f"{error.msg} (line {error.lineno})" if isinstance(error, SyntaxError) else error
            message = f"cannot read the module `{name}`: {said}"
            raise _Unusable(message, "correct the file") from None

    def _members(self, node: ast.ClassDef, module: _Module) -> list[tuple[str, JsonShape]] | None:
        """Return the members of a class, or None if its source does not show all of them."""
        bases = [_full(base, module) for base in node.bases]
        self._check_library(node.name, bases)
        inherited: dict[str, JsonShape] = {}
        for base in bases:
            own = next(
                (c for c in _classes(module.tree) if f"{module.name}.{c.name}" == base), None
            )
            if base in _PLAIN_BASES:
                continue
            above = self._members(own, module) if own else None
            if above is None:
                return None
            inherited |= dict(above)
        decorated = {_full(_callee(item), module) for item in node.decorator_list}
        known = bool(bases) or any(name.startswith(_DECORATORS) for name in decorated)
        if not known or any(item.arg not in _KEYWORDS for item in node.keywords):
            return None
        optional = _TYPED_DICT in bases and any(
            item.arg == "total" and ast.unparse(item.value) == "False" for item in node.keywords
        )
        for item in node.body:
            if isinstance(item, ast.Assign) and _assigns(item) == "model_config":
                return None
            if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
                continue
            kind = _full(_callee(_unquoted(item.annotation, module)), module)
            if kind in {"typing.ClassVar", "dataclasses.InitVar"}:
                continue
            about = _metadata(item.annotation, module)
            if any(_is_renamed(value) for value in (item.value, *about)):
                return None
            absent = optional or kind == "typing.NotRequired" or _may_be_absent(item.value)
            absent = absent or any(_has_default(value, module) for value in about)
            found = self.annotation(item.annotation, module)
            inherited[item.target.id] = replace(found, absent=absent)
        return list(inherited.items())

    def _check_library(self, name: str, bases: list[str]) -> None:
        """Raise an error for a class that the configured library cannot decode."""
        if _MODEL in bases and not self.pydantic:
            message = f"`{name}` is a pydantic class, but msgspec decodes the JSON"
            hint = "set `models: pydantic`, or declare a dataclass, TypedDict or msgspec.Struct"
            raise _Unusable(message, hint)
        if _STRUCT in bases and self.pydantic:
            message = f"`{name}` is a class of msgspec, but pydantic decodes the JSON"
            raise _Unusable(message, "declare a pydantic class, a dataclass or a TypedDict")


_DECORATORS = ("dataclasses.dataclass", "pydantic.dataclasses", "attr", "attrs")


def _classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    return (node for node in tree.body if isinstance(node, ast.ClassDef))


def _arguments(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _full(node: ast.expr, module: _Module | None) -> str:
    """Return the full dotted name of a type that a module or the configuration uses."""
    name = ast.unparse(node)
    first, dot, rest = name.partition(".")
    if module is None:
        return ".".join(BARE[name]) if name in BARE else name
    imported = module.imported()
    if first in imported:
        full = f"{imported[first]}{dot}{rest}"
        module_name, _, last = full.rpartition(".")
        return f"typing.{last}" if module_name == "typing_extensions" else full
    if any(item.name == first for item in _classes(module.tree)):
        return f"{module.name}.{name}"
    defined = first in set(module.names())
    return f"{module.name}.{name}" if defined else name


def _callee(node: ast.expr) -> ast.expr:
    """Return `name` if an expression is `name`, `name(…)` or `name[…]`."""
    if isinstance(node, ast.Call):
        return node.func
    return node.value if isinstance(node, ast.Subscript) else node


def _unquoted(node: ast.expr, module: _Module | None) -> ast.expr:
    """Return an annotation without its quotation marks."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return node
    try:
        return _unquoted(ast.parse(node.value, mode="eval").body, module)
    except (SyntaxError, ValueError, MemoryError):
        where = f" of the module `{module.name}`, line {node.lineno}" if module else ""
        message = f"cannot read the annotation `{node.value}`{where}"
        raise _Unusable(message, "correct the annotation") from None


def _metadata(node: ast.expr, module: _Module) -> list[ast.expr]:
    """Return the metadata in an `Annotated` type, such as `Field(alias="x")`."""
    node = _unquoted(node, module)
    if not isinstance(node, ast.Subscript):
        return []
    arguments = _arguments(node)
    if _full(node.value, module) not in _WRAPPERS or not arguments:
        return []
    return [*arguments[1:], *_metadata(arguments[0], module)]


def _assigns(node: ast.Assign) -> str:
    return ast.unparse(node.targets[0])


def _is_renamed(value: ast.expr | None) -> bool:
    """Return whether a field's value, such as `field(name="x")`, renames the field in JSON."""
    names = {"alias", "name", "validation_alias", "serialization_alias"}
    return isinstance(value, ast.Call) and any(item.arg in names for item in value.keywords)


def _may_be_absent(value: ast.expr | None) -> bool:
    """Return whether the value of a field sets a default; `Field(gt=0)` does not set one."""
    return _gives_default(value) if isinstance(value, ast.Call) else value is not None


def _has_default(value: ast.expr, module: _Module) -> bool:
    """Return whether an argument of `Annotated` is pydantic's `Field` with a default."""
    called = isinstance(value, ast.Call) and _full(value.func, module) in _FIELDS
    return called and _may_be_absent(value)


def _gives_default(call: ast.Call) -> bool:
    named = {item.arg for item in call.keywords}
    return bool(named & {"default", "default_factory", "factory"} or call.args)
