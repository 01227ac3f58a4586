"""`python -m bench.http`: departments, one and a page of them, then one's own account."""

from __future__ import annotations

from bench.http import departments, me

if __name__ == "__main__":
    given = departments.options()
    departments.run(given)
    me.run(given)
