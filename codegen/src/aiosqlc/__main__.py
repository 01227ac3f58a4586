"""Start the command line for `python -m aiosqlc` and `aiosqlc`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    # Nearly all objects live until the end, so collections find little garbage.
    gc.set_threshold(2_000_000, 10, 10)
    try:
        # Imported inside the `try`, because an interruption may come during the import.
        from aiosqlc.cli.main import main as run

        code = run()
    except KeyboardInterrupt:
        code = 130  # the shell convention: 128 + SIGINT
    gc.freeze()  # a final collection would only cost time
    sys.exit(code)


if __name__ == "__main__":
    main()
