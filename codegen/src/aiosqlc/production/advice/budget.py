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
    """Yield one finding about all limits that a plan exceeds."""
    estimates = {"rows": float(plan.rows), "cost": plan.cost}
    budgets = [budget for keyword, budget in text.query.parsed.ignores if keyword == "plan"]
    exceeded = [
        f"the estimate for {limit['what']} is {number(estimates[limit['what']])}, but the budget is"
        f" {number(int(limit['most']))}"
        for budget in budgets
        for limit in _LIMIT.finditer(budget)
        if estimates[limit["what"]] > int(limit["most"])
    ]
    if exceeded:
        yield finding("V035", text, "; ".join(exceeded), notes=[f"plan: {outline(plan)}"])
