"""`python -m bench.http`: departments, the caller's account, and what the gateway adds."""

from __future__ import annotations

from bench.http import departments, gateway, me

if __name__ == "__main__":
    given = departments.options()
    departments.run(given)
    me.run(given)
    gateway.run(given)
