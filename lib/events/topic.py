"""Topics with what is published on them, so that a page and a test can say who tells what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class Topic(str):  # noqa: SLOT000 - a handful of them, each with its kinds
    """The name of a stream; `kinds` are its events, each with the type of its payload."""

    kinds: Mapping[str, Any]

    def __new__(cls, name: str, kinds: Mapping[str, Any]) -> Self:
        """Return the topic."""
        topic = super().__new__(cls, name)
        topic.kinds = kinds
        return topic
