"""Lets `python -m aiosqlc` and the command `aiosqlc` start the same program."""

from __future__ import annotations

import sys

from aiosqlc.cli.main import main as run


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
