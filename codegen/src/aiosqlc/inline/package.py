"""Find the generated package from which a Python file imports `sql`."""

from __future__ import annotations

import os
import re
import shlex
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from aiosqlc.inline.find import FUNCTION
from aiosqlc.inline.unfinished import imports_of
from aiosqlc.store.disk import Signature, signature
from aiosqlc.store.memo import memo

_COMMAND = re.compile(r"run `aiosqlc scan ([^`\n]*)`")


class Package(Struct, frozen=True):
    """A package that `aiosqlc scan` wrote, with options of this command.

    `out` is the package's folder, relative to the configuration's folder. `entry` is the name of
    the configuration entry, or '' if the configuration has only one entry.
    """

    folder: Path
    out: str
    entry: str

    def is_of(self, config: Path) -> bool:
        """Return whether the package was written for the configuration file `config`."""
        return os.path.normpath(config.parent / self.out) == os.path.normpath(self.folder)


def package_of(path: Path, text: str) -> Package | None:
    """Return the package from which a Python file imports `sql`, or None.

    The package is searched in the folders above the file.
    """
    for module, _ in imports_of(text):
        parts = module.removesuffix(f".{FUNCTION}").split(".")
        for folder in path.parents:
            module_file = folder.joinpath(*parts, f"{FUNCTION}.py")
            if (now := signature(module_file)) and (found := _written_by_scan(module_file, now)):
                return found
    return None


@memo
def _written_by_scan(path: Path, _now: Signature) -> Package | None:
    try:
        found = _COMMAND.search(path.read_text(encoding="utf-8"))
        words = shlex.split(found[1]) if found else []
    except (OSError, UnicodeDecodeError, ValueError):
        return None
    options = dict(pairwise(words))
    if "-o" not in options:
        return None
    return Package(path.parent, options["-o"], options.get("--entry", ""))
