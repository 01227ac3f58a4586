"""Report in sentences why a command failed, without a traceback."""

from __future__ import annotations

import errno
import sys
import traceback
from pathlib import Path
from typing import Final

from aiosqlc.messages.extras import not_installed
from aiosqlc.messages.files import reason

FINDINGS: Final = 1
USAGE: Final = 2
INTERNAL_ERROR: Final = 70  # EX_SOFTWARE of sysexits.h
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def failed(error: Exception, *, verbose: bool) -> int:
    """Print the error that ended a command, and return the exit code for it.

    If the output of the command cannot be written, raise the error again.
    """
    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, OSError):
        return _no_access(error, verbose=verbose)
    if isinstance(error, ModuleNotFoundError) and (remedy := not_installed(error)):
        sys.stderr.write(f"{remedy}\n")
        return USAGE
    return _internal_error(error, verbose=verbose)


def _no_access(error: OSError, *, verbose: bool) -> int:
    """Report a user's file that cannot be read or written. Raise the error of a full disk again."""
    if error.filename is None and error.errno in _FULL:
        raise error
    ours = Path(__file__).parents[1]
    named = Path(str(error.filename)) if error.filename else ours
    if named.is_relative_to(ours):
        return _internal_error(error, verbose=verbose)
    if verbose:
        traceback.print_exception(error)
    sys.stderr.write(f"cannot use {named}: {reason(error)}\n")
    return FINDINGS


def _internal_error(error: Exception, *, verbose: bool) -> int:
    if verbose:
        traceback.print_exception(error)
    sys.stderr.write(
        f"internal error: {type(error).__name__}: {error}\n"
        "This is a mistake of aiosqlc, not yours. Run again with `--verbose` and report it.\n"
    )
    return INTERNAL_ERROR
