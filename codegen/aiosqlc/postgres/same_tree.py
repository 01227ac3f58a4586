"""Compares the server's analysed trees of two texts that should be the same query."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import psycopg

from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.describe import Described, describe
from aiosqlc.postgres.server.connection import ConnectionFailedError, ServerError
from aiosqlc.postgres.server.databases import DatabaseRefusedError
from aiosqlc.postgres.server.embedded import ServerUnavailableError
from aiosqlc.postgres.written import Fingerprint
from aiosqlc.stages import AnalyzeOptions, SchemaFile

Key = TypeVar("Key", bound=Hashable)


def differing(
    schema: Sequence[SchemaFile],
    options: AnalyzeOptions,
    pairs: Sequence[tuple[Key, str, str]],
) -> set[Key]:
    """Return the keys of pairs of texts that the server analyses differently.

    Nothing is known, and nothing returned, where no server answers or the schema has errors.
    """
    with Analyzer() as analyzer:
        try:
            opened = analyzer.opened(schema, options)
        except (
            ServerUnavailableError,
            ConnectionFailedError,
            DatabaseRefusedError,
            psycopg.OperationalError,
        ):
            return set()
        if opened is None:
            return set()
        texts = [text for _, old, new in pairs for text in (old, new)]
        answers = iter([_fingerprint(item) for item in describe(opened[0], texts)])
        return {key for key, _, _ in pairs if next(answers) != next(answers)}


def _fingerprint(answer: Described | ServerError) -> Fingerprint | str:
    # A refusal quotes the word it stumbles over, in either case.
    return Fingerprint.of(answer) if isinstance(answer, Described) else answer.message.upper()
