"""A verdict: whether an expression can be NULL, with the reasons."""

from __future__ import annotations

from msgspec import Struct


class Verdict(Struct, frozen=True):
    """An expression's nullability, with the reason and the name of the rule that was applied.

    `because` are the verdicts on other expressions from which this verdict follows.
    """

    null: bool
    text: str
    because: tuple[Verdict, ...] = ()
    rule: str = ""

    @property
    def sentence(self) -> str:
        """Return the reason, followed by the rule's name if a rule applies."""
        return f"{self.text} [{self.rule}]" if self.rule else self.text

    def reasons(self) -> tuple[str, ...]:
        """Return the reasons for this verdict, each once.

        The reasons of the verdicts in `because` come first.
        """
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
    """Return a verdict that an expression cannot be NULL, by the named rule."""
    return Verdict(False, text, because, rule)


def maybe(text: str, *because: Verdict) -> Verdict:
    """Return a verdict that an expression may be NULL, with the reason."""
    return Verdict(True, text, because)
