"""Detect the migration tool that a file is written for, and write files in its format."""

from __future__ import annotations

import re
from enum import StrEnum

from aiosqlc.ir import SchemaFile


class Format(StrEnum):
    """A tool that applies migrations."""

    YOYO = "yoyo"
    DBMATE = "dbmate"
    GOOSE = "goose"
    GOLANG_MIGRATE = "golang-migrate"
    PLAIN = "plain"


_MARKS = (
    (Format.DBMATE, re.compile(r"^--\s*migrate:up", re.IGNORECASE | re.MULTILINE)),
    (Format.GOOSE, re.compile(r"^--\s*\+goose\s+up", re.IGNORECASE | re.MULTILINE)),
    (Format.YOYO, re.compile(r"^--\s*(?:depends|transactional):", re.IGNORECASE | re.MULTILINE)),
)


def format_of(file: SchemaFile, *, has_rollback_file: bool = False) -> Format:
    """Return the tool that a migration file is written for."""
    for tool, mark in _MARKS:
        if mark.search(file.file.text):
            return tool
    if file.file.path.name.endswith(".up.sql"):
        return Format.GOLANG_MIGRATE
    return Format.YOYO if has_rollback_file else Format.PLAIN


def runs_in_block(file: SchemaFile, tool: Format) -> bool:
    """Return whether the tool runs a file in one transaction.

    golang-migrate sends a file unchanged, so a single statement runs in its own transaction. The
    tool of a plain file is unknown. For it, one transaction is assumed, which holds locks the
    longest.
    """
    if tool is Format.GOLANG_MIGRATE and len(file.statements) == 1:
        return False
    return file.transactional


def text_of(tool: Format, statements: list[str], *, in_block: bool) -> str:
    """Return a migration in the tool's format, without a rollback."""
    body = "".join(f"{statement.strip()};\n" for statement in statements)
    match tool:
        case Format.DBMATE:
            mark = "-- migrate:up\n" if in_block else "-- migrate:up transaction:false\n"
            return f"{mark}{body}\n-- migrate:down\n"
        case Format.GOOSE:
            mark = "" if in_block else "-- +goose NO TRANSACTION\n"
            return f"{mark}-- +goose Up\n{body}\n-- +goose Down\n"
        case Format.YOYO | Format.PLAIN:
            return body if in_block else f"-- transactional: false\n{body}"
        case Format.GOLANG_MIGRATE:
            return body
