"""`python -m bench.http`: departments, one's own account, and what the gateway adds."""

from __future__ import annotations

from bench.http import departments, gateway, me

if __name__ == "__main__":
    given = departments.options()
    departments.run(given)
    me.run(given)
    gateway.run(given)
