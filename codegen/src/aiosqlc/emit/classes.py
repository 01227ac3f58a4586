"""Render row classes and enums as source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial

from aiosqlc.config.project import ModelKind
from aiosqlc.emit.literal import docstring, indented, line_literal
from aiosqlc.plan.model import Import, PyClass, PyEnum
from aiosqlc.plan.naming import MODEL_BEGINNINGS

CLASS_IMPORTS: dict[ModelKind, Import] = {
    ModelKind.DATACLASS: ("dataclasses", "dataclass"),
    ModelKind.MSGSPEC: ("msgspec", ""),
    ModelKind.PYDANTIC: ("pydantic", "BaseModel"),
    ModelKind.ATTRS: ("attrs", ""),
}


def print_class(cls: PyClass) -> str:
    """Return the source of a row class: a class statement, or an assignment for an alias."""
    if cls.alias:
        return f"{cls.name} = {cls.alias}"
    gc = ", gc=False" if cls.atomic else ""
    head = {
        ModelKind.DATACLASS: f"@dataclass(slots=True)\nclass {cls.name}:",
        ModelKind.MSGSPEC: f"class {cls.name}(msgspec.Struct, frozen=True{gc}):",
        ModelKind.PYDANTIC: f"class {cls.name}(BaseModel):",
        ModelKind.ATTRS: f"@attrs.define\nclass {cls.name}:",
    }[cls.kind]
    defaults = [f" = {item.default}" if item.default else "" for item in cls.fields]
    body = [
        f"{name}: {kind}{d}" for (name, kind, _), d in zip(_annotated(cls), defaults, strict=True)
    ]
    if settings := _settings(cls):
        body = [f"model_config = ConfigDict({', '.join(settings)})", "", *body]
    if cls.doc:
        body = [docstring((cls.doc,)), "", *body]
    return indented(head, body)


def _settings(cls: PyClass) -> list[str]:
    """Return the pydantic settings with which a class accepts all values and names of columns."""
    if cls.kind is not ModelKind.PYDANTIC:
        return []
    # A numeric may be NaN or infinite, which pydantic refuses of a Decimal.
    numeric = any("Decimal" in _WORD.findall(item.type.annotation) for item in cls.fields)
    arbitrary = any(not item.type.atomic for item in cls.fields)
    warned = any(item.name.startswith(MODEL_BEGINNINGS) for item in cls.fields)
    return [
        *(["allow_inf_nan=True"] if numeric else []),
        *(["arbitrary_types_allowed=True"] if arbitrary else []),
        *(["protected_namespaces=()"] if warned else []),
    ]


_WORD = re.compile(r"""'[^']*'|"[^"]*"|(?<![.\w])\w+""")


def _annotated(cls: PyClass) -> Iterator[tuple[str, str, set[str]]]:
    """Yield each attribute, its annotation, and the type names that earlier attributes shadow.

    After `date: date`, a type checker reads `date` as the attribute, so later annotations use
    `_date`.
    """
    above: set[str] = set()
    for item in cls.fields:
        hidden = above.intersection(_WORD.findall(item.type.annotation))
        annotation = _WORD.sub(partial(_second_name, hidden), item.type.annotation)
        yield item.name, annotation, hidden
        above.add(item.name)


def _second_name(hidden: set[str], word: re.Match[str]) -> str:
    return f"_{word.group()}" if word.group() in hidden else word.group()


def print_aliases(classes: Iterable[PyClass]) -> list[str]:
    """Return an alias such as `_date = date` for each type whose name an attribute shadows."""
    found = {
        name for cls in classes if not cls.alias for *_, names in _annotated(cls) for name in names
    }
    return [f"_{name} = {name}" for name in sorted(found)]


def class_imports(cls: PyClass) -> set[Import]:
    """Return the imports that the source of a class needs."""
    found = {CLASS_IMPORTS[cls.kind]}
    if _settings(cls):
        found.add(("pydantic", "ConfigDict"))
    return found


def print_enum(enum: PyEnum) -> str:
    """Return a StrEnum and the table that maps the database's labels to its members."""
    body = [docstring((enum.doc,)), ""] if enum.doc else []
    body += [f"{name} = {line_literal(label)}" for name, label in enum.members]
    cls = indented(f"class {enum.name}(StrEnum):", body or ["pass"])
    return f"{cls}\n\n\n{enum.table}: Final = {{label.value: label for label in {enum.name}}}"
