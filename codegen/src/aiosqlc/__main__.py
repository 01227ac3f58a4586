"""Start the command line for `python -m aiosqlc` and `aiosqlc`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(2_000_000, 10, 10)  # nearly all is alive to the end: not to be looked at
    try:
        # Here, because an interruption may come while it is imported.
        from aiosqlc.cli.main import main as run

        code = run()
    except KeyboardInterrupt:
        code = 130  # as a shell says it: 128 and SIGINT
    gc.freeze()  # nor is there anything to gain by collecting at the end
    sys.exit(code)


if __name__ == "__main__":
    main()
