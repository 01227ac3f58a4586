"""The verdict type of both engines, under the name in PostgreSQL's rules."""

from aiosqlc.analysis.verdict import Verdict, maybe, never

__all__ = ["Verdict", "maybe", "never"]
