"""Advice on queries and schemas that are correct and still a mistake."""

from aiosqlc.vet.run import vet

__all__ = ["vet"]
