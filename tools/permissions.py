"""`python -m tools.permissions write|check`: write migrations for new declared permissions.

`services/permissions.toml` declares the permissions. Administrators change the roles later in the
database of `user`. So a migration adds only permissions that no earlier migration has added, and
removes nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from devstack.settings import ROOT
from lib.auth.permissions import OF_SERVICES, Declared, declared
from lib.auth.principal import Role

FOLDER = ROOT / "migrations" / "user"
_ADDED = re.compile(r"\('([a-z][a-z0-9_:-]*:[a-z0-9_:-]*)', '(?:[^']|'')*'\)")
_GRANTED = re.compile(r"\('([A-Z]+)', '([a-z][a-z0-9_:-]*)'\)")
# 0002 gives administrators all permissions that there are by then.
_ALL_TO = re.compile(r"SELECT '([A-Z]+)', name FROM permission;")
_CHANGED = (
    "UPDATE role SET version = version + 1, updated_at = now(), updated_by = 'migration'\n"
    "WHERE name IN ({roles});\n"
)


def main(argv: list[str]) -> int:
    """Write or check. Return the exit code: 0 done, 1 a migration is missing, 2 wrong usage."""
    if argv not in (["write"], ["check"]):
        print(__doc__, file=sys.stderr)
        return 2
    new, grants = missing(declared(), _migrated(FOLDER))
    if not new and not grants:
        return 0
    if argv == ["check"]:
        names = sorted({*new, *(name for _, name in grants)})
        said = f"no migration adds the permissions {', '.join(names)}: run make permissions"
        print(said, file=sys.stderr)
        return 1
    for path, text in migration(FOLDER, new, grants).items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def _migrated(folder: Path) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the permissions, and the pairs of role and permission, that the migrations add."""
    names: set[str] = set()
    grants: set[tuple[str, str]] = set()
    for path in sorted(folder.glob("[0-9]*.sql")):
        if path.name.endswith(".rollback.sql"):
            continue
        text = path.read_text(encoding="utf-8")
        names.update(_ADDED.findall(text))
        grants.update(_GRANTED.findall(text))
        grants.update((role, name) for role in _ALL_TO.findall(text) for name in names)
    return names, grants


def missing(
    wanted: Mapping[str, Declared], migrated: tuple[set[str], set[tuple[str, str]]]
) -> tuple[dict[str, str], list[tuple[Role, str]]]:
    """Return missing descriptions by permission, and missing pairs of role and permission."""
    names, grants = migrated
    ours = {name: one for name, one in wanted.items() if not name.startswith(OF_SERVICES)}
    new = {name: one.description for name, one in ours.items() if name not in names}
    given = [
        (role, name)
        for name, one in ours.items()
        for role in one.roles
        if (role.value, name) not in grants
    ]
    return new, given


def migration(
    folder: Path, new: Mapping[str, str], grants: list[tuple[Role, str]]
) -> dict[Path, str]:
    """Return the next migration and its rollback, by path."""
    number = 1 + max(int(path.name[:4]) for path in folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    head = "SET LOCAL lock_timeout = '5s';\n"
    up, down = "-- From services/permissions.toml.\n" + head, head
    if new:
        rows = ",\n".join(f"    ({_text(name)}, {_text(said)})" for name, said in new.items())
        up += (
            "\n-- A permission that was added by hand under one of these names stays as it is.\n"
            f"INSERT INTO permission (name, description) VALUES\n{rows}\n"
            "ON CONFLICT (name) DO NOTHING;\n"
        )
    older = [(role, name) for role, name in grants if name not in new]
    if older:
        pairs = ", ".join(f"({_text(role)}, {_text(name)})" for role, name in older)
        down += f"\nDELETE FROM role_permission WHERE (role, permission) IN ({pairs});\n"
    if grants:
        rows = ",\n".join(f"    ({_text(role)}, {_text(name)})" for role, name in grants)
        up += (
            f"\nINSERT INTO role_permission (role, permission) VALUES\n{rows}\n"
            "ON CONFLICT DO NOTHING;\n"
        )
        roles = ", ".join(_text(role) for role in sorted({role for role, _ in grants}))
        changed = _CHANGED.format(roles=roles)
        up += f"\n-- An If-Match of before this migration must fail.\n{changed}"
        down += f"\n{changed}"
    if new:
        listed = ", ".join(map(_text, new))
        down += f"\nDELETE FROM permission WHERE name IN ({listed});\n"
    stem = f"{number:04d}_permissions_{number}"
    return {folder / f"{stem}.sql": up, folder / f"{stem}.rollback.sql": down}


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
