"""Diagnostics as data. The module `messages.render` converts them to text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aiosqlc.source import SourceFile, Span


class Severity(StrEnum):
    """An error stops the run; a warning does not, unless `strict` promotes it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A place in a file with a message."""

    file: SourceFile
    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A diagnostic. The first label is the cause; further labels show related places.

    Codes: E0xx files and configuration, E1xx annotations and macros, E2xx schema, E3xx queries,
    E4xx Python names, E5xx output; V0xx the rules of `vet`. `costs` are the queries that do not
    compile because of it, as `file.sql:Name`.
    """

    code: str
    message: str
    labels: tuple[Label, ...] = ()
    hint: str = ""
    severity: Severity = Severity.ERROR
    notes: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()

    @property
    def sort_key(self) -> tuple[str, int, str]:
        """Return the sort key of a diagnostic: file, then position, then code."""
        if not self.labels:
            return ("", 0, self.code)
        first = self.labels[0]
        return (str(first.file.path), first.span.start, self.code)
