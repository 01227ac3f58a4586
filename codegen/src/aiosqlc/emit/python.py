"""Render a planned module as Python source in a handwritten style."""

from __future__ import annotations

from collections.abc import Iterator

from aiosqlc.emit.arrow import print_schema
from aiosqlc.emit.bodies import body, body_imports, define, parameters, returns
from aiosqlc.emit.channels import print_channel
from aiosqlc.emit.choices import built_texts, texts_by_choice
from aiosqlc.emit.classes import class_imports, print_aliases, print_class, print_enum
from aiosqlc.emit.imports import import_lines
from aiosqlc.emit.keyed import print_loader
from aiosqlc.emit.literal import docstring, indented, text_literal
from aiosqlc.emit.methods import needed, print_methods
from aiosqlc.emit.nests import print_grouping
from aiosqlc.emit.rows import print_builder
from aiosqlc.ir import Command
from aiosqlc.plan.documents import MAKER
from aiosqlc.plan.model import Import, PyClass, PyFunction, PyModule
from aiosqlc.store.memo import memo_by


@memo_by(lambda module, header: (module.digest, header))
def print_module(module: PyModule, header: str) -> str:
    """Return a module's source before formatting."""
    blocks = [print_enum(enum) for enum in module.enums]
    blocks += [print_class(cls) for cls in module.classes]
    for function in module.functions:
        blocks += _query(function)
        if not module.class_name:
            blocks += [_function(function), *_loader(function)]
    if module.class_name and module.functions:
        blocks += print_methods(module)
    for channel in module.channels:
        blocks += print_channel(channel)
    lines = import_lines(_imports(module), module.first_party)
    aliases = print_aliases(_classes(module))
    lines += ["", *aliases] if aliases else []
    head = "\n".join([header, docstring(module.doc), "", *lines])
    gap = "\n\n\n" if blocks[0].startswith(("class ", "@")) else "\n\n"
    return head + gap + "\n\n\n".join(blocks) + "\n"


def _imports(module: PyModule) -> set[Import]:
    imports = set(module.imports)
    for cls in _classes(module):
        imports |= class_imports(cls)
    if module.enums:
        imports |= {("enum", "StrEnum"), ("typing", "Final")}
    for function in module.functions:
        imports |= {("typing", "Final"), function.executor, *body_imports(function)}
    imports |= {("typing", "Final")} if module.channels else set()
    if module.protocol or len(needed({f.executor[1] for f in module.functions})) > 1:
        imports |= {("typing", "Protocol")} if module.class_name else set()
    # The class's one connection is an Executor if any function needs an Executor.
    if module.class_name:
        asked = {function.executor for function in module.functions}
        imports -= {item for item in asked if item[1] not in needed([name for _, name in asked])}
        imports |= {channel.executor for channel in module.channels}
    return imports


def _classes(module: PyModule) -> Iterator[PyClass]:
    yield from module.classes
    for item in module.members:
        yield from item.own_classes


def _query(function: PyFunction) -> list[str]:
    """Return the source of a query's SQL text, classes, and functions that build objects."""
    classes = [print_class(cls) for cls in function.own_classes]
    row = function.row
    builders = [print_builder(row)] if row and function.defines_builder else []
    if row and row.nest and function.command is not Command.STREAM and not function.keyed:
        builders.append(print_grouping(row, row.nest))
    decoders = [_decoders(function)] if function.decoders else []
    schema = [print_schema(function.arrow)] if function.arrow else []
    return [_constant(function), *schema, *classes, *decoders, *builders]


def _decoders(function: PyFunction) -> str:
    lines = [f"{item.name}: Final = {MAKER}({item.type.annotation})" for item in function.decoders]
    return "\n".join(lines)


def _constant(function: PyFunction) -> str:
    if function.choice is None:
        return f"{function.constant}: Final = {text_literal(function.sql)}"
    if function.choice.independent:
        return built_texts(function.constant, function.choice)
    return f"{function.constant}: Final = {texts_by_choice(function.choice)}"


def _loader(function: PyFunction) -> list[str]:
    if function.keyed is None or not function.keyed.loader:
        return []
    return [print_loader(function, f"db: {function.executor[1]}", "")]


def _function(function: PyFunction) -> str:
    receiver = f"db: {function.executor[1]}"
    arguments = parameters(function, receiver)
    head = f"{define(function)} {function.name}({arguments}) -> {returns(function)}:"
    doc = [docstring(function.doc)] if function.doc else []
    return indented(head, doc + body(function))
