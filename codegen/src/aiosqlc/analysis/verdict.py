"""A judgement on one expression, with the sentences that led to it."""

from __future__ import annotations

import msgspec


class Verdict(msgspec.Struct, frozen=True):
    """Says whether an expression can be NULL, why, what that rests on, and by which rule."""

    null: bool
    text: str
    because: tuple[Verdict, ...] = ()
    rule: str = ""

    @property
    def sentence(self) -> str:
        """The text, with the rule's name where there is one."""
        return f"{self.text} [{self.rule}]" if self.rule else self.text

    def reasons(self) -> tuple[str, ...]:
        """Return the chain of sentences, innermost first, each once."""
        if not self.because:
            return (self.sentence,)
        found: dict[str, None] = {}
        self._collect(found)
        return tuple(found)

    def _collect(self, found: dict[str, None]) -> None:
        for verdict in self.because:
            verdict._collect(found)  # noqa: SLF001 - our own class
        found.setdefault(self.sentence, None)


def never(rule: str, text: str, *because: Verdict) -> Verdict:
    """The expression cannot be NULL, by a rule of the register."""
    return Verdict(False, text, because, rule)


def maybe(text: str, *because: Verdict) -> Verdict:
    """The expression could not be proved not null."""
    return Verdict(True, text, because)
