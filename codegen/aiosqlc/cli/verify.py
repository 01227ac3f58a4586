"""`aiosqlc verify --against REF`: which order of deploying code and migrations is safe."""

from __future__ import annotations

import argparse
import json
import sys

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.verify import GitError, Step, advice, verify_entry

_SAFE = ("any order is safe", "migrate first", "deploy the code first", "no migration is pending")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `verify`."""
    command.add_argument("--against", required=True, metavar="REF", help="git: what runs now")
    command.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """Try the old queries on every step of the new schema, and the new ones on the old."""
    project = load(arguments)
    if project is None:
        return 2
    safe = True
    for entry in project.sets:
        try:
            steps = verify_entry(project, entry, arguments.against)
        except GitError as error:
            sys.stderr.write(f"cannot read {arguments.against}: {error}\n")
            return 2
        verdict = advice(steps)
        safe = safe and verdict.startswith(_SAFE)
        if arguments.json:
            sys.stdout.write(json.dumps(_document(steps, verdict)) + "\n")
            continue
        for step in steps:
            sys.stdout.write(_line(step, arguments.against) + "\n")
        failing = [item for step in steps for item in (*step.old_code, *step.new_code)]
        report(list(dict.fromkeys(failing)), style_of(arguments, project.root))
        sys.stdout.write(f"{verdict}\n")
    return 0 if safe else 1


def _line(step: Step, reference: str) -> str:
    state = f"after {step.migration}" if step.migration else f"schema of {reference}"
    return f"{state}: old code {_verdict(step.old_code)}, new code {_verdict(step.new_code)}"


def _verdict(problems: tuple[object, ...]) -> str:
    return f"fails ({len(problems)})" if problems else "runs"


def _document(steps: list[Step], verdict: str) -> dict[str, object]:
    return {
        "verdict": verdict,
        "steps": [
            {
                "migration": step.migration,
                "old_code": [item.message for item in step.old_code],
                "new_code": [item.message for item in step.new_code],
            }
            for step in steps
        ],
    }
