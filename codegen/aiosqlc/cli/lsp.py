"""`aiosqlc lsp`: answer an editor on standard input and output."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys


def run(arguments: argparse.Namespace) -> int:
    """Serve one editor until it leaves."""
    from aiosqlc.lsp.server import create

    level = logging.INFO if arguments.verbose else logging.WARNING
    logging.basicConfig(stream=sys.stderr, level=level)
    output = sys.stdout.buffer
    server = create()
    with contextlib.redirect_stdout(sys.stderr):  # what else is printed is no message
        server.start_io(sys.stdin.buffer, output)
    server.desk.close()
    return 0
