"""Run mypy and pyright in strict mode over generated packages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_SECONDS = 300


def type_errors(folder: Path, root: Path) -> list[str]:
    """Return the errors of mypy and pyright in all packages below a folder, one per line."""
    if not any(folder.rglob("*.py")):
        return []
    return [*_mypy(folder), *_pyright(folder, root)]


def _mypy(folder: Path) -> list[str]:
    said = _run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file=", "."],
        folder,
    )
    return [f"mypy: {line}" for line in said.splitlines() if ": error:" in line]


def _pyright(folder: Path, root: Path) -> list[str]:
    config = folder / "pyrightconfig.json"
    config.write_text(json.dumps({"typeCheckingMode": "strict", "include": ["."]}), "utf-8")
    pyright = Path(sys.executable).with_name("pyright")
    command = [str(pyright), "--outputjson", "--pythonpath", sys.executable, "-p", str(config)]
    said = _run(command, root)
    try:
        found = json.loads(said)["generalDiagnostics"]
    except (ValueError, KeyError):
        return [f"pyright: {said[:200]}"]
    return [
        f"pyright: {Path(item['file']).relative_to(folder)}: {item.get('rule', '')}:"
        f" {item['message'].splitlines()[0]}"
        for item in found
        if item["severity"] == "error"
    ]


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"x: error: no response within {_SECONDS} s"
    return done.stdout
