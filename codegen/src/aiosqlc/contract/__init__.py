"""The library of a generated contract test: equal calls on two engines return equal results."""

from aiosqlc.contract.differential import Call, compare

__all__ = ["Call", "compare"]
