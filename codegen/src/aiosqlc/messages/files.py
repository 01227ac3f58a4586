"""Explain in one sentence why a file cannot be read or written."""

from __future__ import annotations

import codecs

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.source import SourceFile, Span

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def reason(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file cannot be read or written, as text that can follow a colon."""
    if isinstance(error, UnicodeDecodeError):
        if error.object.startswith(_UTF_16):
            return "the file is in UTF-16; save the file as UTF-8"
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        return f"byte 0x{byte:02x} in line {line} is not UTF-8; save the file as UTF-8"
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a file has the path of a folder"
    return error.strerror or str(error)


def nul_byte(file: SourceFile, at: int) -> Diagnostic:
    """Return the error for a file that contains a NUL byte."""
    return Diagnostic(
        "E008",
        "the file contains a NUL byte, so it is not a text file",
        (Label(file, Span(at, at + 1), "here"),),
    )
