"""The YAML files of the repository: each is parsed once in a run, by libyaml: ten times faster."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml


def read_yaml(path: Path) -> Any:
    """Return the one document of a file; it belongs to all tests, so none may change it."""
    (document,) = read_yaml_all(path)
    return document


@cache
def read_yaml_all(path: Path) -> tuple[Any, ...]:
    """Return the documents of a file; they belong to all tests, so none may change them."""
    return tuple(yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader))
