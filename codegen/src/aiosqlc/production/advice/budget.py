"""Compare a plan with the budget that a query states: `-- plan: rows <= 1000, cost <= 500`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.production.advice.found import finding
from aiosqlc.production.advice.shown import number, outline
from aiosqlc.production.plans import PlannedText

_LIMIT = re.compile(r"(?P<what>rows|cost)\s*<=\s*(?P<most>[\d_]+)")


def findings(text: PlannedText, plan: Plan) -> Iterator[Diagnostic]:
    """Yield a finding for each limit that a plan exceeds."""
    estimates = {"rows": float(plan.rows), "cost": plan.cost}
    for keyword, budget in text.query.parsed.ignores:
        if keyword != "plan":
            continue
        for limit in _LIMIT.finditer(budget):
            value, most = estimates[limit["what"]], int(limit["most"])
            if value > most:
                estimated = f"the estimate for {limit['what']} is {number(value)}"
                message = f"{estimated}, but the budget is {most}"
                yield finding("V035", text, message, notes=[f"plan: {outline(plan)}"])
