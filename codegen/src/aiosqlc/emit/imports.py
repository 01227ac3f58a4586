"""Write import statements in the order of ruff and isort."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from aiosqlc.plan.model import Import

# Packages without types; some projects have stubs for them.
_UNTYPED = frozenset({"asyncpg", "pyarrow", "pymysql.err"})
_UNCHECKED = "type: ignore[import-untyped, unused-ignore]"
_WIDTH = 88


def import_lines(imports: Iterable[Import], first_party: frozenset[str]) -> list[str]:
    """Return import lines in groups: standard library, third party, first party and local."""
    sections: dict[int, list[Import]] = {}
    for item in set(imports):
        sections.setdefault(_section(item[0], first_party), []).append(item)
    blocks = [_block(sections[number]) for number in sorted(sections)]
    lines: list[str] = []
    for block in blocks:
        lines += ["", *block] if lines else block
    return lines


def _section(module: str, first_party: frozenset[str]) -> int:
    top = module.partition(".")[0]
    if module.startswith("."):
        return 3
    if top in first_party:
        return 2
    return 0 if top in sys.stdlib_module_names else 1


def _block(items: list[Import]) -> list[str]:
    plain = sorted(module for module, name in items if not name)
    names: dict[str, list[str]] = {}
    for module, name in items:
        if name:
            names.setdefault(module, []).append(name)
    lines = [f"import {module}{_unchecked(module)}" for module in plain]
    return lines + [
        line
        for module in sorted(names)
        for line in from_lines(module, sorted(names[module], key=_name_key))
    ]


def from_lines(module: str, names: list[str]) -> list[str]:
    """Return the lines that import names of a module; untyped modules get an ignore comment."""
    line = f"from {module} import {', '.join(names)}"
    if module not in _UNTYPED:
        return [line]
    if len(line) <= _WIDTH:
        return [f"{line}  # {_UNCHECKED}"]
    return [f"from {module} import (  # {_UNCHECKED}", *(f"    {name}," for name in names), ")"]


def _unchecked(module: str) -> str:
    return f"  # {_UNCHECKED}" if module in _UNTYPED else ""


def _name_key(name: str) -> tuple[int, str]:
    """Return the sort key of an imported name: constants first, then classes, then the rest."""
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1, name) if name[:1].isupper() else (2, name)
