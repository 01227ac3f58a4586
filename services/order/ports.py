"""What the order service asks of others, whoever answers."""

from __future__ import annotations
