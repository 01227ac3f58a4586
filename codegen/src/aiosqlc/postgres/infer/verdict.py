"""The verdict of both engines, under the name that PostgreSQL's rules know it by."""

from aiosqlc.analysis.verdict import Verdict, maybe, never

__all__ = ["Verdict", "maybe", "never"]
