"""What is wrong and where, as data; text is made once, by `render`."""

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
    """A place in a file, with what there is to say about it."""

    file: SourceFile
    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. The first label is the cause; further ones show what it disagrees with.

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
        """Source order: by file, then by position, then by code."""
        if not self.labels:
            return ("", 0, self.code)
        first = self.labels[0]
        return (str(first.file.path), first.span.start, self.code)
