"""Topics and their events, from which a page and a test list producers and consumers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class Topic(str):  # noqa: SLOT000 - a handful of them, each with its kinds
    """A stream by name. `kinds` are its event types with their payload types."""

    kinds: Mapping[str, Any]

    def __new__(cls, name: str, kinds: Mapping[str, Any]) -> Self:
        """Return the topic."""
        topic = super().__new__(cls, name)
        topic.kinds = kinds
        return topic
