"""Remove the permissions of a service."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

_HEAD: Final = "-- From services/permissions.toml.\n"
_BLOCK: Final = re.compile(r'^\["([^"]+)"\]\n(?:(?!\[).*\n?)*', re.MULTILINE)
_NAMED: Final = re.compile(r"'([a-z][a-z0-9_-]*:[a-z0-9_:-]*)'")


def take_away(root: Path, owners: Collection[str]) -> None:
    """Remove the permissions that begin with one of these names.

    The migration that added them is deleted too if it is the last migration and added nothing else,
    because no later migration depends on it. Otherwise a new migration removes the permissions.
    """
    file = root / "services" / "permissions.toml"
    text = file.read_text(encoding="utf-8")
    gone = {name for name in _BLOCK.findall(text) if name.partition(":")[0] in owners}
    if not gone:
        return
    left = _BLOCK.sub(lambda found: "" if found[1] in gone else found[0], text)
    file.write_text(left.rstrip("\n") + "\n", encoding="utf-8")
    folder = root / "migrations" / "user"
    steps = sorted(path for path in folder.glob("[0-9]*.sql") if ".rollback." not in path.name)
    last = steps[-1]
    said = last.read_text(encoding="utf-8")
    if said.startswith(_HEAD) and set(_NAMED.findall(said)) <= gone:
        last.unlink()
        last.with_suffix(".rollback.sql").unlink()
        return
    number = int(last.name[:4]) + 1
    names = ", ".join(f"'{name}'" for name in sorted(gone))
    head = "SET LOCAL lock_timeout = '5s';\n"
    stem = folder / f"{number:04d}_permissions_{number}"
    Path(f"{stem}.sql").write_text(
        f"-- No service asks for these any more.\n{head}\n"
        f"DELETE FROM permission WHERE name IN ({names});\n"
    )
    Path(f"{stem}.rollback.sql").write_text(
        f"-- Roles do not get back what they had of them: `make permissions` gives it.\n{head}"
    )
