"""Ask type checkers, and the tools themselves, which calls of changed literals they reject."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKERS = ("mypy", "pyright")
MODULE = "changed.py"
_HERE = Path(sys.executable).parent
_ERROR = re.compile(r"changed\.py:(\d+)[:\d]*:? ?-? error")
_PLACE = re.compile(r"changed\.py:(\d+):")


@dataclass(frozen=True, slots=True)
class Made:
    """The package that a tool generated for literals.

    `imports` are the first lines of a module with literals. `call` returns the expression for a new
    text in the place of a compiled one. `python` is the interpreter of `version` that has what the
    module imports. `check` is the tool's own command for `changed.py`; it prints places.
    """

    imports: Sequence[str]
    call: Callable[[str, str], str]
    python: Path
    version: str = "3.11"
    check: Sequence[str | Path] = ()


def called(module: str, function: str, python: Path, version: str = "3.11") -> Made:
    """Return what a tool made whose literals are the argument of one generated function."""
    return Made(
        [f"from {module} import {function}"],
        lambda new, _: f"{function}({new!r})",
        python,
        version,
    )


def rejected(
    folder: Path, made: Made, texts: Sequence[str], new: Mapping[str, str], checker: str
) -> set[str]:
    """Return those of the new texts whose call a type checker rejects.

    An empty `checker` is the tool's own command. Raises `RuntimeError` if the checker rejects one
    of `texts`, which were compiled, or does not run.
    """
    pairs = [*((text, text) for text in texts), *new.items()]
    calls = [f"q{number} = {made.call(*pair)}" for number, pair in enumerate(pairs)]
    (folder / MODULE).write_text("\n".join([*made.imports, *calls, ""]))
    command = _command(folder, made, checker) if checker else made.check
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = done.stdout if checker else done.stdout + done.stderr
    lines = {int(found) for found in (_ERROR if checker else _PLACE).findall(said)}
    before = len(made.imports) + len(texts)
    if min(lines, default=before + 1) <= before or (done.returncode and not lines):
        raise RuntimeError(f"{checker or made.check}: {done.stdout[:2000]}{done.stderr[:2000]}")
    return {list(new)[line - before - 1] for line in lines}


def _command(folder: Path, made: Made, checker: str) -> list[str]:
    if checker == "mypy":
        options = ["--strict", "--no-pretty", "--python-version", made.version]
        options += ["--python-executable", str(made.python)]
        return [sys.executable, "-m", "mypy", *options, MODULE]
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict"}))
    return [str(_HERE / "pyright"), "--pythonpath", str(made.python), MODULE]
