"""The audit log. Each line is a JSON object about one call, without the arguments' values."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO


def audit_to(stream: TextIO) -> Callable[[dict[str, Any]], None]:
    """Return a function that immediately writes a record to a stream."""

    def write(record: dict[str, Any]) -> None:
        stream.write(json.dumps({"time": datetime.now(UTC).isoformat(), **record}) + "\n")
        stream.flush()

    return write
