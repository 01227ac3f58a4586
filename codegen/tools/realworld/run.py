"""Run one entry in its own process, so that a crash or a hang affects only that entry."""

from __future__ import annotations

import json
import sys
import traceback
from dataclasses import asdict
from pathlib import Path

from tools.realworld.calls import Called, call_all
from tools.realworld.compiled import Ours, compile_entry
from tools.realworld.projects import Entry


def main() -> None:
    """Read the task from the file in the first argument; write the outcome to the second."""
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    entry = Entry(
        Path(asked["config"]),
        asked["number"],
        asked["engine"],
        tuple(asked["schema"]),
        tuple(asked["queries"]),
    )
    ours, called = Ours(), Called()
    try:
        ours = compile_entry(entry, Path(asked["out"]))
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        ours.internal.append(_describe(error))
    _keep(ours, called)
    if asked["calls"] and ours.analysed is not None and ours.compiled:
        try:
            called = call_all(ours.analysed, Path(asked["out"]), ours.compiled, asked["said"])
        except Exception as error:  # noqa: BLE001 - so that the rest of the table is made
            called.broken.append(f"calling: {_describe(error)}")
        _keep(ours, called)


def _keep(ours: Ours, called: Called) -> None:
    shown = {name: value for name, value in vars(ours).items() if name != "analysed"}
    text = json.dumps({"ours": shown, "called": asdict(called)})
    Path(sys.argv[2]).write_text(text, "utf-8")


def _describe(error: Exception) -> str:
    """Return the error, with the innermost line of its traceback that is in the compiler's code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f for f in reversed(frames) if "aiosqlc" in f.filename), frames[-1])
    return f"{type(error).__name__}: {error} at {Path(place.filename).name}:{place.lineno}"


if __name__ == "__main__":
    main()
