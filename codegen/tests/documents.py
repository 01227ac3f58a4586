"""The YAML files of the repository, each parsed once by libyaml, which is ten times faster."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml


def read_yaml(path: Path) -> Any:
    """Return the only document of a file; tests share it and must not change it."""
    (document,) = read_yaml_all(path)
    return document


@cache
def read_yaml_all(path: Path) -> tuple[Any, ...]:
    """Return the documents of a file; tests share them and must not change them."""
    return tuple(yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader))
