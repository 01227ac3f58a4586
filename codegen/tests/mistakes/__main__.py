"""Print the mistakes with wrong diagnostics, and the score: `python -m tests.mistakes`."""

from __future__ import annotations

import sys

from aiosqlc.messages.render import render

from tests.mistakes.table import TABLES, faults_of, findings, mistakes_of


def main() -> int:
    """Print every wrong diagnostic for the named tables, or for all tables."""
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or TABLES
    total = right = 0
    for table in wanted:
        mistakes = list(mistakes_of(table))
        wrong = [(item, faults) for item in mistakes if (faults := faults_of(item))]
        for item, faults in wrong:
            sys.stdout.write(f"{'=' * 20} {item.text.strip()}\n  {'; '.join(faults)}\n")
            said = [] if "-q" in sys.argv else findings(table).get(item.path, [])
            sys.stdout.write("".join(render(one) for one in said))
        total, right = total + len(mistakes), right + len(mistakes) - len(wrong)
        sys.stdout.write(f"{table}: {len(mistakes) - len(wrong)} of {len(mistakes)}\n")
    sys.stdout.write(f"{right} of {total} mistakes are answered right\n")
    return 0 if right == total else 1


if __name__ == "__main__":
    sys.exit(main())
