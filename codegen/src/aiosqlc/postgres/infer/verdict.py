"""The verdict type that both engines share, under the name that the rules for PostgreSQL use."""

from aiosqlc.analysis.verdict import Verdict, maybe, never

__all__ = ["Verdict", "maybe", "never"]
