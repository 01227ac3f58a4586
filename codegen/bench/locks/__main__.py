"""Run `python -m bench.locks PATH_OF_SQUAWK`: its precision and recall on statements with a truth.

The truth is `tests/production/test_truth.py`: a server with rows, on which others wait. Only rules
about locks count here; what a rule says of names, types or style is neither right nor wrong.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.production.statements import STATEMENTS

# squawk's rules that claim that queries wait; the others are about compatibility and style.
RULES = frozenset(
    {
        "adding-field-with-default",
        "adding-foreign-key-constraint",
        "adding-not-nullable-field",
        "adding-serial-primary-key-field",
        "ban-alter-domain-with-add-constraint",
        "changing-column-type",
        "constraint-missing-not-valid",
        "disallowed-unique-constraint",
        "prefer-repack",
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
        "require-concurrent-partition-detach",
        "require-concurrent-refresh-materialized-view",
        "require-concurrent-reindex",
    }
)


def main(program: str) -> None:
    """Print the counts, and every statement on which squawk and the server differ."""
    right = {True: 0, False: 0}
    wrong = []
    for one in STATEMENTS:
        flagged = _flagged(program, one.sql)
        if bool(flagged) == one.dangerous:
            right[one.dangerous] += 1
        else:
            wrong.append((one, flagged))
    missed = sum(one.dangerous for one, _ in wrong)
    alarms = len(wrong) - missed
    for one, flagged in wrong:
        kind = "missed" if one.dangerous else f"alarm ({', '.join(sorted(flagged))})"
        print(f"{kind}: {one.sql}")
    found = right[True]
    print(f"{len(STATEMENTS)} statements, {found + missed} dangerous")
    print(f"precision {found / (found + alarms):.0%} ({alarms} false alarms)")
    print(f"recall {found / (found + missed):.0%} ({missed} missed)")


def _flagged(program: str, sql: str) -> set[str]:
    """Return the rules about locks that a statement breaks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "migration.sql"
        path.write_text(f"{sql};\n")
        command = [
            program,
            "--reporter",
            "json",
            "--include",
            "prefer-repack",
            "--pg-version",
            "18",
        ]
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    return {item["rule_name"] for item in json.loads(done.stdout or "[]")} & RULES


if __name__ == "__main__":
    main(sys.argv[1])
