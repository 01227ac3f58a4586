"""A judgement on one expression, with the sentences that led to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an expression can be NULL, why, and what that rests on."""

    null: bool
    text: str
    because: tuple[Verdict, ...] = ()

    def reasons(self) -> tuple[str, ...]:
        """Return the chain of sentences, innermost first, each once."""
        if not self.because:
            return (self.text,)
        found: dict[str, None] = {}
        self._collect(found)
        return tuple(found)

    def _collect(self, found: dict[str, None]) -> None:
        for verdict in self.because:
            verdict._collect(found)  # noqa: SLF001 - our own class
        found.setdefault(self.text, None)


def never(text: str, *because: Verdict) -> Verdict:
    """The expression cannot be NULL."""
    return Verdict(False, text, because)


def maybe(text: str, *because: Verdict) -> Verdict:
    """The expression could not be proved not null."""
    return Verdict(True, text, because)


def all_of(verdicts: Iterable[Verdict], text: str) -> Verdict:
    """Not null iff every part is; a doubt names the first part that is not."""
    parts = tuple(verdicts)
    for part in parts:
        if part.null:
            return Verdict(True, text, (part,))
    return Verdict(False, text, parts)


def any_of(verdicts: Iterable[Verdict], text: str) -> Verdict:
    """Not null iff at least one part is; a proof names the first part that is."""
    parts = tuple(verdicts)
    for part in parts:
        if not part.null:
            return Verdict(False, text, (part,))
    return Verdict(True, text, parts)
