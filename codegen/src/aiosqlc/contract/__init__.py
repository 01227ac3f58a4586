"""The library of generated contract tests, which compare the results of calls on two engines."""

from aiosqlc.contract.differential import Call, compare

__all__ = ["Call", "compare"]
