"""The audit log: one JSON object a line for each call, with the names of arguments only."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO


def audit_to(stream: TextIO) -> Callable[[dict[str, Any]], None]:
    """Return a function that writes a record to a stream at once."""

    def write(record: dict[str, Any]) -> None:
        stream.write(json.dumps({"time": datetime.now(UTC).isoformat(), **record}) + "\n")
        stream.flush()

    return write
