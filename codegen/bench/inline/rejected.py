"""Ask type checkers which calls of changed literals they reject."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKERS = ("mypy", "pyright")
_HERE = Path(sys.executable).parent
_LINE = re.compile(r"changed\.py:(\d+)[:\d]*:? ?-? error")


@dataclass(frozen=True, slots=True)
class Made:
    """A package that was generated for literals.

    `function` is the imported function, `module` its module, and `python` the interpreter of
    `version` that has what the module imports.
    """

    module: str
    function: str
    python: Path
    version: str = "3.11"


def rejected(
    folder: Path, made: Made, texts: Sequence[str], new: Sequence[str], checker: str
) -> set[str]:
    """Return those of the new texts whose call a type checker rejects.

    Raises `RuntimeError` if the checker rejects one of `texts`, which were compiled, or does not
    run.
    """
    first = f"from {made.module} import {made.function}"
    calls = [f"{made.function}({text!r})" for text in (*texts, *new)]
    (folder / "changed.py").write_text("\n".join([first, *calls, ""]))
    done = subprocess.run(
        _command(folder, made, checker), cwd=folder, capture_output=True, text=True, check=False
    )
    lines = {int(found) for found in _LINE.findall(done.stdout)}
    known = set(range(len(texts) + 2))
    if lines & known or (done.returncode and not lines):
        raise RuntimeError(f"{checker}: {done.stdout[:2000]}{done.stderr[:2000]}")
    return {new[line - len(texts) - 2] for line in lines}


def _command(folder: Path, made: Made, checker: str) -> list[str]:
    if checker == "mypy":
        options = ["--strict", "--no-pretty", "--python-version", made.version]
        options += ["--python-executable", str(made.python)]
        return [sys.executable, "-m", "mypy", *options, "changed.py"]
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict"}))
    return [str(_HERE / "pyright"), "--pythonpath", str(made.python), "changed.py"]
