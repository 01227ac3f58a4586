"""The runtime of a generated contract test: the same calls on two engines, with equal results."""

from aiosqlc.contract.differential import Call, tell

__all__ = ["Call", "tell"]
