"""What a generated contract test runs: the same calls on two engines, and every answer compared."""

from aiosqlc.contract.differential import Call, tell

__all__ = ["Call", "tell"]
