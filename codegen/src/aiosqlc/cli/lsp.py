"""`aiosqlc lsp`: serve an editor over standard input and output."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that editors pass to a language server."""
    parser.add_argument(
        "--stdio",
        action="store_true",
        help="use stdio (default; accepted for compatibility)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve one editor until it disconnects."""
    from aiosqlc.lsp.server import create
    from aiosqlc.lsp.session import RequestFailedError

    def is_trouble(record: logging.LogRecord) -> bool:
        """Return whether to log a record; a request that fails as expected is not logged."""
        return not (record.exc_info and isinstance(record.exc_info[1], RequestFailedError))

    level = logging.INFO if arguments.verbose else logging.WARNING
    logging.basicConfig(stream=sys.stderr, level=level)
    logging.getLogger("pygls.protocol.json_rpc").addFilter(is_trouble)
    server = create()
    # A separate stream, because the language server closes it and standard output must stay open.
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with contextlib.redirect_stdout(sys.stderr):  # other output is not a protocol message
        server.start_io(sys.stdin.buffer, output)
    # The protocol treats `exit` without `shutdown` as a failure. The end of the input is not a
    # failure.
    failed = server.analysis.left and not server.analysis.closed
    server.analysis.close()
    return 1 if failed else 0
