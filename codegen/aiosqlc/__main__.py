"""Lets `python -m aiosqlc` and the command `aiosqlc` start the same program."""

from __future__ import annotations

import gc
import sys

from aiosqlc.cli.main import main as run


def main() -> None:
    """Run the command line and exit with its code."""
    gc.disable()  # a run ends before collecting would pay: a fifth of its time
    code = run()
    gc.freeze()  # nor is there anything to gain by collecting at the end
    sys.exit(code)


if __name__ == "__main__":
    main()
