"""`python -m tools.scaffold.follow [NAME]`: update all files that depend on the list of services.

The commands run in one process, because each of them takes longer to import the services than to
write its files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from tools import grants, permissions, rendered, schema_page, specs


def main(names: list[str]) -> int:
    """Update all files that depend on the list of services.

    This includes the privileges and API documents of the services in `names`. If `names` is empty,
    it includes the API documents of all services.
    """
    steps: list[Callable[[], int | None]] = [
        lambda: permissions.main(["write"]),
        *(partial(grants.main, ["write", name]) for name in names),
        # Of all of them after a removal: what is gone may be in the answers of another.
        *(partial(specs.main, chosen) for chosen in [["gen", one] for one in names] or [["gen"]]),
        lambda: specs.main(["config"]),
        lambda: rendered.main(["write"]),
        schema_page.write,
    ]
    return next((code for step in steps if (code := step())), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
