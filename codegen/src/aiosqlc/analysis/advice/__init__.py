"""Hints for queries that a server refuses, derived from the text of the query alone."""

from __future__ import annotations

from aiosqlc.analysis.advice.groups import NOT_GROUPED, group_advice
from aiosqlc.analysis.advice.lookalikes import QUOTES, TYPOGRAPHIC, lookalike_advice
from aiosqlc.analysis.advice.names import name_advice, qualified_advice, sources_of
from aiosqlc.analysis.advice.place import Place, place_in
from aiosqlc.analysis.advice.syntax import syntax_advice

__all__ = [
    "NOT_GROUPED",
    "QUOTES",
    "TYPOGRAPHIC",
    "Place",
    "group_advice",
    "lookalike_advice",
    "name_advice",
    "place_in",
    "qualified_advice",
    "sources_of",
    "syntax_advice",
]
