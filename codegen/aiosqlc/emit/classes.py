"""Prints row classes and enums."""

from __future__ import annotations

from aiosqlc.config.project import ModelKind
from aiosqlc.emit.literal import docstring, indented, line_literal
from aiosqlc.plan.model import Import, PyClass, PyEnum

CLASS_IMPORTS: dict[ModelKind, Import] = {
    ModelKind.DATACLASS: ("dataclasses", "dataclass"),
    ModelKind.MSGSPEC: ("msgspec", ""),
    ModelKind.PYDANTIC: ("pydantic", "BaseModel"),
    ModelKind.ATTRS: ("attrs", ""),
}


def print_class(cls: PyClass) -> str:
    """Return a class statement, or the assignment of a second name."""
    if cls.alias:
        return f"{cls.name} = {cls.alias}"
    gc = ", gc=False" if cls.atomic else ""
    head = {
        ModelKind.DATACLASS: f"@dataclass(slots=True)\nclass {cls.name}:",
        ModelKind.MSGSPEC: f"class {cls.name}(msgspec.Struct, frozen=True{gc}):",
        ModelKind.PYDANTIC: f"class {cls.name}(BaseModel):",
        ModelKind.ATTRS: f"@attrs.define\nclass {cls.name}:",
    }[cls.kind]
    body = [f"{item.name}: {item.type.annotation}" for item in cls.fields]
    if cls.kind is ModelKind.PYDANTIC and any(not item.type.atomic for item in cls.fields):
        body = ["model_config = ConfigDict(arbitrary_types_allowed=True)", "", *body]
    if cls.doc:
        body = [docstring((cls.doc,)), "", *body]
    return indented(head, body)


def class_imports(cls: PyClass) -> set[Import]:
    """Return what the class statement itself needs."""
    found = {CLASS_IMPORTS[cls.kind]}
    if cls.kind is ModelKind.PYDANTIC and any(not item.type.atomic for item in cls.fields):
        found.add(("pydantic", "ConfigDict"))
    return found


def print_enum(enum: PyEnum) -> str:
    """Return a StrEnum and the table that finds its members by the database's labels."""
    body = [docstring((enum.doc,)), ""] if enum.doc else []
    body += [f"{name} = {line_literal(label)}" for name, label in enum.members]
    cls = indented(f"class {enum.name}(StrEnum):", body or ["pass"])
    return f"{cls}\n\n\n{enum.table}: Final = {{label.value: label for label in {enum.name}}}"
