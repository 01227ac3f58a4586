"""The interface of an engine that runs migrations and observes their locks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from aiosqlc.analysis.watched.observed import Observed, ObservedFile, Pending
from aiosqlc.ir import AnalyzeOptions, SchemaFile


class Watched(Protocol):
    """A migration that ran in a test database.

    Other migrations can be tried on the schema as it was before this migration.
    """

    @property
    def seen(self) -> ObservedFile:
        """Return the observations."""
        ...

    def instead(self, at: Observed, files: Sequence[Pending]) -> tuple[list[Observed], bool]:
        """Run other migrations in place of one statement of this migration; observe their locks.

        Return the observations, and whether the other migrations succeed and lead to the same
        schema as the statement.
        """
        ...


class ReleaseObserver(Protocol):
    """Runs migrations in databases that are dropped afterwards."""

    def release(
        self,
        applied: Sequence[SchemaFile],
        pending: Sequence[Pending],
        queries: Mapping[str, Sequence[str]],
        options: AnalyzeOptions,
    ) -> Iterator[Watched]:
        """Yield each migration after it ran; `queries` maps names to the texts of queries.

        Raises `SchemaFailsError` if the schema has errors before the release, and `NoServerError`
        if no server is available.
        """
        ...
