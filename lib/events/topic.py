"""Topics and their events. A test and the documentation of events are derived from the topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class Topic(str):  # noqa: SLOT000 - a handful of them, each with its kinds
    """The name of a stream. `kinds` maps the stream's event types to payload types."""

    kinds: Mapping[str, Any]

    def __new__(cls, name: str, kinds: Mapping[str, Any]) -> Self:
        """Return the topic."""
        topic = super().__new__(cls, name)
        topic.kinds = kinds
        return topic
