"""Writes import statements in the order ruff and isort want them."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from aiosqlc.plan.model import Import


def import_lines(imports: Iterable[Import], first_party: frozenset[str]) -> list[str]:
    """Return import lines: standard library, third parties, first party, local; a blank between."""
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
    lines = [f"import {module}" for module in plain]
    return lines + [
        f"from {module} import {', '.join(sorted(names[module], key=_name_key))}"
        for module in sorted(names)
    ]


def _name_key(name: str) -> tuple[int, str]:
    """Constants first, then classes, then the rest, as isort orders members."""
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1, name) if name[:1].isupper() else (2, name)
