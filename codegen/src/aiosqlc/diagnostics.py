"""Diagnostics as data. The module `messages.render` converts them to text."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.source import ExpandedFile, SourceFile, Span


class Severity(StrEnum):
    """An error stops the run; a warning stops it only if the option `strict` is set."""

    ERROR = "error"
    WARNING = "warning"


class Label(Struct, frozen=True):
    """A position in a file, and a message about it."""

    file: SourceFile
    span: Span
    text: str = ""

    @property
    def home(self) -> Label:
        """Return the label, moved to the `sqlc.include` if it is in an included fragment."""
        if isinstance(self.file, ExpandedFile):
            return replace(self, span=self.file.home(self.span))
        return self


class Diagnostic(Struct, frozen=True):
    """A diagnostic. The first label is the cause; further labels show related places.

    Codes: E0xx files and configuration, E1xx annotations and macros, E2xx schema, E3xx queries,
    E4xx Python names, E5xx output; V0xx the rules of `vet`. `costs` are the queries
    (`file.sql:Name`) that do not compile because of this diagnostic.
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
        first = self.labels[0].home
        return (str(first.file.path), first.span.start, self.code)

    def located(self) -> Diagnostic:
        """Return the diagnostic with each label in a user's file, not in a query's expanded text.

        A label in the text of a fragment moves to the fragment's file. A note names each
        `sqlc.include` that leads to the fragment.
        """
        if not any(isinstance(label.file, ExpandedFile) for label in self.labels):
            return self
        notes = list(self.notes)
        labels = []
        for label in self.labels:
            if not isinstance(label.file, ExpandedFile):
                labels.append(label)
                continue
            file, span, calls = label.file.place(label.span)
            labels.append(replace(label, file=file, span=span))
            for call in reversed(calls):
                where, at, _ = label.file.place(call)
                notes.append(f"included from {where.path}:{where.line_col(at.start)[0]}")
        return replace(self, labels=tuple(labels), notes=tuple(dict.fromkeys(notes)))
